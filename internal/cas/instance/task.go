// Copyright the aliyun-issuer authors.
// SPDX-License-Identifier: Apache-2.0

package instance

import (
	"context"

	"github.com/aliyun-issuer/aliyun-issuer/internal/rpc"
)

// TaskStatus is what became of a submission. Values that are not among the constants are passed on as they are, and
// mean nothing.
type TaskStatus string

const (
	// TaskProcessing: CAS has not submitted it yet.
	TaskProcessing TaskStatus = "processing"
	// TaskSuccess: CAS has submitted it. That does not mean that a certificate was, or will be, issued.
	TaskSuccess TaskStatus = "success"
	// TaskFailed: CAS has not submitted it, or it was refused. Task.Message says why.
	TaskFailed TaskStatus = "failed"
)

// otherWords are the words for the same that one unverified source gives (docs/design/cas.md §4.2). Both vocabularies
// are understood.
var otherWords = map[string]TaskStatus{
	"COMPLETED": TaskSuccess,
	"PENDING":   TaskProcessing,
	"FAILED":    TaskFailed,
}

// Task is the last submission on an instance.
type Task struct {
	Status TaskStatus
	// Message is at most 256 characters for people, without secrets. Nothing may branch on it.
	Message string
	// RequestID is the service's name for this call.
	RequestID string
}

type taskReply struct {
	reply
	TaskStatus, TaskMessage string
}

// Task returns the last submission on an instance. The id of a task is that of its instance. If nothing was submitted
// yet, that may be an error for which cas.IsNotFound holds, or a task without a status.
func (c *Client) Task(ctx context.Context, id ID) (Task, error) {
	req := newRequest("GetTaskAttribute")
	if _, ok := ParseID(string(id)); !ok {
		return Task{}, invalid(req.GetActionName(), notAnID)
	}
	req.set("TaskId", string(id))
	req.set("TaskType", "ApplyCertificate")
	resp := &taskReply{reply: newReply()}
	if err := c.caller.Do(ctx, req, resp); err != nil {
		return Task{}, err
	}
	status, ok := otherWords[resp.TaskStatus]
	if !ok {
		status = TaskStatus(resp.TaskStatus)
	}
	return Task{Status: status, Message: rpc.Scrub(resp.TaskMessage), RequestID: resp.RequestID}, nil
}
