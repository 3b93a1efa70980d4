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

{{- define "video2mp3.workerSecret" -}}
{{- .Values.worker.existingSecret | default (include "video2mp3.name" (dict "context" . "component" "worker")) -}}
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

{{- define "video2mp3.mongodbUri" -}}
{{- $password := include "video2mp3.generated" (dict "context" . "component" "mongodb" "key" "password" "kind" "password") -}}
{{- $host := include "video2mp3.storeHost" (dict "context" . "component" "mongodb") -}}
mongodb://video2mp3:{{ $password }}@{{ $host }}:27017/?authSource=admin&directConnection=true
{{- end -}}

{{- define "video2mp3.rabbitmqUri" -}}
{{- $password := include "video2mp3.generated" (dict "context" . "component" "rabbitmq" "key" "password" "kind" "password") -}}
{{- $host := include "video2mp3.storeHost" (dict "context" . "component" "rabbitmq") -}}
amqp://video2mp3:{{ $password }}@{{ $host }}:5672/%2F
{{- end -}}

{{- define "video2mp3.mysqlUrl" -}}
{{- $password := include "video2mp3.generated" (dict "context" . "component" "mysql" "key" "password" "kind" "password") -}}
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
