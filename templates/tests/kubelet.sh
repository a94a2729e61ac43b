# What a kubelet would do with a Deployment's pods, where nothing runs pods: the same program, as processes of this machine.
# shellcheck shell=bash

# start_pod NAMESPACE DEPLOYMENT POD PROGRAM
#
# With the rights of the Deployment's ServiceAccount, the settings of the ConfigMap that it mounts, its arguments and its variables.
# Only ports are others, because all pods share one address here.
start_pod() {
    local namespace=$1 deployment=$2 pod=$3 program=$4
    local folder=$scratch/pods/$pod
    mkdir -p "$folder/settings"
    of_deployment() {
        kubectl --namespace "$namespace" get deployment "$deployment" --output jsonpath="{.spec.template.spec$1}"
    }

    # The token.
    local account
    account=$(of_deployment .serviceAccountName)
    kubectl config view --raw --minify >"$folder/kubeconfig"
    kubectl --kubeconfig "$folder/kubeconfig" config set-credentials pod >/dev/null \
        --token "$(kubectl --namespace "$namespace" create token "$account")"
    kubectl --kubeconfig "$folder/kubeconfig" config set-context --current --user pod >/dev/null

    # The settings.
    local map file
    map=$(of_deployment '.volumes[0].configMap.name')
    for file in $(kubectl --namespace "$namespace" get configmap "$map" \
        --output go-template='{{range $file, $text := .data}}{{$file}} {{end}}'); do
        kubectl --namespace "$namespace" get configmap "$map" \
            --output go-template="{{index .data \"$file\"}}" >"$folder/settings/$file"
    done

    # The variables.
    local variables=() name field
    while read -r name field; do
        case $field in
        metadata.name) variables+=("$name=$pod") ;;
        metadata.namespace) variables+=("$name=$namespace") ;;
        metadata.uid) variables+=("$name=uid-of-$pod") ;;
        *) fail "nothing is known of $field, the variable $name" ;;
        esac
    done < <(kubectl --namespace "$namespace" get deployment "$deployment" --output \
        jsonpath='{range .spec.template.spec.containers[0].env[*]}{.name} {.valueFrom.fieldRef.fieldPath}{"\n"}{end}')

    # The arguments, which name the mounted folder.
    local arguments=() argument mounted
    mounted=$(of_deployment '.containers[0].volumeMounts[0].mountPath')
    for argument in $(of_deployment '.containers[0].args[*]'); do
        arguments+=("${argument/"$mounted"/"$folder/settings"}")
    done

    # `env -i`: nothing of this machine's variables.
    (
        cd "$folder"
        exec env -i PATH="$PATH" HOME="$folder" KUBECONFIG="$folder/kubeconfig" "${variables[@]}" \
            KubeOps__HealthAddress=127.0.0.1:0 KubeOps__MetricsAddress=127.0.0.1:0 \
            "$program" "${arguments[@]}"
    ) >"$folder/log" 2>&1 &
    pods[$pod]=$!
    logs+=("$folder/log")
}

# Whether a pod answers 200 on a path of its probes.
probe() {
    local address
    address=$(grep --only-matching --max-count 1 'health on http://[0-9.:]*' "$scratch/pods/$1/log")
    curl --fail --silent --show-error --max-time 5 "http://${address##*/}$2"
}
