// Copyright the aliyun-issuer authors.
// SPDX-License-Identifier: Apache-2.0

package cas

import (
	"context"
	"time"

	"github.com/aliyun/alibaba-cloud-sdk-go/sdk/requests"
	"github.com/aliyun/alibaba-cloud-sdk-go/sdk/responses"
	sdkcas "github.com/aliyun/alibaba-cloud-sdk-go/services/cas"

	"github.com/aliyun-issuer/aliyun-issuer/internal/rpc"
)

// ListStatus is the state of an order in a listing, whose words differ from those of Describe. Values that
// are not among the constants are passed on as they are.
type ListStatus string

// The states that a listing knows (docs/design/cas.md §3.6).
const (
	ListPayed        ListStatus = "PAYED"
	ListChecking     ListStatus = "CHECKING"
	ListCheckedFail  ListStatus = "CHECKED_FAIL"
	ListIssued       ListStatus = "ISSUED"
	ListWillExpire   ListStatus = "WILLEXPIRED"
	ListExpired      ListStatus = "EXPIRED"
	ListNotActivated ListStatus = "NOTACTIVATED"
	ListRevoked      ListStatus = "REVOKED"
)

// DefaultPageSize is the service's own default. The largest that it allows is not documented.
const DefaultPageSize = 50

// orderTypePackage selects orders made from a resource plan.
const orderTypePackage = "CPACK"

// ListQuery selects orders of the account, of all its users and clusters.
type ListQuery struct {
	// Keyword is part of a domain or of an id: the search is fuzzy. Empty selects all.
	Keyword string
	// Status selects orders in one state. Empty selects all.
	Status ListStatus
	// Page counts from 1; 0 means 1.
	Page int
	// Size is the number of orders on a page; 0 means DefaultPageSize.
	Size int
}

// Page is one page of a listing. Orders that change while one pages through may appear twice or not at all:
// that an order is not in a listing does not mean that it does not exist.
type Page struct {
	// Total is the number of orders on all pages.
	Total int
	Items []ListItem
	// Date is the service's time when it answered, or zero if it did not tell.
	Date time.Time
	// RequestID is the service's name for this call.
	RequestID string
}

// ListItem is an order in a listing.
type ListItem struct {
	// OrderID is empty if the service sent none that can be one. Such an item still is an order.
	OrderID OrderID
	// InstanceID is the console's name for the order.
	InstanceID string
	// Domain is the name, or the names separated by commas.
	Domain string
	Status ListStatus
	// ProductCode may be in another vocabulary than that of Submit.
	ProductCode string
	// BoughtAt, NotBefore and NotAfter are zero if they are not known.
	BoughtAt, NotBefore, NotAfter time.Time
}

type listResponse struct {
	*responses.BaseResponse
	RequestID            string `json:"RequestId"`
	TotalCount           string
	CertificateOrderList []listResponseItem
}

type listResponseItem struct {
	OrderID       string `json:"OrderId"`
	InstanceID    string `json:"InstanceId"`
	Domain        string
	Status        string
	ProductCode   string
	BuyDate       string
	CertStartTime string
	CertEndTime   string
}

// List returns one page of the orders that were made from resource plans.
//
// A reply without a list, or without orders although its total says that the page has some, is an error and
// never an empty page: to find nothing may mean to buy again.
func (c *Client) List(ctx context.Context, query ListQuery) (Page, error) {
	req := sdkcas.CreateListUserCertificateOrderRequest()
	req.OrderType = orderTypePackage
	req.Keyword = query.Keyword
	req.Status = string(query.Status)
	number, size := max(query.Page, 1), DefaultPageSize
	if query.Size > 0 {
		size = query.Size
	}
	req.CurrentPage = requests.NewInteger(number)
	req.ShowSize = requests.NewInteger(size)
	resp := &listResponse{BaseResponse: &responses.BaseResponse{}}
	if err := c.caller.Do(ctx, req, resp); err != nil {
		return Page{}, err
	}
	total, ok := rpc.Count(resp.TotalCount)
	isEmpty := len(resp.CertificateOrderList) == 0
	if !ok || (isEmpty && (resp.TotalCount == "" || total > (number-1)*size)) {
		return Page{}, undecodable(req.GetActionName(), resp.RequestID, "success without the list of orders")
	}
	return resp.page(total), nil
}

func (r *listResponse) page(total int) Page {
	page := Page{Total: total, RequestID: r.RequestID}
	page.Date, _ = rpc.Date(r)
	for _, item := range r.CertificateOrderList {
		id, _ := ParseOrderID(item.OrderID)
		page.Items = append(page.Items, ListItem{
			OrderID:     id,
			InstanceID:  item.InstanceID,
			Domain:      item.Domain,
			Status:      ListStatus(item.Status),
			ProductCode: item.ProductCode,
			BoughtAt:    rpc.Milliseconds(item.BuyDate),
			NotBefore:   rpc.Milliseconds(item.CertStartTime),
			NotAfter:    rpc.Milliseconds(item.CertEndTime),
		})
	}
	return page
}
