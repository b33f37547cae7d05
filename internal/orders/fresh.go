// Copyright the aliyun-issuer authors.
// SPDX-License-Identifier: Apache-2.0

package orders

import (
	"sync"
	"time"

	"k8s.io/apimachinery/pkg/types"
)

// Freshness bounds the age of a request, and of the Order that this process made for it, for a submission without a
// look at CAS.
const Freshness = 2 * time.Minute

// Fresh knows the Orders that this process made, for young requests that bore no condition of ours. Only for
// these is it certain that nobody has submitted them before: any other may be back from a backup of the cluster's
// store.
type Fresh struct {
	made sync.Map // time by UID
}

// Add notes an Order that was made now. It also drops those that are no longer fresh: nobody calls Take for an Order
// that never comes to be submitted.
func (f *Fresh) Add(order types.UID, now time.Time) {
	f.made.Range(func(known, made any) bool {
		if now.Sub(made.(time.Time)) >= Freshness {
			f.made.Delete(known)
		}
		return true
	})
	f.made.Store(order, now)
}

// Take says whether the first submission of the order may do without a look at CAS. It says so once.
func (f *Fresh) Take(order types.UID, now time.Time) bool {
	made, ok := f.made.LoadAndDelete(order)
	return ok && now.Sub(made.(time.Time)) < Freshness
}
