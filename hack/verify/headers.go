// Copyright the aliyun-issuer authors.
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"bytes"
	"errors"
	"fmt"
	"go/format"
	"os"
	"path/filepath"
	"strings"
)

// header is the text of hack/boilerplate.go.txt without its comment signs.
var header = [2]string{"Copyright the aliyun-issuer authors.", "SPDX-License-Identifier: Apache-2.0"}

// headerWithin is the number of lines at the top of a file that may hold the header: a #! line or a build constraint
// comes before it.
const headerWithin = 5

// checkHeaders names the source files that do not begin with the licence header. Data and documents need none.
func checkHeaders(directory string, files []string) error {
	var missing []string
	for _, file := range files {
		comment := commentSign(file)
		if comment == "" {
			continue
		}
		content, err := os.ReadFile(filepath.Join(directory, file))
		if err != nil {
			return err
		}
		lines := strings.SplitN(string(content), "\n", headerWithin+1)
		top := strings.Join(lines[:min(len(lines), headerWithin)], "\n") + "\n"
		if !strings.Contains("\n"+top, fmt.Sprintf("\n%s %s\n%[1]s %[3]s\n", comment, header[0], header[1])) {
			missing = append(missing, file)
		}
	}
	if len(missing) == 0 {
		return nil
	}
	return fmt.Errorf("no licence header, which is the text of hack/boilerplate.go.txt:\n\t%s",
		strings.Join(missing, "\n\t"))
}

func commentSign(file string) string {
	switch {
	case strings.HasSuffix(file, ".go"):
		return "//"
	case strings.HasSuffix(file, ".sh"), file == "Makefile", file == "Dockerfile", file == ".ci/run":
		return "#"
	}
	return ""
}

// checkFormat names the Go files that gofmt would change.
func checkFormat(directory string, files []string) error {
	var unformatted []string
	var problems []error
	for _, file := range files {
		if !strings.HasSuffix(file, ".go") {
			continue
		}
		content, err := os.ReadFile(filepath.Join(directory, file))
		if err != nil {
			return err
		}
		formatted, err := format.Source(content)
		if err != nil {
			problems = append(problems, fmt.Errorf("%s: %w", file, err))
		} else if !bytes.Equal(content, formatted) {
			unformatted = append(unformatted, file)
		}
	}
	if len(unformatted) > 0 {
		problems = append(problems,
			fmt.Errorf("not formatted, mend with `make fmt`:\n\t%s", strings.Join(unformatted, "\n\t")))
	}
	return errors.Join(problems...)
}
