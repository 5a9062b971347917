{{- define "lenses-operator.name" -}}
{{- default .Chart.Name .Values.nameOverride | trunc 63 | trimSuffix "-" -}}
{{- end -}}

{{- define "lenses-operator.fullname" -}}
{{- if .Values.fullnameOverride -}}
{{- .Values.fullnameOverride | trunc 63 | trimSuffix "-" -}}
{{- else -}}
{{- $name := include "lenses-operator.name" . -}}
{{- $full := contains $name .Release.Name | ternary .Release.Name (printf "%s-%s" .Release.Name $name) -}}
{{- $full | trunc 63 | trimSuffix "-" -}}
{{- end -}}
{{- end -}}

{{- define "lenses-operator.namespace" -}}
{{- default .Release.Namespace .Values.namespaceOverride -}}
{{- end -}}

{{/* For what lies outside the release's namespace: releases of one name in several namespaces must not meet. */}}
{{- define "lenses-operator.clusterName" -}}
{{- printf "%s-%s" (include "lenses-operator.namespace" .) (include "lenses-operator.fullname" .) -}}
{{- end -}}

{{- define "lenses-operator.selectorLabels" -}}
app.kubernetes.io/name: {{ include "lenses-operator.name" . }}
app.kubernetes.io/instance: {{ .Release.Name }}
{{- end -}}

{{- define "lenses-operator.labels" -}}
{{- with .Values.commonLabels }}
{{- toYaml . }}
{{ end -}}
helm.sh/chart: {{ printf "%s-%s" .Chart.Name .Chart.Version | replace "+" "_" | trunc 63 | trimSuffix "-" }}
{{ include "lenses-operator.selectorLabels" . }}
app.kubernetes.io/version: {{ .Chart.AppVersion | quote }}
app.kubernetes.io/managed-by: {{ .Release.Service }}
{{- end -}}

{{- define "lenses-operator.serviceAccountName" -}}
{{- if .Values.serviceAccount.create -}}
{{- default (include "lenses-operator.fullname" .) .Values.serviceAccount.name -}}
{{- else -}}
{{- required "serviceAccount.name is required where serviceAccount.create is false" .Values.serviceAccount.name -}}
{{- end -}}
{{- end -}}

{{/* A parent chart's global.imageRegistry stands before a repository that names no registry itself. */}}
{{- define "lenses-operator.image" -}}
{{- $image := .Values.image -}}
{{- $repository := $image.repository -}}
{{- $registry := dig "imageRegistry" "" (default dict .Values.global) -}}
{{- if and $registry (not (regexMatch "^([^/]*[.:][^/]*|localhost)/" $repository)) -}}
{{- $repository = printf "%s/%s" (trimSuffix "/" $registry) $repository -}}
{{- end -}}
{{- if $image.digest -}}
{{- printf "%s@%s" $repository $image.digest -}}
{{- else -}}
{{- printf "%s:%s" $repository (default .Chart.AppVersion $image.tag) -}}
{{- end -}}
{{- end -}}

{{/* The chart's own, and a parent chart's global.imagePullSecrets, which are names or maps with a name. */}}
{{- define "lenses-operator.imagePullSecrets" -}}
{{- $found := .Values.imagePullSecrets -}}
{{- range dig "imagePullSecrets" list (default dict .Values.global) -}}
{{- $found = append $found (kindIs "string" . | ternary (dict "name" .) .) -}}
{{- end -}}
{{- with uniq $found }}{{ toYaml . }}{{ end -}}
{{- end -}}

{{- define "lenses-operator.lease" -}}
{{- default (include "lenses-operator.fullname" .) .Values.leaderElection.name -}}
{{- end -}}

{{/* What RollingUpdate leaves unsaid is said: helm takes back only what it has said itself when it goes back to Recreate. */}}
{{- define "lenses-operator.strategy" -}}
{{- $strategy := .Values.strategy -}}
{{- if eq $strategy.type "RollingUpdate" -}}
{{- $strategy = merge (deepCopy $strategy) (dict "rollingUpdate" (dict "maxSurge" 1 "maxUnavailable" 0)) -}}
{{- end -}}
{{- toYaml $strategy -}}
{{- end -}}

{{/* The name of the ConfigMap with the policy; empty where there is no policy. */}}
{{- define "lenses-operator.policyConfigMap" -}}
{{- if .Values.policy.existingConfigMap -}}
{{- .Values.policy.existingConfigMap -}}
{{- else if kindIs "slice" .Values.policy.rules -}}
{{- include "lenses-operator.fullname" . }}-policy
{{- end -}}
{{- end -}}

{{/* What the schema cannot say. */}}
{{- define "lenses-operator.validate" -}}
{{- if and .Values.policy.existingConfigMap (kindIs "slice" .Values.policy.rules) -}}
{{- fail "policy.rules and policy.existingConfigMap cannot both be set" -}}
{{- end -}}
{{- if and .Values.lenses.ca.secretName .Values.lenses.ca.configMapName -}}
{{- fail "lenses.ca.secretName and lenses.ca.configMapName cannot both be set" -}}
{{- end -}}
{{- include "lenses-operator.validateProxy" . -}}
{{- include "lenses-operator.validateAdmission" . -}}
{{- if and .Values.rbac.create (not .Values.rbac.ownKindsClusterWide) (not .Values.watch.namespaces) -}}
{{- fail "rbac.ownKindsClusterWide is false, but watch.namespaces is empty: all namespaces cannot be watched without a ClusterRole" -}}
{{- end -}}
{{- if and .Values.metrics.serviceMonitor.enabled (not .Values.service.enabled) -}}
{{- fail "metrics.serviceMonitor.enabled needs service.enabled" -}}
{{- end -}}
{{- end -}}
