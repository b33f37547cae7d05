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
