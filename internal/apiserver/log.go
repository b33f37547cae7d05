// Copyright the aliyun-issuer authors.
// SPDX-License-Identifier: Apache-2.0

package apiserver

import (
	"errors"

	"github.com/go-logr/logr"
	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
)

// Quiet returns a logger without client-go's errors about events in a namespace that is being deleted: it takes no
// events, and nobody could read them. At verbosity 1, such an error is logged as information. What people have to know
// then is told at the Namespace itself.
func Quiet(logger logr.Logger) logr.Logger { return logger.WithSink(quietSink{logger.GetSink()}) }

type quietSink struct{ logr.LogSink }

func (s quietSink) Error(err error, msg string, keysAndValues ...any) {
	switch {
	case !isOfLostEvent(err):
		s.LogSink.Error(err, msg, keysAndValues...)
	case s.Enabled(1):
		s.Info(1, msg, append(keysAndValues, "cause", err.Error())...)
	}
}

func (s quietSink) WithValues(keysAndValues ...any) logr.LogSink {
	return quietSink{s.LogSink.WithValues(keysAndValues...)}
}

func (s quietSink) WithName(name string) logr.LogSink { return quietSink{s.LogSink.WithName(name)} }

// Says whether the API server took no event because the namespace is being deleted, or is gone.
func isOfLostEvent(err error) bool {
	status, ok := errors.AsType[*apierrors.StatusError](err)
	if !ok || status.ErrStatus.Details == nil {
		return false
	}
	switch status.ErrStatus.Details.Kind {
	case "events":
		return apierrors.HasStatusCause(err, corev1.NamespaceTerminatingCause)
	case "namespaces":
		return apierrors.IsNotFound(err)
	default:
		return false
	}
}
