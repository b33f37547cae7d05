// Copyright the aliyun-issuer authors.
// SPDX-License-Identifier: Apache-2.0

package controllers

import (
	"sync"
	"time"

	"k8s.io/apimachinery/pkg/types"
)

// FreshOrders knows the Orders that this process made, for young requests that bore no condition of ours. Only for these
// is it certain that nobody has submitted them before: any other may be back from a backup of the cluster's store.
type FreshOrders struct {
	made sync.Map // time by UID
}

// add also drops those that are fresh no more: of some that never came to be submitted, nobody asks.
func (f *FreshOrders) add(order types.UID, now time.Time) {
	f.made.Range(func(known, made any) bool {
		if now.Sub(made.(time.Time)) >= freshness {
			f.made.Delete(known)
		}
		return true
	})
	f.made.Store(order, now)
}

// take says whether the first submission of the order may do without a look at CAS. It says so once.
func (f *FreshOrders) take(order types.UID, now time.Time) bool {
	made, ok := f.made.LoadAndDelete(order)
	return ok && now.Sub(made.(time.Time)) < freshness
}
