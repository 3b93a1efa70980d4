{{/* Parts of network policies. */}}

{{/* A policy's head: it selects one component's pods and covers both directions. Takes a dict: context, component. */}}
{{- define "video2mp3.policyHead" -}}
podSelector:
  matchLabels:
    {{- include "video2mp3.selector" . | nindent 4 }}
policyTypes: [Ingress, Egress]
{{- end -}}

{{/* Peers: components of this release. Takes a dict: context, components. */}}
{{- define "video2mp3.componentPeers" -}}
{{- range .components }}
- podSelector:
    matchLabels:
      {{- include "video2mp3.selector" (dict "context" $.context "component" .) | nindent 6 }}
{{- end }}
{{- end -}}

{{/* Peers: the workers' pods, by the labels that the operator gives them. */}}
{{- define "video2mp3.workerPeer" -}}
- podSelector:
    {{- include "video2mp3.workerSelector" . | nindent 4 }}
{{- end -}}

{{- define "video2mp3.workerSelector" -}}
matchLabels:
  app.kubernetes.io/instance: {{ .Release.Name }}
  app.kubernetes.io/component: worker
matchExpressions:
  - key: video2mp3.dev/conversion
    operator: Exists
{{- end -}}

{{/* Ingress rule: metrics, for whom the values name. Takes a dict: context, port. Gateway and auth, which others talk to, have
a port for them alone; nobody talks to operator and notifier, whose only port is the probes' and the metrics'. */}}
{{- define "video2mp3.metricsIngress" -}}
{{- with .context.Values.networkPolicy.metricsFrom }}
- from:
    {{- toYaml . | nindent 4 }}
  ports:
    - {port: {{ $.port }}, protocol: TCP}
{{- end }}
{{- end -}}

{{/* Egress rule: names. A policy sees the port of the pod behind the Service: where CoreDNS runs without the right to a low
one that is 1053, on OpenShift 5353. */}}
{{- define "video2mp3.dnsEgress" -}}
- to:
    {{- toYaml .Values.networkPolicy.dns | nindent 4 }}
  ports:
    {{- range list 53 1053 5353 }}
    - {port: {{ . }}, protocol: UDP}
    - {port: {{ . }}, protocol: TCP}
    {{- end }}
{{- end -}}

{{/* Egress rule: the API server. */}}
{{- define "video2mp3.apiServerEgress" -}}
- to:
    {{- toYaml .Values.networkPolicy.apiServer.peers | nindent 4 }}
  ports:
    {{- range .Values.networkPolicy.apiServer.ports }}
    - {port: {{ . }}, protocol: TCP}
    {{- end }}
{{- end -}}

{{/* Egress rule: a store, wherever it is. Takes a dict: context, component (mysql, mongodb or rabbitmq). */}}
{{- define "video2mp3.storeEgress" -}}
{{- $external := index .context.Values (printf "external%s" (title .component)) -}}
{{- if include "video2mp3.storeBundled" . -}}
- to:
    - podSelector:
        matchLabels:
          {{- include "video2mp3.selector" . | nindent 10 }}
  ports:
    - {port: {{ include "video2mp3.storePort" . }}, protocol: TCP}
{{- else -}}
- to:
    {{- toYaml $external.peers | nindent 4 }}
  ports:
    {{- range $external.ports }}
    - {port: {{ . }}, protocol: TCP}
    {{- end }}
{{- end -}}
{{- end -}}

{{/* Egress rule: the public internet, where sources are fetched from. What lies outside of it is what the worker refuses
as well (worker-image, addresses), which a test compares. */}}
{{- define "video2mp3.internetEgress" -}}
- to:
    - ipBlock:
        cidr: 0.0.0.0/0
        except:
          - 0.0.0.0/8
          - 10.0.0.0/8
          - 100.64.0.0/10
          - 127.0.0.0/8
          - 168.63.129.16/32
          - 169.254.0.0/16
          - 172.16.0.0/12
          - 192.0.0.0/24
          - 192.0.2.0/24
          - 192.31.196.0/24
          - 192.52.193.0/24
          - 192.88.99.0/24
          - 192.168.0.0/16
          - 192.175.48.0/24
          - 198.18.0.0/15
          - 198.51.100.0/24
          - 203.0.113.0/24
          - 224.0.0.0/4
          - 240.0.0.0/4
    - ipBlock:
        cidr: 2000::/3
        except:
          - 2001::/23
          - 2001:db8::/32
          - 2002::/16
          - 2620:4f:8000::/48
          - 3fff::/20
  ports:
    - {port: 80, protocol: TCP}
    - {port: 443, protocol: TCP}
{{- end -}}

{{- define "video2mp3.storePort" -}}
{{- get (dict "mysql" 3306 "mongodb" 27017 "rabbitmq" 5672) .component -}}
{{- end -}}
