// Copyright the aliyun-issuer authors.
// SPDX-License-Identifier: Apache-2.0

package v1alpha1

// Credentials say who calls the API. At most one member is set beside assumeRole; none is the same as ambient.
//
// +kubebuilder:validation:XValidation:rule="[has(self.accessKeySecretRef), has(self.oidc), has(self.ecsRAMRole), has(self.ambient)].filter(x, x).size() <= 1",message="at most one kind of credentials is possible: accessKeySecretRef, oidc, ecsRAMRole or ambient (assumeRole may stand beside it)"
type Credentials struct {
	// accessKeySecretRef names a Secret with an AccessKey of a RAM user. An AliyunIssuer reads it from its own
	// namespace, an AliyunClusterIssuer from the cluster resource namespace.
	// +optional
	AccessKeySecretRef *AccessKeySecretRef `json:"accessKeySecretRef,omitempty"`

	// oidc exchanges a token of a Kubernetes ServiceAccount for a session of a RAM role (RRSA).
	// +optional
	OIDC *OIDCCredentials `json:"oidc,omitempty"`

	// ecsRAMRole uses the RAM role of the ECS instance that the controller runs on. It is the controller's own
	// identity, as ambient is.
	// +optional
	ECSRAMRole *ECSRAMRoleCredentials `json:"ecsRAMRole,omitempty"`

	// ambient uses what the controller finds around it, in this order: an AccessKey in the variables ALIBABA_CLOUD_* of
	// its environment, a token in its Pod with the role that those name (exchanged at the public endpoint of STS,
	// whatever stsEndpoint says), profile files, the RAM role of its ECS instance, the URI that they name. Only an
	// AliyunClusterIssuer may use it, unless the installation says otherwise (chart value ambientCredentials).
	// +optional
	Ambient *AmbientCredentials `json:"ambient,omitempty"`

	// assumeRole assumes a RAM role on top of these credentials, for instance one in another account.
	// +optional
	AssumeRole *AssumeRole `json:"assumeRole,omitempty"`
}

// AccessKeySecretRef names a Secret of the type Opaque, and the keys in it. A changed Secret is used by the next call.
type AccessKeySecretRef struct {
	SecretReference `json:",inline"`

	// accessKeyIDKey is the Secret's key that holds the AccessKey ID.
	// +kubebuilder:default=accessKeyID
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=253
	// +kubebuilder:validation:Pattern=`^[-._a-zA-Z0-9]+$`
	// +optional
	AccessKeyIDKey string `json:"accessKeyIDKey,omitempty"`

	// accessKeySecretKey is the Secret's key that holds the AccessKey Secret.
	// +kubebuilder:default=accessKeySecret
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=253
	// +kubebuilder:validation:Pattern=`^[-._a-zA-Z0-9]+$`
	// +optional
	AccessKeySecretKey string `json:"accessKeySecretKey,omitempty"`

	// securityTokenKey is the Secret's key that holds an STS token, for temporary credentials that something else
	// renews in the Secret. Empty: the AccessKey is a permanent one.
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=253
	// +kubebuilder:validation:Pattern=`^[-._a-zA-Z0-9]+$`
	// +optional
	SecurityTokenKey string `json:"securityTokenKey,omitempty"`
}

// SecretReference names a Secret in the namespace that the issuer reads Secrets from.
type SecretReference struct {
	// name of the Secret.
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=253
	// +kubebuilder:validation:Pattern=`^[a-z0-9]([-a-z0-9.]*[a-z0-9])?$`
	// +required
	Name string `json:"name"`
}

// OIDCCredentials exchange a token of a ServiceAccount at STS (AssumeRoleWithOIDC).
type OIDCCredentials struct {
	// roleARN is the RAM role: acs:ram::<account>:role/<name>. Its trust policy must name the provider and, as
	// oidc:sub, the ServiceAccount: system:serviceaccount:<namespace>:<name>.
	// +kubebuilder:validation:MaxLength=256
	// +kubebuilder:validation:Pattern=`^acs:ram::[0-9]+:role/[A-Za-z0-9._/-]+$`
	// +required
	RoleARN string `json:"roleARN"`

	// providerARN is the OIDC provider that the account has registered for this cluster:
	// acs:ram::<account>:oidc-provider/<name>.
	// +kubebuilder:validation:MaxLength=256
	// +kubebuilder:validation:Pattern=`^acs:ram::[0-9]+:oidc-provider/[A-Za-z0-9._/-]+$`
	// +required
	ProviderARN string `json:"providerARN"`

	// serviceAccountRef names the ServiceAccount that a token is requested for, so that each team has a role of its
	// own. Empty: the controller's own token, which is projected into its Pod. That is the controller's own identity,
	// which only an AliyunClusterIssuer may use, unless the installation says otherwise.
	// +optional
	ServiceAccountRef *ServiceAccountReference `json:"serviceAccountRef,omitempty"`

	Session `json:",inline"`
}

// ServiceAccountReference names a ServiceAccount in the namespace that the issuer reads Secrets from. The controller
// must be allowed to create tokens for it, and it alone, by a Role in that namespace: the condition CredentialsValid
// prints it where it is missing.
type ServiceAccountReference struct {
	// name of the ServiceAccount.
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=253
	// +kubebuilder:validation:Pattern=`^[a-z0-9]([-a-z0-9.]*[a-z0-9])?$`
	// +required
	Name string `json:"name"`

	// audience of the token: one of the client ids of the OIDC provider.
	// +kubebuilder:default="sts.aliyuncs.com"
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=253
	// +optional
	Audience string `json:"audience,omitempty"`
}

// ECSRAMRoleCredentials come from the metadata server of the ECS instance.
type ECSRAMRoleCredentials struct {
	// roleName is the role of the instance. Empty: the metadata server is asked for it.
	// +kubebuilder:validation:MaxLength=64
	// +kubebuilder:validation:Pattern=`^[A-Za-z0-9._-]*$`
	// +optional
	RoleName string `json:"roleName,omitempty"`

	// metadata says how the metadata server is asked. PreferV2 asks without a token where it gives none, as behind a
	// hop limit that is too low for Pods. RequireV2 does not. Empty: PreferV2.
	// +optional
	Metadata MetadataVersion `json:"metadata,omitempty"`
}

// MetadataVersion says how the metadata server is asked.
//
// +kubebuilder:validation:Enum=PreferV2;RequireV2
type MetadataVersion string

// The ways to ask the metadata server.
const (
	MetadataPreferV2  MetadataVersion = "PreferV2"
	MetadataRequireV2 MetadataVersion = "RequireV2"
)

// AmbientCredentials have no settings.
type AmbientCredentials struct{}

// AssumeRole assumes a RAM role (AssumeRole of STS).
type AssumeRole struct {
	// roleARN is the RAM role: acs:ram::<account>:role/<name>. Its trust policy must name who assumes it, who in turn
	// needs the permission sts:AssumeRole.
	// +kubebuilder:validation:MaxLength=256
	// +kubebuilder:validation:Pattern=`^acs:ram::[0-9]+:role/[A-Za-z0-9._/-]+$`
	// +required
	RoleARN string `json:"roleARN"`

	// externalID is what the trust policy of a role in another account asks for, if it does.
	// +kubebuilder:validation:MinLength=2
	// +kubebuilder:validation:MaxLength=1224
	// +kubebuilder:validation:Pattern=`^[A-Za-z0-9_=,.@:/-]+$`
	// +optional
	ExternalID string `json:"externalID,omitempty"`

	Session `json:",inline"`
}

// Session is how a role is assumed.
type Session struct {
	// sessionName is what the audit log of the account (ActionTrail) calls the session. Empty: aliyun-issuer.
	// +kubebuilder:validation:MinLength=2
	// +kubebuilder:validation:MaxLength=64
	// +kubebuilder:validation:Pattern=`^[A-Za-z0-9.@_-]+$`
	// +optional
	SessionName string `json:"sessionName,omitempty"`

	// durationSeconds is how long a session lasts before it is renewed, which is done ahead of its end. A role has a
	// maximum of its own, one hour by default. Empty: 3600.
	// +kubebuilder:validation:Minimum=900
	// +kubebuilder:validation:Maximum=43200
	// +optional
	DurationSeconds *int32 `json:"durationSeconds,omitempty"`
}
