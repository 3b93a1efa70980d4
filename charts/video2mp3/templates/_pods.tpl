{{/* Parts of pod specs. */}}

{{/* A pod that satisfies the restricted Pod Security Standard. Takes a dict: context, component, uid, token (whether
it talks to the API server), scheduling (the component by whose values it is placed, if that is another one). */}}
{{- define "video2mp3.pod" -}}
serviceAccountName: {{ include "video2mp3.name" . }}
automountServiceAccountToken: {{ .token | default false }}
enableServiceLinks: false
securityContext:
  runAsNonRoot: true
  {{- if eq (include "video2mp3.fixedUids" .context) "true" }}
  runAsUser: {{ .uid }}
  runAsGroup: {{ .uid }}
  fsGroup: {{ .uid }}
  {{- end }}
  fsGroupChangePolicy: OnRootMismatch
  seccompProfile:
    type: RuntimeDefault
{{- with .context.Values.imagePullSecrets }}
imagePullSecrets:
  {{- range . }}
  - name: {{ . }}
  {{- end }}
{{- end }}
{{- $scheduling := get .context.Values (.scheduling | default .component) | default dict }}
{{- with $scheduling.nodeSelector }}
nodeSelector:
  {{- toYaml . | nindent 2 }}
{{- end }}
{{- with $scheduling.tolerations }}
tolerations:
  {{- toYaml . | nindent 2 }}
{{- end }}
{{- with $scheduling.affinity }}
affinity:
  {{- toYaml . | nindent 2 }}
{{- end }}
{{- with $scheduling.priorityClassName }}
priorityClassName: {{ . | quote }}
{{- end }}
{{- if eq (.scheduling | default .component) .component }}
{{- with $scheduling.topologySpreadConstraints }}
topologySpreadConstraints:
  {{- range . }}
  - {{ toYaml . | nindent 4 | trim }}
    {{- if not (hasKey . "labelSelector") }}
    labelSelector:
      matchLabels:
        {{- include "video2mp3.selector" $ | nindent 8 }}
    {{- end }}
  {{- end }}
{{- end }}
{{- end }}
{{- end -}}

{{/* metadata of a service's or store's pod. Takes a dict: context, component, annotations (ours, as YAML). */}}
{{- define "video2mp3.podMetadata" -}}
{{- $values := index .context.Values .component -}}
labels:
  {{- merge (include "video2mp3.labels" . | fromYaml) ($values.podLabels | default dict) | toYaml | nindent 2 }}
{{- with merge (.annotations | default "" | fromYaml) ($values.podAnnotations | default dict) }}
annotations:
  {{- toYaml . | nindent 2 }}
{{- end }}
{{- end -}}

{{/* A service's volumes and where they are. Each takes a dict: context, component. */}}

{{- define "video2mp3.volumes" -}}
- name: tmp
  emptyDir: {}
{{- with .context.Values.caSecret }}
- name: ca
  secret:
    secretName: {{ . | quote }}
    items:
      - {key: ca.crt, path: ca.crt}
{{- end }}
{{- with (index .context.Values .component).extraVolumes }}
{{ toYaml . }}
{{- end }}
{{- end -}}

{{- define "video2mp3.volumeMounts" -}}
- {name: tmp, mountPath: /tmp}
{{- if .context.Values.caSecret }}
- {name: ca, mountPath: /etc/video2mp3/ca, readOnly: true}
{{- end }}
{{- with (index .context.Values .component).extraVolumeMounts }}
{{ toYaml . }}
{{- end }}
{{- end -}}

{{/* metadata of a Job's pod: as the workers', it ends only where no mesh puts a sidecar into it. Takes a dict: context, component. */}}
{{- define "video2mp3.jobPodMetadata" -}}
labels:
  {{- merge (include "video2mp3.labels" . | fromYaml) (.context.Values.worker.podLabels | default dict) | toYaml | nindent 2 }}
{{- with .context.Values.worker.podAnnotations }}
annotations:
  {{- toYaml . | nindent 2 }}
{{- end }}
{{- end -}}

{{- define "video2mp3.containerSecurityContext" -}}
allowPrivilegeEscalation: false
readOnlyRootFilesystem: true
capabilities:
  drop: [ALL]
{{- end -}}

{{/* The user that our own images run as; see contracts/image/Dockerfile. */}}
{{- define "video2mp3.uid" -}}
65532
{{- end -}}

{{/* Probes of our own services: healthz says that the process works, readyz that it can serve. */}}
{{- define "video2mp3.httpProbes" -}}
startupProbe:
  httpGet: {path: /healthz, port: http}
  periodSeconds: 2
  failureThreshold: 60
  timeoutSeconds: 3
livenessProbe:
  httpGet: {path: /healthz, port: http}
  periodSeconds: 10
  failureThreshold: 6
  timeoutSeconds: 5
readinessProbe:
  httpGet: {path: /readyz, port: http}
  periodSeconds: 5
  failureThreshold: 3
  timeoutSeconds: 5
{{- end -}}

{{/* Probes of the stores: the official images open their port to the network once they are set up. */}}
{{- define "video2mp3.storeProbes" -}}
startupProbe:
  tcpSocket: {port: {{ . }}}
  periodSeconds: 2
  failureThreshold: 150
livenessProbe:
  tcpSocket: {port: {{ . }}}
  periodSeconds: 20
  failureThreshold: 6
  timeoutSeconds: 5
readinessProbe:
  tcpSocket: {port: {{ . }}}
  periodSeconds: 5
  failureThreshold: 3
  timeoutSeconds: 3
{{- end -}}

{{/* An environment variable from a Secret. Takes a dict: name, secret, key. */}}
{{- define "video2mp3.secretVariable" -}}
- name: {{ .name }}
  valueFrom:
    secretKeyRef:
      name: {{ .secret }}
      key: {{ .key }}
{{- end -}}

{{/* A service's environment, each variable once: the values' `env` over ours. Takes a dict: context, component, own (ours, as
YAML). */}}
{{- define "video2mp3.environment" -}}
{{- $env := (index .context.Values .component).env | default dict -}}
{{- $own := .own | fromYamlArray -}}
{{- if .context.Values.caSecret -}}
{{- /* OpenSSL reads it beside the folder of the system's authorities (SSL_CTX_set_default_verify_paths). */ -}}
{{- $own = append $own (dict "name" "SSL_CERT_FILE" "value" "/etc/video2mp3/ca/ca.crt") -}}
{{- end -}}
{{- range $own }}
{{- if not (hasKey $env .name) }}
{{ toYaml (list .) }}
{{- end }}
{{- end }}
{{- range $name, $value := $env }}
{{- if contains (printf "$(%s)" $name) (toString $value) }}
{{- fail (printf "\n\nThese values need a look:\n- env.%s refers to itself, and takes the place of what it refers to: write it out, or name a Secret in existingSecret\n" $name) }}
{{- end }}
- name: {{ $name }}
  value: {{ $value | quote }}
{{- end }}
{{- end -}}
