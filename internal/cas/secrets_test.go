// Copyright the aliyun-issuer authors.
// SPDX-License-Identifier: Apache-2.0

package cas_test

import (
	"fmt"
	"net/http"
	"testing"

	"github.com/aliyun-issuer/aliyun-issuer/test/clients"
)

const leak = clients.Leak

func TestThePrivateKeyOfAReplyIsInNothingThatIsReturned(t *testing.T) {
	tried.WantNoLeak(t, map[string]string{
		"a success": `{"RequestId":"R-1","Type":"certificate","Certificate":"c","Cert":"c","PrivateKey":"` + leak +
			`","Key":"` + leak +
			`","OrderId":1,"TotalCount":1,"UsedCount":1,"CertificateOrderList":[{"OrderId":1,"PrivateKey":"` + leak +
			`"}]}`,
		"a success of other types": `{"RequestId":"R-1","Type":{"PrivateKey":"` + leak + `"},"OrderId":["` + leak +
			`"],"TotalCount":["` + leak + `"],"CertificateOrderList":"` + leak + `"}`,
		"a success that is cut short": `{"RequestId":"R-1","Type":"certificate","PrivateKey":"` + leak,
		"a success without an id":     `{"RequestId":"R-1","PrivateKey":"` + leak + `"}`,
		"no JSON":                     leak,
	})
}

func TestNoErrorHoldsASecretWhateverTheServiceQuotes(t *testing.T) {
	codes := []string{"SignatureDoesNotMatch", "IncompleteSignature", "InvalidParameter", "InternalError",
		"CreateOrderFailed", "prose instead of a code"}
	tried.WantNoSecretQuoted(t, codes, clients.Quotes{
		"the contact": func(r *http.Request) string {
			q := r.URL.Query()
			return fmt.Sprintf("contact %s <%s>, %s, is not known", q.Get("Username"), q.Get("Email"), q.Get("Phone"))
		},
	})
}

func TestNoErrorOfTheNetworkHoldsASecret(t *testing.T) {
	tried.WantNoSecretWithoutAnAnswer(t)
}
