// Copyright the aliyun-issuer authors.
// SPDX-License-Identifier: Apache-2.0

package model

import (
	"slices"

	"github.com/aliyun-issuer/aliyun-issuer/internal/cassim"
)

// deed is something that a person does in the console to an instance.
type deed struct {
	what string
	do   func(*cassim.Server, string)
	// isRival says that others lose by it who are between a look at the instance and the call that follows.
	isRival bool
}

// deeds are all of them, the likelier ones more than once.
func deeds(name string) []deed {
	write := deed{"writes on", func(s *cassim.Server, id string) { s.WriteInConsole(id, name) }, true}
	apply := deed{"applies with", (*cassim.Server).ApplyInConsole, true}
	end := deed{"cancels what is under way with", (*cassim.Server).CancelInConsole, true}
	writeAndApply := deed{"writes on, and applies with", func(s *cassim.Server, id string) {
		s.WriteInConsole(id, name)
		s.ApplyInConsole(id)
	}, true}
	return []deed{
		write, write, write, apply, apply, end, end, writeAndApply,
		{"switches hosting on for", func(s *cassim.Server, id string) { s.SetHosting(id, true) }, false},
		{"has CAS replace the certificate of", (*cassim.Server).HostInstance, true},
		{"replaces the tags of", func(s *cassim.Server, id string) {
			s.TagInConsole(id, map[string]string{"team": "web"})
		}, false},
		{"pays for other numbers of names of", func(s *cassim.Server, id string) { s.UpgradeInstance(id, 3, 0) }, false},
	}
}

// others do something in the console to some instance, if that is possible.
func (s *instances) others(w *world) {
	name := pick(w.rng, "console.example.com", "www.example.com", "api.example.com")
	d, n := pick(w.rng, deeds(name)...), w.rng.IntN(1<<20)
	all := slices.DeleteFunc(w.Simulator.Instances(), func(i cassim.InstanceView) bool {
		return s.hasEnded[i.InstanceID] || i.Vanished
	})
	isBlind := w.isAmid && slices.Contains(blind, w.heldAt)
	if len(all) == 0 || d.isRival && (isBlind || w.isExclusive) {
		return
	}
	id := all[n%len(all)].InstanceID
	w.note("somebody %s %s, in the name of %s", d.what, id, name)
	w.hasOthers = w.hasOthers || d.isRival
	w.try(func() { d.do(w.Simulator, id) })
}

// try does what the simulator may refuse to people, too.
func (w *world) try(do func()) {
	defer func() {
		if refused := recover(); refused != nil {
			w.note("   which cannot be: %v", refused)
		}
	}()
	do()
}
