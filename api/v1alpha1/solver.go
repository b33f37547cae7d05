// Copyright the aliyun-issuer authors.
// SPDX-License-Identifier: Apache-2.0

package v1alpha1

// IsManual says that a person publishes the proof of control.
func (s Solver) IsManual() bool {
	return s.DNS != nil && s.DNS.Manual != nil || s.File != nil && s.File.Manual != nil
}

// IsNone says that nobody has to publish a proof of control.
func (s Solver) IsNone() bool { return s.DNS != nil && s.DNS.None != nil }

// IsFile says that the proof of control is a file, and no record in DNS.
func (s Solver) IsFile() bool { return s.File != nil }

// IsFile says that the proof of control is a file for all names of the order, and no record in DNS for any.
func (s OrderSpec) IsFile() bool { return len(s.Solvers) > 0 && s.Solvers[0].Solver.IsFile() }
