{{- define "tidegate.name" -}}
{{- .Release.Name | trunc 50 | trimSuffix "-" -}}
{{- end -}}

{{- define "tidegate.serviceAccount" -}}
{{- .Values.serviceAccount.name | default (include "tidegate.name" .) -}}
{{- end -}}

{{- define "tidegate.controllerUser" -}}
{{- .Values.admission.controllerUser | default (printf "system:serviceaccount:%s:%s" .Release.Namespace (include "tidegate.serviceAccount" .)) -}}
{{- end -}}

{{- /* "true" where the controllers serve the admission webhook. */ -}}
{{- define "tidegate.webhook" -}}
{{- if and .Values.admission.enabled (eq .Values.admission.mechanism "Webhook") -}}true{{- end -}}
{{- end -}}

{{- define "tidegate.selector" -}}
app.kubernetes.io/name: tidegate
app.kubernetes.io/instance: {{ .Release.Name }}
{{- end -}}

{{- define "tidegate.labels" -}}
{{ include "tidegate.selector" . }}
app.kubernetes.io/version: {{ .Chart.AppVersion | quote }}
app.kubernetes.io/managed-by: {{ .Release.Service }}
helm.sh/chart: {{ .Chart.Name }}-{{ .Chart.Version }}
{{- end -}}

{{- /* The roles of the policy, as JSON; a test keeps them those of the program. */ -}}
{{- define "tidegate.roles" -}}
["service-owner", "senior-engineer", "sre", "vp-engineering", "code-owner", "release-captain", "on-call", "product-manager", "development-manager", "engineering-manager", "security", "privacy"]
{{- end -}}
