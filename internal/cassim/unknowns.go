// Copyright the aliyun-issuer authors.
// SPDX-License-Identifier: Apache-2.0

package cassim

import "slices"

// Unknown is something that the contract does not know.
type Unknown struct {
	// Item is its wording in contract §10, or empty for a knob that stands for a conflict or a doubt elsewhere in the contract.
	Item string
	// Knob is the name of the knob that decides it. It is empty where the simulator cannot behave either way; then Reason says why.
	Knob string
	// Values are those of the knob. The first is the default.
	Values []string
	Reason string
}

// Unknowns returns an entry for each knob about an item of contract §10, and for each item that has none. An item that
// two questions are in has two.
func (s *Server) Unknowns() []Unknown {
	unknowns := slices.DeleteFunc(AllKnobs(), func(u Unknown) bool { return u.Item == "" })
	return append(unknowns, Unknown{
		Item:   "QPS of V2 verbs",
		Reason: "the V2 verbs are not simulated",
	})
}

// AllKnobs returns every knob with its values.
func AllKnobs() []Unknown {
	var all []Unknown
	for _, k := range knobs {
		all = append(all, Unknown{Item: k.item, Knob: k.name, Values: slices.Clone(k.values)})
	}
	return all
}
