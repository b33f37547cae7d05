// Copyright the aliyun-issuer authors.
// SPDX-License-Identifier: Apache-2.0

package env

import (
	dto "github.com/prometheus/client_model/go"
)

// Metrics are what a process has counted.
type Metrics []*dto.MetricFamily

// Sum adds up the counters of a name whose labels have these values.
func (m Metrics) Sum(name string, labels map[string]string) (total float64) {
	for _, family := range m {
		if family.GetName() != name {
			continue
		}
		for _, series := range family.GetMetric() {
			matching := 0
			for _, label := range series.GetLabel() {
				if want, isAsked := labels[label.GetName()]; isAsked && want == label.GetValue() {
					matching++
				}
			}
			if matching == len(labels) {
				total += series.GetCounter().GetValue()
			}
		}
	}
	return total
}
