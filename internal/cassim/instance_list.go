// Copyright the aliyun-issuer authors.
// SPDX-License-Identifier: Apache-2.0

package cassim

import (
	"cmp"
	"math/rand/v2"
	"slices"
	"strings"
)

const (
	defaultInstancePage = 10
	maxInstancePage     = 100
)

// listInstances is ListInstances.
func (s *Server) listInstances(c *call) (reply, *refusal) {
	page, size, refused := instancePaging(c, defaultInstancePage)
	if refused != nil {
		return nil, refused
	}
	var found []*subscription
	for _, i := range s.instances.all {
		if i.account == c.account() && !i.vanished && s.isListed(i, c) {
			found = append(found, i)
		}
	}
	slices.Reverse(found) // the newest first
	if s.knobs.InstanceList == ListShuffled {
		rand.Shuffle(len(found), func(i, j int) { found[i], found[j] = found[j], found[i] })
	}
	items := []map[string]any{}
	for _, i := range pageOf(found, page, size) {
		items = append(items, s.instanceItem(i))
	}
	total := len(found)
	if s.knobs.InstanceList == ListDrifting {
		total += page - 1 // as when somebody buys while another lists
	}
	return reply{"CurrentPage": page, "ShowSize": size, "TotalCount": total, "InstanceList": items}, nil
}

// instancePaging knows the largest page, which is documented for V2.
func instancePaging(c *call, byDefault int) (page, size int, refused *refusal) {
	if page, refused = number(c, "CurrentPage", 1); refused != nil {
		return 0, 0, refused
	}
	if size, refused = number(c, "ShowSize", byDefault); refused != nil {
		return 0, 0, refused
	}
	if size > maxInstancePage {
		return 0, 0, invalidParameter("ShowSize")
	}
	return page, size, nil
}

func (s *Server) isListed(i *subscription, c *call) bool {
	item := s.instanceItem(i)
	for param, value := range map[string]any{
		"Status": item["Status"], "CertificateStatus": item["CertificateStatus"], "InstanceType": i.Type,
		"Brand":           i.Brand,
		"CertificateType": i.CertificateType, "ResourceGroupId": i.ResourceGroup,
	} {
		if wanted := c.arg(param); wanted != "" && wanted != value {
			return false
		}
	}
	keyword := strings.ToLower(c.arg("Keyword"))
	searched := []string{strings.Join(i.form.names, ","), strings.ToLower(i.Name), i.id}
	return slices.ContainsFunc(searched, func(text string) bool {
		return strings.Contains(text, keyword)
	})
}

// instanceItem is an instance in a listing, whose status may lag (knob instanceList).
func (s *Server) instanceItem(i *subscription) map[string]any {
	item := s.summary(i)
	if s.knobs.InstanceList == ListLagging {
		item["Status"] = i.statusAt(s.now().Add(-listLag))
	}
	if a := s.shown(i); a != nil {
		item["CertificateDomain"] = strings.Join(a.cert.names, ",")
	}
	item["UsingProductList"] = []string{}
	return item
}

// instanceSummary is GetInstanceSummary.
func (s *Server) instanceSummary(c *call) (reply, *refusal) {
	told := map[string]int{
		"TotalCount": 0, "InactiveCount": 0, "WillExpireCount": 0, "CertificateCount": 0, "AutoReissueCount": 0,
	}
	for _, i := range s.instances.all {
		if i.account != c.account() || i.vanished || cmp.Or(c.arg("InstanceType"), i.Type) != i.Type {
			continue
		}
		told["TotalCount"]++
		switch s.status(i) {
		case InstanceInactive:
			told["InactiveCount"]++
			told["CertificateCount"]++
		case InstanceWillExpire:
			told["WillExpireCount"]++
		}
	}
	summary := reply{}
	for name, count := range told {
		summary[name] = count
	}
	return summary, nil
}

// listContacts is ListContact. Email and mobile are masked.
func (s *Server) listContacts(c *call) (reply, *refusal) {
	page, size, refused := instancePaging(c, 20)
	if refused != nil {
		return nil, refused
	}
	items := []map[string]any{}
	for _, contact := range pageOf(c.account().contacts, page, size) {
		if strings.Contains(contact.name, c.arg("Keyword")) {
			items = append(items, map[string]any{
				"ContactId": contact.id, "Name": contact.name, "Email": mask(contact.email),
				"Mobile":      mask(contact.mobile),
				"EmailStatus": 1, "MobileStatus": 1, "WebhookList": "", "Webhooks": []string{},
			})
		}
	}
	total := len(c.account().contacts)
	return reply{"CurrentPage": page, "ShowSize": size, "TotalCount": total, "ContactList": items}, nil
}

func mask(text string) string {
	if len(text) < 5 {
		return "***"
	}
	return text[:2] + "***" + text[len(text)-2:]
}
