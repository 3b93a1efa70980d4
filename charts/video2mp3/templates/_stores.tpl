{{/* Which store and which Secret each service uses, and the Secrets that the chart makes. */}}

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

{{/* The Secret with the logins that the chart makes for a service, if it makes any. Takes a dict: context, component. */}}
{{- define "video2mp3.serviceSecretObject" -}}
{{- with include "video2mp3.generatedStores" . | fromJsonArray -}}
apiVersion: v1
kind: Secret
metadata:
  {{- include "video2mp3.metadata" $ | nindent 2 }}
type: Opaque
data:
  {{- range $store := . }}
  {{- $login := merge (dict "store" $store) $ }}
  {{ $store }}-password: {{ include "video2mp3.servicePassword" $login | b64enc }}
  {{ $store }}-uri: {{ include "video2mp3.serviceUri" $login | b64enc }}
  {{- end }}
{{- end }}
{{- end -}}

{{/* Takes a dict: context, component, store. */}}
{{- define "video2mp3.servicePassword" -}}
{{- include "video2mp3.generated" (dict "context" .context "component" .component "key" (printf "%s-password" .store) "kind" "password") -}}
{{- end -}}

{{/* A service's address of a store of the chart's own. Takes a dict: context, component, store. */}}
{{- define "video2mp3.serviceUri" -}}
{{- include (printf "video2mp3.%sUri" .store) (dict "context" .context "username" .component "password" (include "video2mp3.servicePassword" .)) -}}
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

{{/* A generated value of a Secret: what the cluster already has, so that an upgrade keeps it, or else a new random one.
The same for every template of one rendering, because a password also stands in the URIs of other Secrets.
Takes a dict: context, component, key, kind ("password" or "fernet"). */}}
{{- define "video2mp3.generated" -}}
{{- $secret := include "video2mp3.name" . -}}
{{- $seen := get .context.Values "generatedSecrets" | default dict -}}
{{- $_ := set .context.Values "generatedSecrets" $seen -}}
{{- $place := printf "%s/%s" $secret .key -}}
{{- if not (hasKey $seen $place) -}}
  {{- $existing := lookup "v1" "Secret" .context.Release.Namespace $secret -}}
  {{- $data := get ($existing | default dict) "data" | default dict -}}
  {{- if hasKey $data .key -}}
    {{- $_ := set $seen $place (get $data .key | b64dec) -}}
  {{- else if eq .kind "fernet" -}}
    {{- /* A Fernet key is 32 random bytes in URL-safe base64. */ -}}
    {{- $_ := set $seen $place (randBytes 32 | replace "+" "-" | replace "/" "_") -}}
  {{- else -}}
    {{- $_ := set $seen $place (randAlphaNum 32) -}}
  {{- end -}}
{{- end -}}
{{- get $seen $place -}}
{{- end -}}

{{/* With the namespace, since workers in other namespaces use it too. Takes a dict: context, component. */}}
{{- define "video2mp3.storeHost" -}}
{{ include "video2mp3.name" . }}.{{ .context.Release.Namespace }}.svc
{{- end -}}

{{/* The administrator's password of a store of the chart's own. Takes a dict: context, component. */}}
{{- define "video2mp3.storePassword" -}}
{{- include "video2mp3.generated" (dict "context" .context "component" .component "key" "password" "kind" "password") -}}
{{- end -}}

{{/* The address of the chart's own MongoDB with a login. Takes a dict: context, username, password. */}}
{{- define "video2mp3.mongodbUri" -}}
{{- $host := include "video2mp3.storeHost" (dict "context" .context "component" "mongodb") -}}
mongodb://{{ .username }}:{{ .password }}@{{ $host }}:27017/?authSource=admin&directConnection=true
{{- end -}}

{{/* The address of the chart's own RabbitMQ with a login. Takes a dict: context, username, password. */}}
{{- define "video2mp3.rabbitmqUri" -}}
{{- $host := include "video2mp3.storeHost" (dict "context" .context "component" "rabbitmq") -}}
amqp://{{ .username }}:{{ .password }}@{{ $host }}:5672/%2F
{{- end -}}

{{- define "video2mp3.mysqlUrl" -}}
{{- $password := include "video2mp3.storePassword" (dict "context" . "component" "mysql") -}}
{{- $host := include "video2mp3.storeHost" (dict "context" . "component" "mysql") -}}
mysql+pymysql://video2mp3:{{ $password }}@{{ $host }}:3306/auth
{{- end -}}

{{/* metadata of a Secret with generated values. Uninstalling keeps it: the volumes stay too, and open only with it.
Takes a dict: context, component. */}}
{{- define "video2mp3.keptMetadata" -}}
{{ include "video2mp3.metadata" . }}
annotations:
  helm.sh/resource-policy: keep
{{- end -}}
