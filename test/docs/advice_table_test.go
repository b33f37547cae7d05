// Copyright the aliyun-issuer authors.
// SPDX-License-Identifier: Apache-2.0

package docs

const (
	bySolver   = "test/life.TestWhoeverDoesWhatASolverSaysGetsTheCertificate"
	byRoutes   = "test/life.TestATenantHasOnlyRoutesMadeThatTheOperatorAllows"
	byLacking  = "test/certmanager.TestWhatAnInstallationLacksIsToldUntilItIsThere"
	byName     = "test/webhook.TestANameThatNoWebhookHasIsToldUntilItIsCorrected"
	byCapitals = "test/life.TestNamesInCapitalsAreServedWithAWarningThatHelps"
)

// followed are the tests that do what messages advise which are in no golden file, by a part of the message.
var followed = map[string]string{
	// What is wrong with a request, and with how often it comes.
	"write %s in lower case in the Certificate":        byCapitals,
	"Write them in lower case in the Certificate":      byCapitals,
	"CAS order %s had the same key before":             "test/certmanager.TestAKeyThatIsKeptIsToldAndRotated",
	"Make the signing request anew with another key":   "test/life.TestASigningRequestIsNotOrderedTwice",
	"Give each of them a spec.secretName":              "test/life.TestALoopEndsOnceItsCauseIsMended",
	"makes its renewal due within a day":               "test/life.TestALoopThatGoesOnIsGivenLessAndItsCauseIsNamed",
	"no AliyunClusterIssuer: name an AliyunIssuer":     "test/certmanager.TestAnInstallationForListedNamespacesServesThemAndNoOthers",
	"let one installation serve it":                    "test/certmanager.TestARequestSaysThatAnotherInstallationServesItsNamespace",
	"no DNS solver of %s matches %q, and":              "test/life.TestAFileSolverIsNotGivenWhatOnlyDNSCanValidate",
	"no solver of %s matches %q: add":                  bySolver,
	"no %s solver of %s matches %q, only":              "test/life.TestNamesThatNoKindOfSolverServesWaitForOne",
	", and delete the CertificateRequest, for which":   "test/life.TestAHostThatIsNotAllowedIsOrderedWithAnotherSolver",
	"delete the CertificateRequest: the next one goes": bySolver,

	"no instance that spec.source.instance.selector":   "test/life.TestOnlyWhatIsSelectedIsAppliedWith",
	"no instance of the account is selected: correct":  "test/life.TestOnlyWhatIsSelectedIsAppliedWith",
	"the account has no instance %q: correct":          "test/life.TestAnInstanceThatTheAccountDoesNotHaveIsToldByItsID",
	"the instance %q has no contact, and CAS takes no": "test/life.TestAnInstanceWithoutAContactIsToldBeforeItIsTouched",
	"CAS refuses the signing request, which has no c":  "test/life.TestARequestWithoutACommonNameIsTriedWhereTheIssuerSaysSo",

	// What becomes of an order.
	"Set it to the id of the order at CAS":       "test/life.TestAWordThatCannotBeRightIsRefusedInWords",
	"Cancel and delete %s in the console of CAS": "test/life.TestTheAnswerOfCASEndsWhatWasWrittenMeanwhile",
	"Bring the CustomResourceDefinitions to":     "test/life.TestAStatusThatTheAPIServerRefusesStopsNothing",
	"has no certificate for the product code":    "test/life.TestWhatIsMendedHealsByItself",
	"could not be removed, remove it by hand":    "test/life.TestARecordThatIsLeftForGoodIsToldUntilAnotherIsRemoved",

	// What an issuer reaches with what.
	"the endpoint cannot be used: %v":                       bySolver,
	"is of the type %q, whose values are no AccessKeys":     bySolver,
	"has line breaks or control characters":                 bySolver,
	"STS cannot be called (%s)":                             bySolver,
	"with the audience of serviceAccountRef":                bySolver,
	"attach a RAM role to the ECS instance":                 "test/certmanager.TestTheControllerOrdersAsWhatSurroundsIt",
	"may not have a file for %q routed":                     byRoutes,
	"may not have files routed: use a DNS solver":           byRoutes,
	"may not put the label or annotation %q on a route":     byRoutes,
	"may not attach to a Gateway in the namespace":          byRoutes,
	"may attach to a Gateway only, and not to %q":           "test/life.TestAnHTTPRouteOfATenantAttachesToGatewaysOnly",
	"add both to the chart value webhookSolvers, which":     "test/webhook.TestWithoutTheChartsRuleTheMessageNamesIt",
	"has to add both to the chart value webhookSolvers":     "test/webhook.TestAWebhookThatIsNotAllowedIsRefusedBeforeAnythingIsOrdered",
	"was made by somebody else, and has the name of the on": bySolver,

	// What an installation has to have.
	"solvers.dnsEndpoint, which grants it":           byLacking,
	"solvers.ingress, which grants it":               byLacking,
	"solvers.gatewayHTTPRoute, which grants it":      byLacking,
	"install the CRD of ExternalDNS":                 byLacking,
	"install the Gateway API":                        byLacking,
	"-reads-secrets -n %s":                           byLacking,
	"the controller may not read the Secret %q":      byLacking,
	"install the webhook, whose APIService is":       byName,
	"has no solver of that name, correct solverName": byName,

	// What publishes a record or a file.
	"is pre-authorised: if it is not, use a solver":     bySolver,
	"does not take its domain for pre-authorised":       bySolver,
	"put a file with the content %q":                    "test/life.TestAFileByHandIsNoticed",
	"which is not a file below %s":                      bySolver,
	"publish that by hand":                              "test/life.TestNothingButAValidationRecordIsPublishedWhateverCASAsksFor",
	"where nobody looks for it: let the solver have":    "test/life.TestNothingIsOrderedWhoseRecordNobodyWouldSee",
	"ExternalDNS publishes only one of two: delete it":  "test/life.TestOfTwoDNSEndpointsForANameTheOtherIsLeftAndNamed",
	"another record at the same name excludes it":       bySolver,
	"as many records of this type as are allowed":       bySolver,
	"in a black hole because of an attack":              bySolver,
	"the zone is not in the account of the solver's":    bySolver,
	"the Alibaba Cloud DNS account of the solver's":     bySolver,
	"cannot be added to zone %q, because a CNAME to %q": bySolver,
	"has the right value and is disabled":               bySolver,
	"the CNAME at %q leads in a circle":                 bySolver,
	"leads to %q and on over more than %d CNAMEs":       bySolver,
	"where nobody can publish a record":                 bySolver,
	"the TSIG key %q is not in base64":                  bySolver,
	"it does not know the TSIG key":                     bySolver,
	"has another secret or algorithm there":             bySolver,
	"its clock and the controller's differ":             bySolver,
	"let the zone take updates there from":              bySolver,
	"the controller's address, or name a TSIG key":      bySolver,
	"it takes no dynamic updates":                       bySolver,
	"the name server %s has no zone that holds":         bySolver,
	"TXT records at %q are in the way of the CNAME":     bySolver,
	"and CAS asks for one that leads to %q: remove it":  bySolver,
	"is in the way of the TXT record: remove it":        bySolver,

	// What a domain has to be.
	"is not for public hosts":                       bySolver,
	"is no top-level domain of public DNS":          bySolver,
	"belongs to a registry: use a name below":       bySolver,
	"is delegated to %s, and none of them knows it": bySolver,
	"DNS names no name servers for the zone":        bySolver,
	"add 0 %s %q":                                   "test/life.TestNothingIsOrderedForADomainThatNoCAWouldIssueFor",
}

const (
	atAlibabaCloud = "nobody can ask Alibaba Cloud here"
	isForOperators = "it takes another start of the controller, or other flags than the chart's; nobody has " +
		"followed it from end to end"
	inTheLog      = "the log says what an event says, too, and what the event advises is followed"
	isNoAdvice    = "it tells what is, not what to do"
	isUnreachable = "no user can come to it: something else refuses that before"
)

// notFollowed are the messages whose advice no test follows, or that advise nothing, by a part of the message.
var notFollowed = map[string]string{
	"no intent to write was recorded":                 "no caller writes without one",
	"CAS never named its validation %s":               atAlibabaCloud,
	"Its validation %s could be %s: ask the support":  atAlibabaCloud,
	"the installation has no Service for validation":  isForOperators,
	"kubectl create role aliyun-issuer-secret-":       isForOperators,
	"give the controller an identity":                 isForOperators,
	"uses the controller's own identity may not name": isForOperators,
	"cert-manager's DNS webhooks publish TXT records": "the other solvers publish a CNAME record in tests " +
		"of their own",
	"this version knows no source of certificates in":    isUnreachable,
	"an order is paid for, and nobody knows it":          inTheLog,
	"an order could not be given back: if there is":      inTheLog,
	"Orders that the controller could not give back":     "it is the help of a metric",
	"check that the credentials are of the account":      isUnreachable,
	"CAS asks for a DNS record for %q though a file":     isUnreachable,
	"no CA takes a file for the wildcard":                isUnreachable,
	"CAS has no public endpoint for the region":          isUnreachable,
	"the record type %q cannot be checked":               isUnreachable,
	"ALIBABA_CLOUD_ACCESS_KEY_ID is not set":             isNoAdvice,
	"CAs add %q only to what was validated by DNS":       isNoAdvice,
	"and so the certificate spells %s in another way":    isNoAdvice,
	"may not remove its validation record from its zone": isNoAdvice,
	"it is ordered without a check of its domain":        isNoAdvice,
	"the check ended before it was asked":                isNoAdvice,
	"the controller may not use the kind %s":             isNoAdvice,
	"the credentials of another issuer are used":         isNoAdvice,
	"and nobody can create them there any more":          isNoAdvice,
	"whether CAA allows a certificate for %q":            isNoAdvice,
	"may not publish in its zone, and its own":           isNoAdvice,
}
