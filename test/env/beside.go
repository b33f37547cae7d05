// Copyright the aliyun-issuer authors.
// SPDX-License-Identifier: Apache-2.0

package env

import (
	"github.com/aliyun-issuer/aliyun-issuer/internal/cassim"
	"github.com/aliyun-issuer/aliyun-issuer/test/gen"
)

// Beside makes an installation in another cluster, which has the same account and the same clock. Its reconcilers and
// those of e see nothing of each other but what is at Alibaba Cloud. It has a namespace and an AccessKey of its own,
// which has to be one of the account.
func (e *Env) Beside(cluster string, key cassim.Key) *Env {
	e.T.Helper()
	other := &Env{Clock: e.Clock, cluster: cluster,
		World: &World{T: e.T, Client: Client(e.T), Simulator: e.Simulator}}
	other.Namespace = Namespace(e.T, other.Client)
	other.Create(gen.Secret(other.Namespace, key.ID, key.Secret))
	other.open()
	e.beside[key.ID] = other
	return other
}

// callerOf is the installation that makes a call.
func (e *Env) callerOf(r cassim.Request) *Env {
	if other := e.beside[r.Params["AccessKeyId"]]; other != nil {
		return other
	}
	return e
}
