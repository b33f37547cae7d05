// Copyright the aliyun-issuer authors.
// SPDX-License-Identifier: Apache-2.0

package httpfile

import (
	"context"
	"fmt"
	"strings"

	"github.com/aliyun-issuer/aliyun-issuer/internal/dcv"
)

// Manual is the solver for people who put files on their web servers themselves. It writes nothing.
type Manual struct{}

var _ dcv.Solver = Manual{}

// Present implements dcv.Solver. It takes any path, since a person reads it. Every Record that it returns is Foreign,
// since what a person made is not ours to remove.
func (Manual) Present(_ context.Context, ch dcv.Challenge, _ *dcv.Record,
	_ func(context.Context, dcv.Record) error) (dcv.Record, error) {
	if ch.Domain == "" || ch.RecordName == "" || ch.RecordValue == "" {
		return dcv.Record{}, fmt.Errorf("the validation file for %q is not known yet: CAS has not named it", ch.Domain)
	}
	rec, err := Locate(ch)
	if err != nil {
		rec = dcv.Record{FQDN: dcv.CanonicalName(ch.Domain), Type: dcv.TypeFile, Value: ch.RecordValue, Zone: "/" +
			strings.TrimPrefix(ch.RecordName, "/")}
	}
	rec.Foreign = true
	return rec, nil
}

// CleanUp implements dcv.Solver: whoever put the file there removes it.
func (Manual) CleanUp(context.Context, dcv.Record) error { return nil }
