// Copyright the aliyun-issuer authors.
// SPDX-License-Identifier: Apache-2.0

package instance

import "strings"

// Validation is a DNS record, or a file, that proves the control of one name.
type Validation struct {
	// Domain is the name. RootDomain is the domain that Key is relative to; it need not be a hosted zone.
	Domain, RootDomain string
	// Key is the record's name, relative to RootDomain or fully qualified; @ is RootDomain itself. See File for a file.
	Key string
	// Type is TXT or CNAME, or HTTP or FILE for a file.
	Type string
	// Value is opaque.
	Value string
}

// IsFile reports whether a file proves it, and no record.
func (v Validation) IsFile() bool {
	return strings.EqualFold(v.Type, "HTTP") || strings.EqualFold(v.Type, "FILE")
}

// IsComplete reports whether CAS has told all that is needed to publish it. A file is relative to no domain.
func (v Validation) IsComplete() bool {
	return v.Domain != "" && (v.RootDomain != "" || v.IsFile()) && v.Key != "" && v.Type != "" && v.Value != ""
}

// wellKnown is where CAs look for files.
const wellKnown = "/.well-known/pki-validation/"

// File returns the path of a file, or its URL, and the content. No document says which fields have them: Key has the
// path, unless only Value looks like one, and a path may be no more than the name of the file.
func (v Validation) File() (path, content string) {
	path, content = v.Key, v.Value
	if !isPath(path) && isPath(content) {
		path, content = content, path
	}
	isName := strings.Contains(path, ".") && !strings.Contains(path, "/")
	if isName {
		path = wellKnown + path
	}
	return path, content
}

func isPath(text string) bool { return strings.Contains("/"+text, wellKnown) }
