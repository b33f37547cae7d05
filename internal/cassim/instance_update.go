// Copyright the aliyun-issuer authors.
// SPDX-License-Identifier: Apache-2.0

package cassim

import (
	"maps"
	"slices"
	"strconv"
	"strings"
)

// updateInstance is UpdateInstance: it writes what is given, and leaves the rest. All refusals come before the first
// change.
func (s *Server) updateInstance(c *call) (reply, *refusal) {
	i, refused := s.findInstance(c, "InstanceId")
	if refused != nil {
		return nil, refused
	}
	if refused = s.checkUpdatable(i); refused != nil {
		return nil, refused
	}
	written, refused := s.writeForm(i, c)
	if refused != nil {
		return nil, refused
	}
	isOfOther := i.form.csrBy != "" && i.form.csrBy != c.key.principal()
	if isOfOther && written.csr != i.form.csr && !i.isApplied() {
		i.overwritten++
	}
	i.form = written
	if name := c.arg("CertificateName"); name != "" {
		i.Name = name
	}
	if group := c.arg("ResourceGroupId"); group != "" {
		i.ResourceGroup = group
	}
	s.submitByItself(i)
	return reply{}, nil
}

// isApplied tells whether what is written has been applied for.
func (i *subscription) isApplied() bool {
	return slices.ContainsFunc(i.applications, func(a *application) bool {
		return a.csr == i.form.csr || i.form.isOnline && a.isOnline
	})
}

func (s *Server) checkUpdatable(i *subscription) *refusal {
	status := s.status(i)
	isSettled := status == InstanceNormal || status == InstanceWillExpire
	isProtected := isSettled && s.knobs.UpdateOnNormal == UpdateProtected
	isNew := s.now().Before(i.boughtAt.Add(duration(s.knobs.UpdateTooEarly)))
	if isNew || isProtected || status == InstancePending || i.open() != nil || isDead(status) {
		return badRequest("InvalidStatus.UpdateProtection", "The instance cannot be updated in its status. Try "+
			"again later.")
	}
	return nil
}

// writeForm is the form of the instance after the update.
func (s *Server) writeForm(i *subscription, c *call) (form, *refusal) {
	written := i.form
	written.tags, written.place = maps.Clone(i.form.tags), maps.Clone(i.form.place)
	written.contacts = slices.Clone(i.form.contacts)
	type part = func(*subscription, *call, *form) *refusal
	for _, write := range []part{s.writeChoices, s.writePeople, s.writeCSR, s.writeNames} {
		if refused := write(i, c, &written); refused != nil {
			return form{}, refused
		}
	}
	return written, nil
}

// writeChoices is what has words of its own.
func (s *Server) writeChoices(_ *subscription, c *call, f *form) *refusal {
	for param, choice := range map[string]struct {
		into  *string
		words []string
	}{
		"KeyAlgorithm":     {&f.keyAlgorithm, []string{"RSA_2048", "RSA_3072", "RSA_4096", "ECC_256", "SM2"}},
		"ValidationMethod": {&f.validation, []string{validateDNS, validateHTTP}},
		"AutoReissue":      {&f.autoReissue, []string{enabled, disabled}},
	} {
		word := c.arg(param)
		if word == "" {
			continue
		}
		if !slices.Contains(choice.words, word) {
			return invalidParameter(param)
		}
		*choice.into = word
	}
	for _, param := range []string{"Province", "City", "CountryCode"} {
		if word := c.arg(param); word != "" {
			f.place[param] = word
		}
	}
	return nil
}

// writePeople is contacts, the company and tags. A list that is given replaces the old one.
func (s *Server) writePeople(i *subscription, c *call, f *form) *refusal {
	if company := c.arg("CompanyId"); company != "" {
		id, err := strconv.ParseInt(company, 10, 64)
		if err != nil {
			return invalidParameter("CompanyId")
		}
		f.company = id
	}
	var contacts []int64
	for n := 1; c.arg("ContactIdList."+strconv.Itoa(n)) != ""; n++ {
		id, err := strconv.ParseInt(c.arg("ContactIdList."+strconv.Itoa(n)), 10, 64)
		if err != nil || !i.account.hasContact(id) {
			return invalidParameter("ContactIdList")
		}
		contacts = append(contacts, id)
	}
	if contacts != nil {
		slices.Sort(contacts) // their order is not kept
		f.contacts = contacts
	}
	return writeTags(c, f)
}

func writeTags(c *call, f *form) *refusal {
	tags := map[string]string{}
	for n := 1; c.arg("Tags."+strconv.Itoa(n)+".TagKey") != ""; n++ {
		key, value := c.arg("Tags."+strconv.Itoa(n)+".TagKey"), c.arg("Tags."+strconv.Itoa(n)+".TagValue")
		isOwn := strings.HasPrefix(key, "aliyun") || strings.HasPrefix(key, "acs:")
		hasURL := strings.Contains(key+" "+value, "http://") || strings.Contains(key+" "+value, "https://")
		if len(key) > 64 || len(value) > 128 || isOwn || hasURL {
			return invalidParameter("Tags")
		}
		tags[key] = value
	}
	if len(tags) > 0 {
		f.tags = tags
	}
	return nil
}

func invalidParameter(name string) *refusal {
	return badRequest("InvalidParameter."+name, "The specified parameter %s is not valid.", name)
}
