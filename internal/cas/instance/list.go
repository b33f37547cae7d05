// Copyright the aliyun-issuer authors.
// SPDX-License-Identifier: Apache-2.0

package instance

import (
	"context"
	"strconv"
	"time"

	"github.com/aliyun-issuer/aliyun-issuer/internal/rpc"
)

// MaxPageSize is the largest page. The service's own default is 10.
const MaxPageSize = 100

// Query selects instances of the account, of all its users and clusters. What is empty selects all.
type Query struct {
	// Status is that of the instance. The service may judge it by an older state than the detail has.
	Status Status
	// Type is TypeBought or TypeTest, and CertificateType is DV, OV or EV.
	Type, Brand, CertificateType, ResourceGroupID string
	// Keyword is part of a domain, of the instance's name or of its id: the search is fuzzy.
	Keyword string
	// Page counts from 1; 0 means 1.
	Page int
	// Size is the number of instances on a page; 0 means MaxPageSize.
	Size int
}

// Page is one page of a listing. Instances that change while one pages through may appear twice or not at all.
type Page struct {
	// Total is the number of instances on all pages, which may change from page to page.
	Total int
	Items []Instance
	// Date is the service's time when it answered, or zero if it did not tell.
	Date time.Time
	// RequestID is the service's name for this call.
	RequestID string
}

type listReply struct {
	reply
	TotalCount   string
	InstanceList []item
}

// List returns one page of the instances of the account.
//
// A reply without a list, without instances although its total says that the page has some, or with an instance that
// cannot be read is an error and never a shorter page: to find nothing may mean to use up another instance.
func (c *Client) List(ctx context.Context, query Query) (Page, error) {
	req := newRequest("ListInstances")
	number, size := max(query.Page, 1), MaxPageSize
	if query.Size > 0 {
		size = query.Size
	}
	for name, value := range map[string]string{
		"Status": string(query.Status), "InstanceType": query.Type, "Brand": query.Brand,
		"CertificateType": query.CertificateType, "ResourceGroupId": query.ResourceGroupID, "Keyword": query.Keyword,
		"CurrentPage": strconv.Itoa(number), "ShowSize": strconv.Itoa(size),
	} {
		req.set(name, value)
	}
	resp := &listReply{reply: newReply()}
	if err := c.caller.Do(ctx, req, resp); err != nil {
		return Page{}, err
	}
	total, ok := rpc.Count(resp.TotalCount)
	isEmpty := len(resp.InstanceList) == 0
	if !ok || (isEmpty && (resp.TotalCount == "" || total > (number-1)*size)) {
		return Page{}, undecodable(req.GetActionName(), resp.RequestID, "success without the list of instances")
	}
	page := Page{Total: total, RequestID: resp.RequestID}
	page.Date, _ = rpc.Date(resp)
	for _, item := range resp.InstanceList {
		instance, ok := item.instance()
		if !ok {
			problem := "success with an instance that cannot be read"
			return Page{}, undecodable(req.GetActionName(), resp.RequestID, problem)
		}
		page.Items = append(page.Items, instance)
	}
	return page, nil
}
