// Copyright the aliyun-issuer authors.
// SPDX-License-Identifier: Apache-2.0

package instance_test

import (
	"net/http"
	"testing"

	"github.com/aliyun-issuer/aliyun-issuer/test/clients"
)

const leak = clients.Leak

func TestThePrivateKeyOfAReplyIsInNothingThatIsReturned(t *testing.T) {
	id := string(testInstance)
	tried.WantNoLeak(t, map[string]string{
		"a success": `{"RequestId":"R-1","InstanceId":"` + id + `","Status":"normal","Cert":"c","Key":"` + leak + `","PrivateKey":"` + leak + `","EncryptPrivateKey":"` + leak + `",
			"ContactList":[{"Email":"` + leak + `"}],"DingGroupList":["` + leak + `"],"TaskStatus":"success","TotalCount":1,"InstanceList":[{"InstanceId":"i","Status":"normal","Key":"` + leak + `"}]}`,
		"a success of other types": `{"RequestId":"R-1","Status":{"Key":"` + leak + `"},"InstanceList":"` + leak +
			`","TotalCount":["` + leak + `"],"TaskStatus":["` + leak + `"]}`,
		"a success that is cut short": `{"RequestId":"R-1","Status":"normal","Key":"` + leak,
		"a success without an id":     `{"RequestId":"R-1","Key":"` + leak + `"}`,
		"no JSON":                     leak,
	})
}

func TestNoErrorHoldsASecretWhateverTheServiceQuotes(t *testing.T) {
	codes := []string{"SignatureDoesNotMatch", "InvalidParameter", "InternalError", "OperationDenied.StatusNotSupport",
		"prose instead of a code"}
	tried.WantNoSecretQuoted(t, codes, clients.Quotes{
		"the request": func(r *http.Request) string {
			return "the CSR " + r.URL.Query().Get("Csr") + " is not valid"
		},
	})
}

func TestNoErrorOfTheNetworkHoldsASecret(t *testing.T) {
	tried.WantNoSecretWithoutAnAnswer(t)
}
