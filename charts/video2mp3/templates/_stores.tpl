{{/* Which store and which Secret each service uses. */}}

{{/* The Secret that says how to reach a store. Takes a dict: context, component (mysql, mongodb or rabbitmq). */}}
{{- define "video2mp3.storeSecret" -}}
{{- $external := index .context.Values (printf "external%s" (title .component)) -}}
{{- $own := index .context.Values .component -}}
{{- $external.existingSecret | default $own.existingSecret | default (include "video2mp3.name" .) -}}
{{- end -}}

{{/* "true" where the chart runs the store itself. Takes a dict: context, component. */}}
{{- define "video2mp3.storeBundled" -}}
{{- if not (index .context.Values (printf "external%s" (title .component))).existingSecret }}true{{ end -}}
{{- end -}}

{{/* "true" where the chart makes the store's Secret. Takes a dict: context, component. */}}
{{- define "video2mp3.storeGenerated" -}}
{{- if eq (include "video2mp3.storeSecret" .) (include "video2mp3.name" .) }}true{{ end -}}
{{- end -}}

{{/* The Secret with a service's own logins. Takes a dict: context, component (gateway, operator, worker or notifier). */}}
{{- define "video2mp3.serviceSecret" -}}
{{- (index .context.Values .component).existingSecret | default (include "video2mp3.name" .) -}}
{{- end -}}

{{/* The stores in which a service has a user of its own. Takes a dict: component. */}}
{{- define "video2mp3.serviceStores" -}}
{{- eq .component "gateway" | ternary (list "mongodb") (list "mongodb" "rabbitmq") | toJson -}}
{{- end -}}

{{/* The stores whose users the chart makes for a service: its own ones, by its own passwords. Takes a dict: context,
component. */}}
{{- define "video2mp3.generatedStores" -}}
{{- $stores := list -}}
{{- if not (index .context.Values .component).existingSecret -}}
  {{- range $store := include "video2mp3.serviceStores" . | fromJsonArray -}}
    {{- if include "video2mp3.storeGenerated" (dict "context" $.context "component" $store) -}}
      {{- $stores = append $stores $store -}}
    {{- end -}}
  {{- end -}}
{{- end -}}
{{- $stores | toJson -}}
{{- end -}}

{{/* An environment variable with a service's address of a store: by its own login where there is one. Takes a dict:
context, component, store, name. */}}
{{- define "video2mp3.storeVariable" -}}
{{- $own := or (index .context.Values .component).existingSecret (has .store (include "video2mp3.generatedStores" . | fromJsonArray)) -}}
{{- if $own -}}
{{ include "video2mp3.secretVariable" (dict "name" .name "secret" (include "video2mp3.serviceSecret" .) "key" (printf "%s-uri" .store)) }}
{{- else -}}
{{ include "video2mp3.secretVariable" (dict "name" .name "secret" (include "video2mp3.storeSecret" (dict "context" .context "component" .store)) "key" "uri") }}
{{- end -}}
{{- end -}}

{{- define "video2mp3.authSecret" -}}
{{- .Values.auth.existingSecret | default (include "video2mp3.name" (dict "context" . "component" "auth")) -}}
{{- end -}}

{{- define "video2mp3.accountSecret" -}}
{{- .Values.account.existingSecret | default (include "video2mp3.name" (dict "context" . "component" "account")) -}}
{{- end -}}

{{/* With the namespace, since workers in other namespaces use it too. Takes a dict: context, component. */}}
{{- define "video2mp3.storeHost" -}}
{{ include "video2mp3.name" . }}.{{ .context.Release.Namespace }}.svc
{{- end -}}

{{/* The addresses of the chart's own stores with a login. Each takes a dict: context, username, password. */}}

{{- define "video2mp3.mongodbUri" -}}
{{- $host := include "video2mp3.storeHost" (dict "context" .context "component" "mongodb") -}}
mongodb://{{ .username }}:{{ .password }}@{{ $host }}:27017/?authSource=admin&directConnection=true
{{- end -}}

{{- define "video2mp3.rabbitmqUri" -}}
{{- $host := include "video2mp3.storeHost" (dict "context" .context "component" "rabbitmq") -}}
amqp://{{ .username }}:{{ .password }}@{{ $host }}:5672/%2F
{{- end -}}

{{- define "video2mp3.mysqlUrl" -}}
{{- $host := include "video2mp3.storeHost" (dict "context" .context "component" "mysql") -}}
mysql+pymysql://{{ .username }}:{{ .password }}@{{ $host }}:3306/auth
{{- end -}}
