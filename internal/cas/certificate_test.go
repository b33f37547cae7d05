// Copyright the aliyun-issuer authors.
// SPDX-License-Identifier: Apache-2.0

package cas_test

import (
	"context"
	"testing"

	"github.com/aliyun-issuer/aliyun-issuer/internal/cas"
	"github.com/aliyun-issuer/aliyun-issuer/test/answers"
)

func TestACertificateIsReadFromTheStoreWithoutItsKey(t *testing.T) {
	client := newClient(t, answers.Always(t, 200, `{"RequestId":"R-1","Cert":"-----BEGIN `+
		`CERTIFICATE-----\nx","Key":"k","CertChain":[{"CommonName":"x"}]}`))
	if got, err := client.Certificate(context.Background(), "9007199254740993"); err != nil ||
		got != "-----BEGIN CERTIFICATE-----\nx" {
		t.Errorf("got %q and %v", got, err)
	}
}

func TestAReplyWithoutACertificateIsAnError(t *testing.T) {
	for _, body := range []string{``, `{}`, `<html>`, `{"RequestId":"R-1"}`, `{"RequestId":"R-1","Cert":null}`,
		`{"RequestId":"R-1","Cert":["x"]}`} {
		if got, err := newClient(t, answers.Always(t, 200, body)).Certificate(context.Background(), "7"); got != "" ||
			cas.KindOf(err) != cas.KindUndecodable {
			t.Errorf("%s: got %q and %v", body, got, err)
		}
	}
}

func TestACertificateIsNotAskedForWithoutANumber(t *testing.T) {
	for _, id := range []string{"", "0", "7-cn-hangzhou", "1e3"} {
		if _, err := newClient(t, answers.Never(t)).Certificate(context.Background(), id); cas.KindOf(
			err) != cas.KindInvalid || !cas.IsNotSent(err) {
			t.Errorf("%q: got %v", id, err)
		}
	}
}
