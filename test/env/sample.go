// Copyright the aliyun-issuer authors.
// SPDX-License-Identifier: Apache-2.0

package env

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/yaml"
)

// Sample reads the first document of a file in config/samples whose kind ends so: both kinds of issuers end in Issuer.
func Sample(t *testing.T, file, kind string, into any) {
	t.Helper()
	text, err := os.ReadFile(filepath.Join("../../config/samples", file))
	if err != nil {
		t.Fatal(err)
	}
	for document := range strings.SplitSeq(string(text), "\n---\n") {
		of := metav1.TypeMeta{}
		if err := yaml.Unmarshal([]byte(document), &of); err != nil {
			t.Fatal(err)
		}
		if !strings.HasSuffix(of.Kind, kind) {
			continue
		}
		if err := yaml.Unmarshal([]byte(document), into); err != nil {
			t.Fatal(err)
		}
		return
	}
	t.Fatalf("%s has no %s", file, kind)
}
