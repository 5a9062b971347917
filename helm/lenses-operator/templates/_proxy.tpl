{{/* The variable with the proxy that Lenses is reached through; empty where there is none. */}}
{{- define "lenses-operator.proxyEnv" -}}
{{- $proxy := .Values.lenses.proxy -}}
{{- if $proxy.secretName -}}
- name: LENSES_OPERATOR_LENSES_PROXY
  valueFrom:
    secretKeyRef:
      name: {{ $proxy.secretName | quote }}
      key: {{ $proxy.key | quote }}
{{- else if $proxy.url -}}
- name: LENSES_OPERATOR_LENSES_PROXY
  value: {{ $proxy.url | quote }}
{{- end -}}
{{- end -}}

{{- define "lenses-operator.validateProxy" -}}
{{- if and .Values.lenses.proxy.url .Values.lenses.proxy.secretName -}}
{{- fail "lenses.proxy.url and lenses.proxy.secretName cannot both be set" -}}
{{- end -}}
{{- range .Values.extraEnv -}}
{{- if has (upper .name) (list "HTTP_PROXY" "HTTPS_PROXY" "ALL_PROXY" "NO_PROXY") -}}
{{- fail (printf "extraEnv sets %s, which the operator ignores: lenses.proxy.url is the proxy for Lenses, and Kubernetes is reached without one" .name) -}}
{{- end -}}
{{- end -}}
{{- end -}}
