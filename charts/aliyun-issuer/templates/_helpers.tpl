{{- define "aliyun-issuer.fullname" -}}
{{- $name := default .Chart.Name .Values.nameOverride -}}
{{- if .Values.fullnameOverride -}}
{{- .Values.fullnameOverride | trunc 63 | trimSuffix "-" -}}
{{- else if contains $name .Release.Name -}}
{{- .Release.Name | trunc 63 | trimSuffix "-" -}}
{{- else -}}
{{- printf "%s-%s" .Release.Name $name | trunc 63 | trimSuffix "-" -}}
{{- end -}}
{{- end }}

{{- /*
Names of what has no namespace. With listed namespaces several releases stand side by side, perhaps under one name in
different namespaces; no namespace has a dot in its name, so theirs never meet.
*/ -}}
{{- define "aliyun-issuer.clusterName" -}}
{{- if .Values.namespaces }}{{ .Release.Namespace }}.{{ end }}{{ include "aliyun-issuer.fullname" . -}}
{{- end }}

{{- define "aliyun-issuer.serviceAccountName" -}}
{{- default (include "aliyun-issuer.fullname" .) .Values.serviceAccount.name -}}
{{- end }}

{{- define "aliyun-issuer.selectorLabels" -}}
app.kubernetes.io/name: {{ default .Chart.Name .Values.nameOverride | trunc 63 | trimSuffix "-" }}
app.kubernetes.io/instance: {{ .Release.Name }}
{{- end }}

{{- define "aliyun-issuer.labels" -}}
{{ include "aliyun-issuer.selectorLabels" . }}
app.kubernetes.io/version: {{ .Chart.AppVersion | quote }}
app.kubernetes.io/managed-by: {{ .Release.Service }}
helm.sh/chart: {{ printf "%s-%s" .Chart.Name .Chart.Version | replace "+" "_" | trunc 63 | trimSuffix "-" }}
{{- end }}

{{- define "aliyun-issuer.image" -}}
{{- with .Values.image -}}
{{- if .digest -}}
{{ .repository }}@{{ .digest }}
{{- else -}}
{{ .repository }}:{{ default $.Chart.AppVersion .tag }}
{{- end -}}
{{- end -}}
{{- end }}

{{- /* Not empty if validation files are served. */ -}}
{{- define "aliyun-issuer.servesFiles" -}}
{{- if or .Values.solvers.ingress .Values.solvers.gatewayHTTPRoute -}}true{{- end -}}
{{- end }}

{{- define "aliyun-issuer.webhookSolvers" -}}
{{- $allowed := list -}}
{{- range $webhook := .Values.webhookSolvers -}}
{{- range .solverNames -}}
{{- $allowed = append $allowed (printf "%s/%s" $webhook.groupName .) -}}
{{- end -}}
{{- end -}}
{{- join "," $allowed -}}
{{- end }}

{{- define "aliyun-issuer.routeDomains" -}}
{{- $allowed := list -}}
{{- range $tenant := .Values.issuerRoutes.domains -}}
{{- range .domains -}}
{{- $allowed = append $allowed (printf "%s/%s" $tenant.namespace .) -}}
{{- end -}}
{{- end -}}
{{- join "," $allowed -}}
{{- end }}

{{- define "aliyun-issuer.subject" -}}
- kind: ServiceAccount
  name: {{ include "aliyun-issuer.serviceAccountName" . }}
  namespace: {{ .Release.Namespace }}
{{- end }}

{{- define "aliyun-issuer.clusterResourceNamespace" -}}
{{- default .Release.Namespace .Values.clusterResourceNamespace -}}
{{- end }}

{{- /* What solvers need where the order is. */ -}}
{{- define "aliyun-issuer.solverRules" -}}
{{- if .Values.solvers.dnsEndpoint }}
- apiGroups: [externaldns.k8s.io]
  resources: [dnsendpoints]
  verbs: [get, list, create, patch, delete]
{{- end }}
{{- range .Values.webhookSolvers }}
- apiGroups: [{{ .groupName | quote }}]
  resources: {{ toJson .solverNames }}
  verbs: [create]
{{- end }}
{{- end }}

{{- /* Where Secrets may be read, one by one; none if everywhere. */ -}}
{{- define "aliyun-issuer.secretNamespaces" -}}
{{- $in := .Values.secretAccess.namespaces -}}
{{- if .Values.namespaces -}}
{{- $in = default .Values.namespaces $in -}}
{{- else if $in -}}
{{- $in = append $in (include "aliyun-issuer.clusterResourceNamespace" .) | uniq -}}
{{- end -}}
{{- toJson $in -}}
{{- end }}

{{- /* A name that the user sets, too, is left to the user: the API server refuses a name that is there twice. */ -}}
{{- define "aliyun-issuer.env" -}}
{{- $env := list -}}
{{- with .Values.proxy -}}
{{- if .https -}}{{- $env = append $env (dict "name" "HTTPS_PROXY" "value" .https) -}}{{- end -}}
{{- if .http -}}{{- $env = append $env (dict "name" "HTTP_PROXY" "value" .http) -}}{{- end -}}
{{- if or .https .http .noProxy -}}
{{- /* No proxy reaches the metadata of this node, and the API server is near. The kubelet puts its address in. */ -}}
{{- $direct := list "100.100.100.200" "$(KUBERNETES_SERVICE_HOST)" -}}
{{- if .noProxy -}}{{- $direct = append $direct .noProxy -}}{{- end -}}
{{- $env = append $env (dict "name" "NO_PROXY" "value" (join "," $direct)) -}}
{{- end -}}
{{- end -}}
{{- if .Values.oidcToken.enabled -}}
{{- $env = append $env (dict "name" "ALIBABA_CLOUD_OIDC_TOKEN_FILE" "value" "/var/run/secrets/certmanager.aliyun.com/oidc/token") -}}
{{- end -}}
{{- $set := list -}}
{{- range .Values.env -}}{{- $set = append $set .name -}}{{- end -}}
{{- $all := list -}}
{{- range $env -}}{{- if not (has .name $set) -}}{{- $all = append $all . -}}{{- end -}}{{- end -}}
{{- with concat $all .Values.env -}}
{{- toYaml . -}}
{{- end -}}
{{- end }}
