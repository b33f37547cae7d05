// Copyright the aliyun-issuer authors.
// SPDX-License-Identifier: Apache-2.0

package orders

import (
	"fmt"

	"github.com/aliyun-issuer/aliyun-issuer/api/v1alpha1"
)

// HowToSay is the command that gives an order an operator's word, also where one that was refused is there still.
func HowToSay(order *v1alpha1.AliyunOrder) string {
	return fmt.Sprintf("kubectl annotate aliyunorder %s -n %s --overwrite %s=<id or %s>", order.Name, order.Namespace,
		v1alpha1.OrderIDAnnotation, v1alpha1.NoOrder)
}

// Unclear repeats what CAS has answered, which may tell a person more than it tells the controller.
func Unclear(submission *v1alpha1.OrderSubmission) string {
	if submission.Answer == "" {
		return "what came of it is not known"
	}
	return fmt.Sprintf("what came of it is not known (%s)", submission.Answer)
}
