{{- /* Written by `guestbook generate helm` of guestbook 0.1.0, and again each time. Changes belong into values of your own. */ -}}
{{- define "operator.fullname" -}}
{{- $name := default .Chart.Name .Values.nameOverride -}}
{{- $made := ternary .Release.Name (printf "%s-%s" .Release.Name $name) (contains $name .Release.Name) -}}
{{- default $made .Values.fullnameOverride | trunc 50 | trimSuffix "-" -}}
{{- end -}}

{{- /* For what has no namespace, so that releases in different ones do not share it. */ -}}
{{- define "operator.clusterName" -}}
{{ .Release.Namespace }}:{{ include "operator.fullname" . }}
{{- end -}}

{{- define "operator.selectorLabels" -}}
app.kubernetes.io/name: guestbook
app.kubernetes.io/instance: {{ .Release.Name }}
app.kubernetes.io/component: operator
{{- end -}}

{{- define "operator.labels" -}}
{{ include "operator.selectorLabels" . }}
app.kubernetes.io/version: {{ .Chart.AppVersion | replace "+" "-" | quote }}
app.kubernetes.io/managed-by: {{ .Release.Service }}
helm.sh/chart: {{ printf "%s-%s" .Chart.Name .Chart.Version | replace "+" "_" | trunc 63 | trimSuffix "-" }}
{{- end -}}

{{- define "operator.serviceAccount" -}}
{{- default (ternary (include "operator.fullname" .) "default" .Values.serviceAccount.create) .Values.serviceAccount.name -}}
{{- end -}}

{{- define "operator.subjects" -}}
subjects:
- kind: ServiceAccount
  name: {{ include "operator.serviceAccount" . }}
  namespace: {{ .Release.Namespace }}
{{- end -}}

{{- define "operator.lock" -}}
{{- dig "KubeOps" "LeaderElectionId" (printf "%s-leader" (include "operator.fullname" .)) .Values.appsettings -}}
{{- end -}}

{{- define "operator.lockNamespace" -}}
{{- default .Release.Namespace .Values.leaderElection.namespace -}}
{{- end -}}

{{- /* The API group of the lock if it is a LeaderLock. */ -}}
{{- define "operator.leaderLockGroup" -}}
{{- if and .Values.leaderElection.enabled (eq .Values.leaderElection.lock "LeaderLock") -}}
{{- .Values.leaderElection.leaderLockApiVersion | splitList "/" | first -}}
{{- end -}}
{{- end -}}

{{- /* Not empty if a standby is not ready. */ -}}
{{- define "operator.onlyLeaderReady" -}}
{{- if eq (lower (toString (dig "KubeOps" "ReadyWhen" "Synced" .Values.appsettings))) "leading" -}}true{{- end -}}
{{- end -}}

{{- /* The port of an address such as [::]:8081; nothing for 0. */ -}}
{{- define "operator.port" -}}
{{- if ne (toString .) "0" -}}{{ regexFind "[0-9]+$" (toString .) }}{{- end -}}
{{- end -}}

{{- define "operator.healthPort" -}}
{{- include "operator.port" (dig "KubeOps" "HealthAddress" "[::]:8081" .Values.appsettings) -}}
{{- end -}}

{{- define "operator.metricsPort" -}}
{{- include "operator.port" (dig "KubeOps" "MetricsAddress" "[::]:8080" .Values.appsettings) -}}
{{- end -}}

{{- define "operator.appsettings" -}}
{{- $election := dict "EnableLeaderElection" .Values.leaderElection.enabled -}}
{{- $_ := set $election "LeaderElectionFence" .Values.leaderElection.fence -}}
{{- $_ := set $election "LeaderElectionId" (include "operator.lock" .) -}}
{{- $_ := set $election "LeaderElectionNamespace" (include "operator.lockNamespace" .) -}}
{{- if ne .Values.leaderElection.lock "Lease" -}}
{{- $_ := set $election "LeaderElectionLock" .Values.leaderElection.lock -}}
{{- end -}}
{{- if include "operator.leaderLockGroup" . -}}
{{- $_ := set $election "LeaderLockApiVersion" .Values.leaderElection.leaderLockApiVersion -}}
{{- end -}}
{{- mergeOverwrite (deepCopy .Values.appsettings) (dict "KubeOps" $election) | toPrettyJson -}}
{{- end -}}
