// Copyright the aliyun-issuer authors.
// SPDX-License-Identifier: Apache-2.0

package certmanager

import (
	"flag"
	"fmt"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/aliyun-issuer/aliyun-issuer/test/env"
)

var update = flag.Bool("update", false, "write docs/conformance.md")

// TestEveryFeatureOfCertManagerComesToWhatTheDocumentationSays asks for each feature at once, in one cluster, and
// compares the page with what came of them. The simulator must have billed nothing beside.
func TestEveryFeatureOfCertManagerComesToWhatTheDocumentationSays(t *testing.T) {
	t.Parallel()
	stage := newStage(t)
	rows := make([]string, len(features))
	t.Run("features", func(t *testing.T) { // it ends when all of them have ended
		for i, f := range features {
			t.Run(f.id, func(t *testing.T) {
				t.Parallel()
				rows[i] = f.row(stage.observe(t, f))
			})
		}
	})
	if t.Failed() || slices.Contains(rows, "") { // of some of them only, if -run has chosen
		return
	}
	billed := stage.simulator.Ledger()
	for _, entry := range billed {
		if !slices.ContainsFunc(features, func(f feature) bool { return f.billed() > 0 && f.has(entry.Domain) }) {
			t.Errorf("an order for %s was billed", entry.Domain)
		}
	}
	if n := stage.simulator.Calls()["CreateCertificateWithCsrRequest"]; n != len(billed) {
		t.Errorf("CAS was asked for %d orders, and billed %d", n, len(billed))
	}
	env.Golden(t, filepath.Join(root, "docs/conformance.md"), "what comes of the features has", pageOf(t, rows),
		*update)
}

// pageOf is docs/conformance.md.
func pageOf(t *testing.T, rows []string) string {
	t.Helper()
	version, err := ofModule("Version", "github.com/cert-manager/cert-manager")
	if err != nil {
		t.Fatal(err)
	}
	return fmt.Sprintf(pageAbove, version) + strings.Join(rows, "") + pageBelow
}

const pageAbove = `# Conformance

cert-manager tests the issuers that it brings with a
[conformance suite](https://github.com/cert-manager/cert-manager/tree/%[1]s/test/e2e/suite/conformance/certificates).
This page has its features, further fields of a Certificate that an issuer has to do with, and what each comes to here.
It is written by a test (` + "`go test ./test/certmanager -run EveryFeature -update`" + `) with cert-manager %[1]s,
a real API server and a simulator of CAS. The words are those that came out, and the domains in them stand for yours.
cert-manager's webhook took no part.

- **Served**: the Certificate is ready. Its Secret has a key of the kind that was asked for, and a chain to the CA with
  all names of the Certificate. One order was billed.
- **Warned**: served, but for a wish that CAS has no parameter for. An event of the CertificateRequest names it.
- **Left out**: served, but for this. Nobody is told.
- **Refused**: the CertificateRequest has failed with these words, and nothing was billed. The Certificate says in its
  condition ` + "`Issuing`" + `, before the same words: ` + "`" + failedBefore + "…`" + `

| Feature of cert-manager | Outcome | What the user reads, and what it does |
|---|---|---|
`

const pageBelow = `
` + "`ACMEUseARI`" + ` is not in the table, because it is about ACME servers, nor is what cert-manager alone decides, such
as for which listeners of a Gateway it makes a Certificate. CertificateSigningRequests of Kubernetes are not served.
[names.md](names.md) explains the answers about names.
`

// row is what the page says of a feature.
func (f feature) row(o observed) string {
	reads := make([]string, 0, len(o.words)+1)
	for _, words := range o.words {
		reads = append(reads, "`"+words+"`")
	}
	if f.note != "" {
		reads = append(reads, f.note)
	}
	cells := []string{f.title, string(o.outcome), strings.Join(reads, "<br>")}
	return strings.ReplaceAll("| "+strings.Join(cells, " | ")+" |\n", "  ", " ")
}
