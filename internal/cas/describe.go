// Copyright the aliyun-issuer authors.
// SPDX-License-Identifier: Apache-2.0

package cas

import (
	"context"

	"github.com/aliyun/alibaba-cloud-sdk-go/sdk/requests"
	"github.com/aliyun/alibaba-cloud-sdk-go/sdk/responses"
	sdkcas "github.com/aliyun/alibaba-cloud-sdk-go/services/cas"
)

// State is how far an order has come. Values that are not among the constants are passed on as they are,
// and mean no more than that the order is still to be watched (docs/design/cas.md §3.4).
type State string

const (
	// StateDomainVerify: submitted; the control of the domain is yet to be proved.
	StateDomainVerify State = "domain_verify"
	// StateProcess: the CA is reviewing.
	StateProcess State = "process"
	// StateVerifyFail: the review failed. V1 does not say why.
	StateVerifyFail State = "verify_fail"
	// StateCertificate: issued.
	StateCertificate State = "certificate"
	// StatePayed: paid for and not applied for, for example after it was cancelled.
	StatePayed State = "payed"
	// StateUnknow: CAS does not know, and spells it so.
	StateUnknow State = "unknow"
)

// Order is what CAS tells about one order.
type Order struct {
	State        State
	ValidateType ValidateType
	// Record is the DNS record that proves the control of the domain. It is nil until CAS has given all of
	// it, which may take some seconds after the order.
	Record *Record
	// File is the file that proves the control of the domain, and nil until CAS has given all of it.
	File *File
	// Certificate is PEM, once it is issued: the leaf, and perhaps some or all of its issuers, in any order.
	Certificate string
	// CertID names the certificate in the store of CAS. It is empty until it is issued, and in older replies.
	CertID string
	// RequestID is the service's name for this call.
	RequestID string
}

// Record is a DNS record.
type Record struct {
	// Domain is the record's name, relative to the zone or fully qualified; the service does not say which.
	Domain string
	// Type is TXT or CNAME.
	Type string
	// Value is opaque.
	Value string
}

// File is a file on the web server of the domain.
type File struct {
	Domain string
	// URI is the path, such as /.well-known/pki-validation/fileauth.txt.
	URI string
	// Content is what the file must contain.
	Content string
}

// describeResponse has no field for the PrivateKey that the reply may hold, so that it is dropped here.
// Every field is text, because the SDK's decoder then takes numbers without loss.
type describeResponse struct {
	*responses.BaseResponse
	RequestID    string `json:"RequestId"`
	Type         string
	ValidateType string
	RecordDomain string
	RecordType   string
	RecordValue  string
	Domain       string
	URI          string `json:"Uri"`
	Content      string
	Certificate  string
	CertID       string `json:"CertId"`
}

// Describe returns the state of an order, and what CAS wants done for it. An order that does not exist is
// an error for which [IsNotFound] holds.
func (c *Client) Describe(ctx context.Context, id OrderID) (*Order, error) {
	req := sdkcas.CreateDescribeCertificateStateRequest()
	if _, ok := ParseOrderID(string(id)); !ok {
		return nil, invalid(req.GetActionName(), notAnID)
	}
	req.OrderId = requests.Integer(id)
	resp := &describeResponse{BaseResponse: &responses.BaseResponse{}}
	if err := c.caller.Do(ctx, req, resp); err != nil {
		return nil, err
	}
	if resp.Type == "" {
		return nil, undecodable(req.GetActionName(), resp.RequestID, "success without the state of the order")
	}
	return resp.order(), nil
}

// notAnID is what is wrong with an id that no order can have.
const notAnID = "the order id is not a positive integer"

func (r *describeResponse) order() *Order {
	order := &Order{
		State:        State(r.Type),
		ValidateType: ValidateType(r.ValidateType),
		Certificate:  r.Certificate,
		CertID:       r.CertID,
		RequestID:    r.RequestID,
	}
	if r.RecordDomain != "" && r.RecordType != "" && r.RecordValue != "" {
		order.Record = &Record{Domain: r.RecordDomain, Type: r.RecordType, Value: r.RecordValue}
	}
	if r.URI != "" && r.Content != "" {
		order.File = &File{Domain: r.Domain, URI: r.URI, Content: r.Content}
	}
	return order
}
