{{/* The pod that makes the services' users in the chart's own MongoDB. Takes a dict as "video2mp3.pod" does, and services, a list. */}}
{{- define "video2mp3.mongodbUsersPod" -}}
metadata:
  {{- include "video2mp3.jobPodMetadata" . | nindent 2 }}
spec:
  {{- include "video2mp3.pod" . | nindent 2 }}
  restartPolicy: Never
  containers:
    - name: users
      image: {{ include "video2mp3.image" (dict "context" .context "image" "operator") }}
      imagePullPolicy: {{ .context.Values.imagePullPolicy }}
      args: [video2mp3-operator, users]
      env:
        {{- include "video2mp3.secretVariable" (dict "name" "USERS_ADMIN_URI" "key" "uri"
          "secret" (include "video2mp3.storeSecret" (dict "context" .context "component" "mongodb"))) | nindent 8 }}
        {{- range $service := .services }}
        {{- include "video2mp3.storeVariable" (dict "context" $.context "component" $service "store" "mongodb"
          "name" (printf "USERS_%s_URI" (upper $service))) | nindent 8 }}
        {{- end }}
      resources:
        requests: {cpu: 20m, memory: 64Mi}
        limits: {memory: 128Mi}
      securityContext:
        {{- include "video2mp3.containerSecurityContext" .context | nindent 8 }}
      volumeMounts:
        - {name: tmp, mountPath: /tmp}
  volumes:
    - name: tmp
      emptyDir: {}
{{- end -}}
