// Copyright the aliyun-issuer authors.
// SPDX-License-Identifier: Apache-2.0

package source

import (
	"context"
	"time"

	"k8s.io/apimachinery/pkg/types"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/aliyun-issuer/aliyun-issuer/api/v1alpha1"
	"github.com/aliyun-issuer/aliyun-issuer/internal/credentials"
	"github.com/aliyun-issuer/aliyun-issuer/internal/csr"
)

// none stands for a source that this build does not have, such as that of an issuer which was configured for a newer
// version. It sells nothing, and says so.
type none struct{}

var errNone = &credentials.Problem{Reason: v1alpha1.ReasonNoSource, Message: "this version knows no source of " +
	"certificates in spec.source: install the version that the issuer was written for, or name another source"}

func (none) Sells(v1alpha1.Source) bool             { return true }
func (none) Offer(v1alpha1.Source) Offer            { return noOffer{} }
func (none) Open(Ask) (Session, error)              { return nil, errNone }
func (none) Forget(types.UID)                       {}
func (none) Indexes() map[string]client.IndexerFunc { return nil }

func (none) Checker(context.Context, CheckAsk) (Checker, error) { return nil, errNone }

type noOffer struct{}

func (noOffer) Fits(csr.Asks) (against csr.Reasons) {
	against.Add("%s", errNone.Message)
	return against
}

func (noOffer) Product() string                      { return "" }
func (noOffer) Sells(string) bool                    { return false }
func (noOffer) NeedsCommonName() bool                { return false }
func (noOffer) Beside(string, string) (string, bool) { return "", false }
func (noOffer) Proves([]string) []string             { return nil }
func (noOffer) GoesOn(v1alpha1.Source) bool          { return false }
func (noOffer) CAIdentities() []string               { return nil }
func (noOffer) TakesRepeated() bool                  { return false }
func (noOffer) Patience() time.Duration              { return 0 }
func (noOffer) Withdrawal() time.Duration            { return 0 }
func (noOffer) IsOrderID(string) bool                { return false }
func (noOffer) Tag(*v1alpha1.AliyunOrder) string     { return "" }
func (noOffer) Words() Words                         { return Words{} }
