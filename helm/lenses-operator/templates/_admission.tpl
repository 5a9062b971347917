{{- define "lenses-operator.validateAdmission" -}}
{{- if and .Values.policy.admission (not (kindIs "slice" .Values.policy.rules)) -}}
{{- fail "policy.admission needs policy.rules: what another ConfigMap holds is not known here" -}}
{{- end -}}
{{- end -}}

{{/* CEL: whether `.value`, an expression, fits one of `.globs`. JSON's strings are CEL's as well. */}}
{{- define "lenses-operator.celGlobs" -}}
{{- $value := .value -}}
{{- $terms := list -}}
{{- range .globs -}}
{{- if eq . "*" -}}
{{- $terms = append $terms "true" -}}
{{- else if contains "*" . -}}
{{- $pattern := printf "(?s)\\A%s\\z" (regexQuoteMeta . | replace "\\*" ".*") -}}
{{- $terms = append $terms (printf "%s.matches(%s)" $value (toRawJson $pattern)) -}}
{{- else -}}
{{- $terms = append $terms (printf "%s == %s" $value (toRawJson .)) -}}
{{- end -}}
{{- end -}}
{{- empty $terms | ternary "false" (join " || " $terms) -}}
{{- end -}}

{{/* CEL: whether the rule allows the connector. What the rule does not name is not looked at. */}}
{{- define "lenses-operator.celRule" -}}
{{- $terms := list -}}
{{- $rule := . -}}
{{- range $part, $value := dict "namespaces" "request.namespace" "environments" "object.spec.environment" "clusters" "object.spec.cluster" "connectors" "variables.connector" -}}
{{- if hasKey $rule $part -}}
{{- $globs := include "lenses-operator.celGlobs" (dict "globs" (index $rule $part) "value" $value) -}}
{{- $terms = append $terms (printf "(%s)" $globs) -}}
{{- end -}}
{{- end -}}
{{- empty $terms | ternary "true" (join " && " $terms) -}}
{{- end -}}

{{/* A label selector as a list of matchExpressions. */}}
{{- define "lenses-operator.matchExpressions" -}}
{{- range regexFindAll "[^,(]+([(][^)]*[)])?" . -1 -}}
{{- $term := trim . -}}
{{- if regexMatch "\\s(not)?in\\s*[(]" $term -}}
{{- $operator := regexMatch "\\snotin\\s*[(]" $term | ternary "NotIn" "In" }}
- key: {{ regexFind "^[^\\s]+" $term | quote }}
  operator: {{ $operator }}
  values:
    {{- range regexReplaceAll "^[^(]*[(]|[)]$" $term "" | splitList "," }}
    - {{ trim . | quote }}
    {{- end }}
{{- else if contains "=" $term -}}
{{- $parts := regexSplit "!=|==|=" $term 2 }}
- key: {{ index $parts 0 | trim | quote }}
  operator: {{ contains "!=" $term | ternary "NotIn" "In" }}
  values: [{{ index $parts 1 | trim | quote }}]
{{- else }}
- key: {{ trimPrefix "!" $term | trim | quote }}
  operator: {{ hasPrefix "!" $term | ternary "DoesNotExist" "Exists" }}
{{- end -}}
{{- end -}}
{{- end -}}
