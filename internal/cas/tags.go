// Copyright the aliyun-issuer authors.
// SPDX-License-Identifier: Apache-2.0

package cas

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"unicode/utf8"
)

// maxTags is how many tags an order (docs/design/cas.md §3.1) and an instance can have.
const maxTags = 20

// TagLimits are the bounds, in characters, of the tags that one API takes. They differ between orders and instances.
type TagLimits struct {
	// Key bounds the key of a tag.
	Key int
	// Value bounds the value of a tag. It is 0 if the API's page names no bound.
	Value int
}

// Problem returns what the service would refuse about the tags, or "".
func (l TagLimits) Problem(tags map[string]string) string {
	if len(tags) > maxTags {
		return fmt.Sprintf("%d tags are more than the %d that the service takes", len(tags), maxTags)
	}
	for _, key := range slices.Sorted(maps.Keys(tags)) {
		switch value := tags[key]; {
		case key == "":
			return "a tag has no key"
		case utf8.RuneCountInString(key) > l.Key:
			return fmt.Sprintf("the key of a tag is longer than %d characters", l.Key)
		case l.Value > 0 && utf8.RuneCountInString(value) > l.Value:
			return fmt.Sprintf("the value of the tag %q is longer than %d characters", key, l.Value)
		case strings.HasPrefix(key, "aliyun") || strings.HasPrefix(key, "acs:"):
			return fmt.Sprintf("the key of the tag %q begins with aliyun or acs:", key)
		case hasURL(key) || hasURL(value):
			return fmt.Sprintf("the tag %q contains http:// or https://", key)
		}
	}
	return ""
}

func hasURL(s string) bool {
	return strings.Contains(s, "http://") || strings.Contains(s, "https://")
}
