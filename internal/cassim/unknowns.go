// Copyright the aliyun-issuer authors.
// SPDX-License-Identifier: Apache-2.0

package cassim

import "slices"

// Unknown is something that nobody knows.
type Unknown struct {
	// Item is its wording in docs/design/cas.md §12, or empty for a knob that stands for a conflict or a doubt in
	// another section.
	Item string
	// Instances tells that the unknown is about instances: the life of an order from a resource plan does not meet it.
	Instances bool
	// Knob is the name of the knob that decides it. It is empty if the simulator cannot behave in more than one way;
	// then Reason says why.
	Knob string
	// Values are those of the knob. The first is the default.
	Values []string
	Reason string
}

// Unknowns returns an entry for each knob about an item of docs/design/cas.md §12, and for each item without a knob. An
// item with two questions has two entries.
func (s *Server) Unknowns() []Unknown {
	return slices.DeleteFunc(AllKnobs(), func(u Unknown) bool { return u.Item == "" })
}

// AllKnobs returns every knob with its values.
func AllKnobs() []Unknown {
	var all []Unknown
	for _, k := range orderKnobs {
		all = append(all, Unknown{Item: k.item, Knob: k.name, Values: slices.Clone(k.values)})
	}
	for _, k := range instanceKnobs {
		all = append(all, Unknown{Item: k.item, Instances: true, Knob: k.name, Values: slices.Clone(k.values)})
	}
	return all
}
