// Copyright the aliyun-issuer authors.
// SPDX-License-Identifier: Apache-2.0

package instance

import (
	"context"
	"time"

	"github.com/aliyun-issuer/aliyun-issuer/internal/rpc"
)

// Detail is all that CAS tells of one instance. How much that is varies with the state: an empty field was not told.
type Detail struct {
	Instance
	// CSR is PEM: the request that was written on the instance, or that is under way. CAS may give it back in other
	// lines than it was sent in, so compare it with SameRequest.
	CSR string
	// ValidationMethod is DNS or HTTP.
	ValidationMethod string
	// ContactIDs come in any order.
	ContactIDs []string
	CompanyID  string
	Tags       map[string]string
	// UpgradeStatus is none, UpgradePaid or issued. It is about an upgrade of the instance to other numbers of names.
	UpgradeStatus string
	// Validations prove the control of the names, while an application is under way. There may be none yet, and some
	// may still lack their value: see Validation.IsComplete.
	Validations []Validation
	// Date is the service's time when it answered, or zero if it did not tell.
	Date time.Time
	// RequestID is the service's name for this call.
	RequestID string
}

// UpgradePaid is the UpgradeStatus of an instance whose upgrade is paid for and not carried out.
const UpgradePaid = "payed"

type detailReply struct {
	reply
	item
	Csr                  string
	ValidationMethod     string
	ContactIDList        []string `json:"ContactIdList"`
	CompanyID            string   `json:"CompanyId"`
	Tags                 []tagReply
	UpgradeStatus        string
	DomainValidationList []validationReply
}

type tagReply struct {
	TagKey, TagValue string
}

type validationReply struct {
	Domain, RootDomain, ValidationKey, ValidationType, ValidationValue string
}

// Describe returns an instance. One that does not exist is an error for which cas.IsNotFound holds.
func (c *Client) Describe(ctx context.Context, id ID) (*Detail, error) {
	req := newRequest("GetInstanceDetail")
	if _, ok := ParseID(string(id)); !ok {
		return nil, invalid(req.GetActionName(), notAnID)
	}
	req.set("InstanceId", string(id))
	resp := &detailReply{reply: newReply()}
	if err := c.caller.Do(ctx, req, resp); err != nil {
		return nil, err
	}
	if resp.InstanceID == "" { // CAS may leave it out, and it was asked for by this id
		resp.InstanceID = string(id)
	}
	instance, ok := resp.instance()
	if !ok || instance.ID != id {
		return nil, undecodable(req.GetActionName(), resp.RequestID, "success without the instance that was asked for")
	}
	return resp.detail(instance), nil
}

func (r *detailReply) detail(instance Instance) *Detail {
	detail := &Detail{
		Instance:         instance,
		CSR:              r.Csr,
		ValidationMethod: r.ValidationMethod,
		ContactIDs:       r.ContactIDList,
		CompanyID:        r.CompanyID,
		Tags:             map[string]string{},
		UpgradeStatus:    r.UpgradeStatus,
		RequestID:        r.RequestID,
	}
	detail.Date, _ = rpc.Date(r)
	for _, tag := range r.Tags {
		detail.Tags[tag.TagKey] = tag.TagValue
	}
	for _, v := range r.DomainValidationList {
		detail.Validations = append(detail.Validations, Validation{
			Domain: v.Domain, RootDomain: v.RootDomain,
			Key: v.ValidationKey, Type: v.ValidationType, Value: v.ValidationValue,
		})
	}
	return detail
}
