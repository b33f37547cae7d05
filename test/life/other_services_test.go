// Copyright the aliyun-issuer authors.
// SPDX-License-Identifier: Apache-2.0

package life

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/aliyun-issuer/aliyun-issuer/internal/cassim"
	"github.com/aliyun-issuer/aliyun-issuer/test/docs"
	"github.com/aliyun-issuer/aliyun-issuer/test/env"
)

// TestOtherServicesAreToldWhichCertificateItIs runs the commands of the page, as they are written, after an order from
// each source.
func TestOtherServicesAreToldWhichCertificateItIs(t *testing.T) {
	for name, order := range map[string]func(*testing.T) (e *env.Env, storedID func() string){
		"from a plan": func(t *testing.T) (*env.Env, func() string) {
			e := ordered(t, cassim.Options{})
			return e, func() string {
				order, _ := e.Simulator.Order(onlyOrder(t, e).Status.OrderID)
				return order.CertID
			}
		},
		"with an instance": func(t *testing.T) (*env.Env, func() string) {
			e, _ := applied(t, cassim.Options{})
			return e, func() string { return e.Simulator.Applications()[0].CertificateID }
		},
	} {
		t.Run(name, func(t *testing.T) {
			e, storedID := order(t)
			e.Until(time.Hour, isReady(e))
			var commands []string
			for _, block := range docs.Blocks(t, root+"/docs/instances.md") {
				if block.Heading == "Other services" {
					commands = append(commands, strings.Split(strings.TrimSpace(block.Text), "\n")...)
				}
			}
			common, id := onlyOrder(t, e).Spec.CommonName, storedID()
			want := []string{
				fmt.Sprintf("%s\t%s\n", common, id), fmt.Sprintf("%s\t%s-cn-hangzhou\n", common, id),
			}
			if len(commands) != len(want) {
				t.Fatalf("the page has %d commands, want %d", len(commands), len(want))
			}
			for i, command := range commands {
				if out := shell(e, command+" --namespace="+e.Namespace); out != want[i] {
					t.Errorf("%s\nprints %q, want %q", command, out, want[i])
				}
			}
		})
	}
}
