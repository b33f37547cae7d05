// Copyright the aliyun-issuer authors.
// SPDX-License-Identifier: Apache-2.0

package alidns

import (
	"fmt"

	sdk "github.com/aliyun/alibaba-cloud-sdk-go/services/alidns"

	"github.com/aliyun-issuer/aliyun-issuer/internal/dcv"
	"github.com/aliyun-issuer/aliyun-issuer/internal/rpc"
)

// Codes of Alibaba Cloud DNS; all come with HTTP 400 (CAS contract §5, Errors).
const (
	codeDuplicate  = "DomainRecordDuplicate"       // the record exists
	codeRecordGone = "DomainRecordNotBelongToUser" // it does not, or not any more
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
	codeConflict:  "another record at the same name excludes it, such as a CNAME: delete that record, or validate by another way",
	codeLocked:    "the record is locked: unlock it in Alibaba Cloud DNS",
	codeForbidden: "the domain is barred in Alibaba Cloud DNS: clear that up with Alibaba Cloud, or host the zone elsewhere",
	codeQuota:     "the name has as many records of this type as are allowed: delete those that are no longer needed",
	codeBlackHole: "the domain is in a black hole because of an attack: wait until Alibaba Cloud lifts it, or move the zone",
	codeNotOurs:   "the zone is not in the account of the solver's credentials: add it there, or use credentials of the account that holds it",
	codeNoZone:    "the zone is not in the account of the solver's credentials: add it there, or use credentials of the account that holds it",
}

// explain makes a Problem of what a person has to solve. Everything else stays what the call said, to be judged by its kind.
func explain(err error, rec dcv.Record) error {
	if err == nil {
		return nil
	}
	if remedy, ok := remedies[rpc.CodeOf(err)]; ok {
		return &dcv.Problem{Message: fmt.Sprintf("the %s record %q in zone %q: %s", rec.Type, rec.FQDN, rec.Zone, remedy)}
	}
	return fmt.Errorf("the %s record %q in zone %q: %w", rec.Type, rec.FQDN, rec.Zone, err)
}

// isZoneGone says that the account does not hold the zone any more, and so no record of ours either.
func isZoneGone(err error) bool {
	code := rpc.CodeOf(err)
	return code == codeNotOurs || code == codeNoZone
}

func noZone(name string) error {
	return &dcv.Problem{Message: fmt.Sprintf("the Alibaba Cloud DNS account of the solver's credentials has no zone that holds %q: "+
		"add the zone there, use credentials of the account that holds it, or choose another solver for this name", name)}
}

func aliasInTheWay(rec dcv.Record, alias *sdk.Record) error {
	return &dcv.Problem{Message: fmt.Sprintf("the %s record %q cannot be added to zone %q, because a CNAME to %q is at the same name: "+
		"delete the CNAME, or publish the validation record where it leads", rec.Type, rec.FQDN, rec.Zone, dcv.CanonicalName(alias.Value))}
}
