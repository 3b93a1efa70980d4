{{/* Whole objects that every component has alike. Each takes a dict: context, component. */}}

{{- define "video2mp3.serviceaccount" -}}
apiVersion: v1
kind: ServiceAccount
metadata:
  {{- include "video2mp3.metadata" . | nindent 2 }}
automountServiceAccountToken: false
{{- end -}}

{{/* Also takes ports: a map of port names to numbers. */}}
{{- define "video2mp3.service" -}}
apiVersion: v1
kind: Service
metadata:
  {{- include "video2mp3.metadata" . | nindent 2 }}
spec:
  selector:
    {{- include "video2mp3.selector" . | nindent 4 }}
  ports:
    {{- range $name, $port := .ports }}
    - name: {{ $name }}
      port: {{ $port }}
      targetPort: {{ $name }}
    {{- end }}
{{- end -}}

{{/* One pod at a time: it never stops a node from being drained, also where there is a single replica. */}}
{{- define "video2mp3.pdb" -}}
apiVersion: policy/v1
kind: PodDisruptionBudget
metadata:
  {{- include "video2mp3.metadata" . | nindent 2 }}
spec:
  maxUnavailable: 1
  unhealthyPodEvictionPolicy: AlwaysAllow
  selector:
    matchLabels:
      {{- include "video2mp3.selector" . | nindent 6 }}
{{- end -}}

{{/* Prometheus then knows the series by the labels namespace and job, which is the Service's name.
Also takes port: the name of the one that answers /metrics. */}}
{{- define "video2mp3.servicemonitor" -}}
apiVersion: monitoring.coreos.com/v1
kind: ServiceMonitor
metadata:
  {{- include "video2mp3.metadata" . | nindent 2 }}
  {{- with .context.Values.metrics.labels }}
    {{- toYaml . | nindent 4 }}
  {{- end }}
spec:
  selector:
    matchLabels:
      {{- include "video2mp3.selector" . | nindent 6 }}
  endpoints:
    - port: {{ .port }}
      path: /metrics
{{- end -}}

{{/* By the values' autoscaling. */}}
{{- define "video2mp3.hpa" -}}
{{- $scaling := (index .context.Values .component).autoscaling -}}
apiVersion: autoscaling/v2
kind: HorizontalPodAutoscaler
metadata:
  {{- include "video2mp3.metadata" . | nindent 2 }}
spec:
  scaleTargetRef:
    apiVersion: apps/v1
    kind: Deployment
    name: {{ include "video2mp3.name" . }}
  minReplicas: {{ $scaling.minReplicas | default 2 }}
  maxReplicas: {{ $scaling.maxReplicas | default 10 }}
  metrics:
    - type: Resource
      resource:
        name: cpu
        target:
          type: Utilization
          averageUtilization: {{ $scaling.targetCPUUtilizationPercentage | default 80 }}
{{- end -}}
