{{/* Names and labels. */}}

{{/* What every object's name begins with. Leaves room for the longest suffix and a pod's ordinal. */}}
{{- define "video2mp3.fullname" -}}
{{- $name := default .Chart.Name .Values.nameOverride -}}
{{- if .Values.fullnameOverride -}}
{{- .Values.fullnameOverride | trunc 40 | trimSuffix "-" -}}
{{- else if contains $name .Release.Name -}}
{{- .Release.Name | trunc 40 | trimSuffix "-" -}}
{{- else -}}
{{- printf "%s-%s" .Release.Name $name | trunc 40 | trimSuffix "-" -}}
{{- end -}}
{{- end -}}

{{/* An object's name. Takes a dict: context, component. */}}
{{- define "video2mp3.name" -}}
{{ include "video2mp3.fullname" .context }}-{{ .component }}
{{- end -}}

{{/* The labels that find a component's pods. Takes a dict: context, component. */}}
{{- define "video2mp3.selector" -}}
app.kubernetes.io/name: {{ default .context.Chart.Name .context.Values.nameOverride }}
app.kubernetes.io/instance: {{ .context.Release.Name }}
app.kubernetes.io/component: {{ .component }}
{{- end -}}

{{/* All labels of a component's objects. Takes a dict: context, component. */}}
{{- define "video2mp3.labels" -}}
{{ include "video2mp3.selector" . }}
app.kubernetes.io/part-of: video2mp3
app.kubernetes.io/version: {{ .context.Chart.AppVersion | quote }}
app.kubernetes.io/managed-by: {{ .context.Release.Service }}
helm.sh/chart: {{ printf "%s-%s" .context.Chart.Name .context.Chart.Version | replace "+" "_" }}
{{- end -}}

{{/* metadata of a component's main object. Takes a dict: context, component. */}}
{{- define "video2mp3.metadata" -}}
name: {{ include "video2mp3.name" . }}
namespace: {{ .context.Release.Namespace }}
labels:
  {{- include "video2mp3.labels" . | nindent 2 }}
{{- end -}}

{{/* An image by its name in `images`; ours are in one registry, with one tag, unless they say otherwise. A digest says more than
a tag. Takes a dict: context, image. */}}
{{- define "video2mp3.image" -}}
{{- $images := .context.Values.images -}}
{{- $image := index $images .image -}}
{{- $repository := $image.repository | default (printf "%s/%s" $images.registry .image) -}}
{{- if $image.digest -}}
{{ $repository }}@{{ $image.digest }}
{{- else -}}
{{ $repository }}:{{ coalesce $image.tag $images.tag .context.Chart.AppVersion }}
{{- end -}}
{{- end -}}

{{/* The namespaces whose Conversions the operator works on, as a JSON list. */}}
{{- define "video2mp3.watchNamespaces" -}}
{{- .Values.operator.watchNamespaces | default (list .Release.Namespace) | uniq | toJson -}}
{{- end -}}

{{/* Whose the files in MongoDB are: the same at every upgrade and after a restore, another for each release. */}}
{{- define "video2mp3.installation" -}}
{{- .Values.installation | default (printf "%s/%s" .Release.Namespace .Release.Name) -}}
{{- end -}}

{{/* Where people reach the gateway, without a slash at the end: the base of the links in emails. Empty where nothing says it,
which is refused. */}}
{{- define "video2mp3.publicUrl" -}}
{{- if .Values.publicUrl -}}
{{- .Values.publicUrl | trimSuffix "/" -}}
{{- else if and .Values.ingress.host (ne .Values.ingress.host "*") -}}
{{- printf "%s://%s" (ternary "https" "http" (ne .Values.ingress.tlsSecret "")) .Values.ingress.host -}}
{{- end -}}
{{- end -}}

{{/* The type of the Service for people; empty where there is none. */}}
{{- define "video2mp3.publicServiceType" -}}
{{- $type := (.Values.gateway.service | default dict).type | default "ClusterIP" -}}
{{- if ne $type "ClusterIP" }}{{ $type }}{{ end -}}
{{- end -}}

{{/* "true" where people reach the gateway by an Ingress or a route, and so by a proxy. */}}
{{- define "video2mp3.behindProxy" -}}
{{- if or .Values.ingress.host (.Values.httpRoute | default dict).parentRefs }}true{{ end -}}
{{- end -}}

{{/* "false" where the cluster chooses the pods' users. A value that is not there is true: it was before there was the value. */}}
{{- define "video2mp3.fixedUids" -}}
{{ ne (toString .Values.fixedUids) "false" }}
{{- end -}}

{{/* The namespace in which the gateway creates Conversions. */}}
{{- define "video2mp3.conversionNamespace" -}}
{{- .Values.gateway.conversionNamespace | default .Release.Namespace -}}
{{- end -}}
