// Copyright the aliyun-issuer authors.
// SPDX-License-Identifier: Apache-2.0

package alidns

import (
	"fmt"
	"net/http"

	sdk "github.com/aliyun/alibaba-cloud-sdk-go/services/alidns"

	"github.com/aliyun-issuer/aliyun-issuer/internal/dcv"
	"github.com/aliyun-issuer/aliyun-issuer/internal/rpc"
)

// Codes of Alibaba Cloud DNS; all come with HTTP 400 (docs/design/cas.md §6.2).
const (
	codeDuplicate  = "DomainRecordDuplicate"       // the record exists
	codeRecordGone = "DomainRecordNotBelongToUser" // the record does not exist, or no longer
	codeConflict   = "DomainRecordConflict"
	codeLocked     = "DomainRecordLocked"
	codeForbidden  = "DomainForbidden"
	codeQuota      = "QuotaExceeded.Record"
	codeBlackHole  = "RecordForbidden.BlackHole"
	codeNotOurs    = "IncorrectDomainUser"
	codeNoZone     = "InvalidDomainName.NoExist"
)

// remedies tell, for each code that only somebody else can do something about, what is wrong and what to do.
var remedies = map[string]string{
	codeConflict: "another record at the same name excludes it, such as a CNAME: delete that record, or validate " +
		"by another way",
	codeLocked: "the record is locked: unlock it in Alibaba Cloud DNS",
	codeForbidden: "the domain is barred in Alibaba Cloud DNS: clear that up with Alibaba Cloud, or host the " +
		"zone elsewhere",
	codeQuota: "the name has as many records of this type as are allowed: delete those that are no longer needed",
	codeBlackHole: "the domain is in a black hole because of an attack: wait until Alibaba Cloud lifts it, or " +
		"move the zone",
	codeNotOurs: "the zone is not in the account of the solver's credentials: add it there, or use credentials of " +
		"the account that holds it",
	codeNoZone: "the zone is not in the account of the solver's credentials: add it there, or use credentials of " +
		"the account that holds it",
}

// Makes a Problem of an error that a person has to solve. Wraps any other error in a ZoneError, to be judged by its
// kind.
func explain(err error, rec dcv.Record) error {
	if err == nil {
		return nil
	}
	if remedy, ok := remedies[rpc.CodeOf(err)]; ok {
		return &dcv.Problem{Message: fmt.Sprintf("the %s record %q in zone %q: %s", rec.Type, rec.FQDN, rec.Zone,
			remedy)}
	}
	return &dcv.ZoneError{Zone: rec.Zone, What: fmt.Sprintf("the %s record %q in zone %q", rec.Type, rec.FQDN,
		rec.Zone), Err: err}
}

// isZoneGone says that the account does not hold the zone any more, and so no record of ours either.
func isZoneGone(err error) bool {
	code := rpc.CodeOf(err)
	return code == codeNotOurs || code == codeNoZone
}

func noZone(name string) error {
	return &dcv.Problem{Message: fmt.Sprintf("the Alibaba Cloud DNS account of the solver's credentials has no zone "+
		"that holds %q: add the zone there, use credentials of the account that holds it, or choose another solver "+
		"for this name",
		name)}
}

func aliasInTheWay(rec dcv.Record, alias *sdk.Record) error {
	target := dcv.CanonicalName(alias.Value)
	if rec.Type == "CNAME" { // CNAMEs are not followed for one
		return &dcv.Problem{Message: fmt.Sprintf("the CNAME record %q cannot be added to zone %q, because a CNAME "+
			"to %q is at the same name: delete that one",
			rec.FQDN, rec.Zone, target)}
	}
	return &dcv.Problem{Message: fmt.Sprintf("the %s record %q cannot be added to zone %q, because a CNAME to %q is "+
		"at the same name: "+
		"delete the CNAME, or let cnameStrategy: Follow publish the validation record where it leads", rec.Type,
		rec.FQDN, rec.Zone, target)}
}

// Returns the error for a success without the list that was asked for. The service writes an empty list as []: without
// any list, what is looked for may be there.
func withoutList(action, requestID, list string) error {
	return &rpc.Error{
		Action: action, Kind: rpc.KindUndecodable, HTTPStatus: http.StatusOK, RequestID: requestID, Sent: true,
		Message: "success without the list of " + list + ": not an answer of the service",
	}
}
