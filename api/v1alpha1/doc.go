// Copyright the aliyun-issuer authors.
// SPDX-License-Identifier: Apache-2.0

// Package v1alpha1 is the API of aliyun-issuer: AliyunIssuer and AliyunClusterIssuer, which people write, and
// AliyunOrder, which the controller writes and people read.
//
// +kubebuilder:object:generate=true
// +groupName=certmanager.aliyun.com
package v1alpha1
