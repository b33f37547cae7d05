// Copyright the aliyun-issuer authors.
// SPDX-License-Identifier: Apache-2.0

package webhook

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	whapi "github.com/cert-manager/cert-manager/pkg/acme/webhook/apis/acme/v1alpha1"
	"github.com/miekg/dns"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/util/uuid"
	"k8s.io/client-go/kubernetes/scheme"
	"k8s.io/client-go/rest"

	"github.com/aliyun-issuer/aliyun-issuer/internal/dcv"
)

const (
	// version is that of every webhook's API, whatever its group.
	version = "v1alpha1"
	// callTimeout bounds one call. A reconciler's worker waits for it; webhooks wait for their provider's API, some of
	// which are slow.
	callTimeout = 30 * time.Second
)

func newClient(config *rest.Config, group string) (rest.Interface, error) {
	config = rest.CopyConfig(config)
	config.APIPath = "/apis"
	config.GroupVersion = &schema.GroupVersion{Group: group, Version: version}
	// the webhooks' library has nothing else
	config.ContentType, config.AcceptContentTypes = runtime.ContentTypeJSON, runtime.ContentTypeJSON
	config.NegotiatedSerializer = scheme.Codecs.WithoutConversion()
	return rest.RESTClientFor(config)
}

// call asks the webhook to publish or to remove a record. Apart from the UID and the action, the payload is the same
// both times: a webhook may keep its accounts by any part of it.
func (s *Solver) call(ctx context.Context, action whapi.ChallengeAction, rec dcv.Record) error {
	payload := whapi.ChallengePayload{
		TypeMeta: metav1.TypeMeta{APIVersion: whapi.SchemeGroupVersion.String(), Kind: "ChallengePayload"},
		Request: &whapi.ChallengeRequest{
			UID:                     uuid.NewUUID(),
			Action:                  action,
			Type:                    "dns-01",
			DNSName:                 dcv.Validated(rec.FQDN),
			Key:                     rec.Value,
			ResourceNamespace:       s.config.ResourceNamespace,
			ResolvedFQDN:            dns.Fqdn(rec.FQDN),
			ResolvedZone:            dns.Fqdn(rec.Zone),
			AllowAmbientCredentials: s.config.AllowAmbientCredentials,
			Config:                  s.config.Config,
		},
	}
	body, err := json.Marshal(payload)
	if err != nil {
		// the encoder's own error might quote it
		return errors.New("the payload for the DNS webhook could not be encoded")
	}
	ctx, cancel := context.WithTimeout(ctx, callTimeout)
	defer cancel()
	post := s.client.Post().Resource(s.config.SolverName).SetHeader("Content-Type", runtime.ContentTypeJSON).Body(body)
	reply, err := post.MaxRetries(0).Do(ctx).Raw() // the controller tries again by itself, and no worker waits for that
	if err != nil {
		return s.explain(err)
	}
	var answered whapi.ChallengePayload
	if err := json.Unmarshal(reply, &answered); err != nil || answered.Response == nil {
		return fmt.Errorf("%s answered with something else than a response to a challenge", s.name())
	}
	if !answered.Response.Success {
		return s.refused(action, rec, answered.Response.Result)
	}
	return nil
}
