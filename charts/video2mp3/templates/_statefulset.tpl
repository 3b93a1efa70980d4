{{/* The StatefulSet of a small single store "for trying it out". Takes a dict: context, component, image, port (its name),
data (where the image keeps its data), env, volumeMounts and volumes (lists, as YAML), annotations (a map, as YAML).
The official images run as user 999 and write nowhere else than here. */}}
{{- define "video2mp3.statefulset" -}}
{{- $values := index .context.Values .component -}}
{{- $port := include "video2mp3.storePort" . -}}
apiVersion: apps/v1
kind: StatefulSet
metadata:
  {{- include "video2mp3.metadata" . | nindent 2 }}
spec:
  replicas: 1
  serviceName: {{ include "video2mp3.name" . }}
  selector:
    matchLabels:
      {{- include "video2mp3.selector" . | nindent 6 }}
  template:
    metadata:
      {{- include "video2mp3.podMetadata" . | nindent 6 }}
    spec:
      {{- include "video2mp3.pod" (merge (dict "uid" 999) .) | nindent 6 }}
      terminationGracePeriodSeconds: 60
      containers:
        - name: {{ .component }}
          image: {{ include "video2mp3.image" . }}
          imagePullPolicy: {{ .context.Values.imagePullPolicy }}
          env:
            {{- .env | nindent 12 }}
          ports:
            - {name: {{ .port }}, containerPort: {{ $port }}, protocol: TCP}
          {{- include "video2mp3.storeProbes" .port | nindent 10 }}
          resources:
            {{- toYaml $values.resources | nindent 12 }}
          securityContext:
            {{- include "video2mp3.containerSecurityContext" . | nindent 12 }}
          volumeMounts:
            # Below the volume's root, which may hold a lost+found.
            - {name: data, mountPath: {{ .data }}, subPath: data}
            - {name: tmp, mountPath: /tmp}
            {{- with .volumeMounts }}
            {{- . | nindent 12 }}
            {{- end }}
      volumes:
        - name: tmp
          emptyDir: {}
        {{- with .volumes }}
        {{- . | nindent 8 }}
        {{- end }}
  volumeClaimTemplates:
    - metadata:
        name: data
      spec:
        accessModes: [ReadWriteOnce]
        {{- with $values.storage.className }}
        storageClassName: {{ . }}
        {{- end }}
        resources:
          requests:
            storage: {{ $values.storage.size }}
{{- end -}}
