// Copyright the aliyun-issuer authors.
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"strconv"
	"time"

	cmapi "github.com/cert-manager/cert-manager/pkg/apis/certmanager/v1"

	"github.com/aliyun-issuer/aliyun-issuer/api/v1alpha1"
	"github.com/aliyun-issuer/aliyun-issuer/internal/cassim"
)

// firstLife is how long the first certificate lives; one of CAS would take months until it is renewed. cert-manager
// renews when a third of a life is left, and that has to be enough for the renewal.
const firstLife = 90 * time.Second

// fitInstances buys two instances for two names: one is used, and the other could be.
func (d *demo) fitInstances(ctx context.Context, issuer *v1alpha1.AliyunIssuer, certificate *cmapi.Certificate) error {
	certificate.Spec.DNSNames = []string{"www.example.com", "example.com"}
	issuer.Spec.Source.Instance.Selector.Type = v1alpha1.InstanceBought
	issuer.Spec.Source.Instance.ContactIDs = []string{strconv.FormatInt(cassim.DefaultContact, 10)}
	wanted := cassim.NewInstance{Type: cassim.InstanceBought, Spec: "alibaba.dv.m",
		SingleNames: len(certificate.Spec.DNSNames)}
	for range 2 {
		answer, err := d.post(ctx, "/-/instances", wanted)
		if err != nil {
			return err
		}
		var bought struct{ ID string }
		if err := json.Unmarshal(answer, &bought); err != nil {
			return err
		}
		fmt.Printf("    bought the instance %s, for %d names\n", bought.ID, wanted.SingleNames)
		d.instances = append(d.instances, bought.ID)
	}
	fmt.Printf("    the first certificate will live for %s, so that it has to be renewed soon\n", firstLife)
	return d.lasts(ctx, firstLife)
}

// lasts sets how long certificates live that are issued from now on; 0 is as long as usual.
func (d *demo) lasts(ctx context.Context, life time.Duration) error {
	for _, id := range d.instances {
		_, err := d.post(ctx, "/-/instances/"+id+"/lasts", map[string]string{"lasts": life.String()})
		if err != nil {
			return err
		}
	}
	return nil
}

// renew only waits: it is cert-manager that renews, and the next certificate lives as long as usual.
func (d *demo) renew(ctx context.Context) error {
	if err := d.lasts(ctx, 0); err != nil {
		return err
	}
	return d.watch(ctx)
}

// billInstances shows what was applied for with each instance.
func (d *demo) billInstances(ctx context.Context) error {
	var bought []cassim.InstanceView
	if err := d.used(ctx, &bought); err != nil {
		return err
	}
	var used []string
	for _, i := range bought {
		fmt.Printf("    instance %s for %d names: %s, applied with %d times\n", i.InstanceID, i.SingleNames, i.Status,
			len(i.Applications))
		for _, a := range i.Applications {
			fmt.Printf("        %d. %s: certificate %s for %v\n", a.Number, a.State, a.CertificateID, a.Names)
			used = append(used, i.InstanceID)
		}
	}
	if len(used) != len(d.orders) || len(slices.Compact(slices.Clone(used))) != 1 {
		return fmt.Errorf("%d certificates for the same names were applied for with the instances %v, and not each "+
			"once with the same", len(d.orders), used)
	}
	if n := len(d.orders); n > 1 {
		before, after := d.orders[n-2].Status, d.orders[n-1].Status
		fmt.Printf("\n    before the renewal: instance %s, certificate %s\n", before.OrderID, before.CertificateID)
		fmt.Printf("    after the renewal:  instance %s, certificate %s\n", after.OrderID, after.CertificateID)
	}
	return nil
}
