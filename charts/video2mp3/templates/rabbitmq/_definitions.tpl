{{/* Users and what they may do, which RabbitMQ takes in at every start. Who consumes declares the queues; who publishes
does so to the default exchange, and sees nobody's messages. Passwords are references, as in secrets/_plan.tpl. Takes a dict:
context, component. */}}
{{- define "video2mp3.rabbitmqDefinitions" -}}
{{- $users := list (dict "name" "video2mp3" "password" "${password}" "tags" "administrator") -}}
{{- $permissions := list (dict "user" "video2mp3" "vhost" "/" "configure" ".*" "write" ".*" "read" ".*") -}}
{{- $publishes := dict "configure" "^$" "write" "^amq\\.default$" "read" "^$" -}}
{{- $consumes := dict "configure" "^mp3(\\..+)?$" "write" "^(amq\\.default|mp3(\\..+)?)$" "read" "^mp3(\\..+)?$" -}}
{{- range $service, $rights := dict "operator" $publishes "worker" $publishes "notifier" $consumes -}}
  {{- $login := dict "context" $.context "component" $service -}}
  {{- if has "rabbitmq" (include "video2mp3.generatedStores" $login | fromJsonArray) -}}
    {{- $password := printf "${%s/rabbitmq-password}" (include "video2mp3.serviceSecret" $login) -}}
    {{- $users = append $users (dict "name" $service "password" $password "tags" "") -}}
    {{- $permissions = append $permissions (merge (dict "user" $service "vhost" "/") $rights) -}}
  {{- end -}}
{{- end -}}
{{- dict "vhosts" (list (dict "name" "/")) "users" $users "permissions" $permissions | toJson -}}
{{- end -}}
