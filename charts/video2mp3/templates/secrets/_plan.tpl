{{/* The Secrets that nobody named, as the command `video2mp3-operator secrets` makes them: a JSON list, in which nothing is secret.
`random` is made once in the cluster and stays; `fixed` is text with references to values, `${key}` of the same Secret and
`${name/key}` of one before it. Without app.kubernetes.io/instance among the labels, by which Argo CD may know what is its own and
prune it. */}}
{{- define "video2mp3.secretsPlan" -}}
{{- $plan := list -}}
{{- range $service := list "gateway" "operator" "worker" "notifier" -}}
  {{- $random := dict -}}
  {{- $fixed := dict -}}
  {{- range $store := include "video2mp3.generatedStores" (dict "context" $ "component" $service) | fromJsonArray -}}
    {{- $login := dict "context" $ "username" $service "password" (printf "${%s-password}" $store) -}}
    {{- $_ := set $random (printf "%s-password" $store) "password" -}}
    {{- $_ := set $fixed (printf "%s-uri" $store) (include (printf "video2mp3.%sUri" $store) $login) -}}
  {{- end -}}
  {{- if $random -}}
    {{- $plan = append $plan (dict "component" $service "random" $random "fixed" $fixed) -}}
  {{- end -}}
{{- end -}}
{{- $admin := dict "context" $ "username" "video2mp3" "password" "${password}" -}}
{{- $stores := dict
  "mysql" (dict "url" (include "video2mp3.mysqlUrl" $admin))
  "mongodb" (dict "uri" (include "video2mp3.mongodbUri" $admin))
  "rabbitmq" (dict "uri" (include "video2mp3.rabbitmqUri" $admin)
    "definitions.json" (include "video2mp3.rabbitmqDefinitions" (dict "context" $ "component" "rabbitmq") | fromJson)) -}}
{{- range $store, $fixed := $stores -}}
  {{- $taken := dict "context" $ "component" $store -}}
  {{- if and (include "video2mp3.storeBundled" $taken) (include "video2mp3.storeGenerated" $taken) -}}
    {{- $random := eq $store "mysql" | ternary (dict "password" "password" "root-password" "password") (dict "password" "password") -}}
    {{- $plan = append $plan (dict "component" $store "random" $random "fixed" (set $fixed "username" "video2mp3")) -}}
  {{- end -}}
{{- end -}}
{{- if not .Values.auth.existingSecret -}}
  {{- $plan = append $plan (dict "component" "auth" "random" (dict "key-encryption-key" "fernet")) -}}
{{- end -}}
{{- if not .Values.account.existingSecret -}}
  {{- $plan = append $plan (dict "component" "account" "random" (dict "password" "password")
    "fixed" (dict "email" (lower .Values.account.email)) "belongs_to" "email") -}}
{{- end -}}
{{- range $secret := $plan -}}
  {{- $named := dict "context" $ "component" $secret.component -}}
  {{- $_ := set $secret "name" (include "video2mp3.name" $named) -}}
  {{- $_ := set $secret "labels" (omit (include "video2mp3.selector" $named | fromYaml) "app.kubernetes.io/instance") -}}
  {{- $_ := set $secret.labels "app.kubernetes.io/part-of" "video2mp3" -}}
  {{- $_ := unset $secret "component" -}}
{{- end -}}
{{- $plan | toJson -}}
{{- end -}}

{{/* Before anything else of an installation, an upgrade or a rollback; Argo CD takes it for PreSync. What gives the right to make
Secrets goes again as soon as they are made, and by Argo CD also where the sync fails then; a Job that failed stays for its log, until
the next try. Takes a dict: weight. */}}
{{- define "video2mp3.secretsHook" -}}
annotations:
  helm.sh/hook: pre-install,pre-upgrade,pre-rollback
  helm.sh/hook-weight: {{ .weight | quote }}
  helm.sh/hook-delete-policy: before-hook-creation,hook-succeeded{{ if ne (int .weight) 0 }},hook-failed{{ end }}
{{- end -}}
