#!/usr/bin/env bash
# Whatever names are chosen, a project is as good as the one with the usual names, or is refused with the reason.
# `cargo xtask templates` runs it.

. "$KUBEOPS/templates/tests/common.sh"

# refuses WORDS TEMPLATE PROJECT ARGUMENTS…: it says WORDS, and writes no file.
refuses() {
    local words=$1 template=$2 project=$3
    shift 3
    if generate "$template" "$project" "$@" 2>"$scratch/refusal" >/dev/null; then
        fail "$template takes $project $*"
    fi
    grep --quiet --fixed-strings "$words" "$scratch/refusal" || fail "$project $*: $(cat "$scratch/refusal")"
    # cargo-generate itself leaves the folder.
    rmdir "$project" || fail "something of $project is left behind"
    echo "refused: $project $*"
}

step "names that can't be"
for kind in website web-site 2Website Web_Site "Web Site" Website🕸 A123456789012345678901234567890; do
    refuses 'not a valid value for kind' operator website-operator --define "kind=$kind"
done
for kind in Type Self Context ConfigMap Vec; do
    refuses "the kind \`$kind\` can't be" operator website-operator --define "kind=$kind"
done
for group in example Example.com example..com -example.com example.com- exam_ple.com; do
    refuses 'not a valid value for group' operator website-operator --define "group=$group"
done
for group in apps.k8s.io kubernetes.io; do
    refuses "the group \`$group\` belongs to Kubernetes" operator website-operator --define "group=$group"
done
for template in operator operator-empty; do
    for project in type serde kubeops; do
        refuses "the project's name \`$project\` is taken" $template $project
    done
    refuses "the project's name \`1st\` must be" $template 1st
done
refuses "not a valid value for kubeops" operator website-operator --define kubeops=not-a-source

step "names that can be"
for kind in A VPN Ingress GameServer HTTPRoute2 A12345678901234567890123456789 AbAbAbAbAbAbAbAbAbAbAbAbAbAbAb; do
    rm -rf a
    generate operator a --define "kind=$kind" --define group=a.b-c.d1 >/dev/null
    (cd a && try cargo fmt --check)
done
generate operator edge_routes2 --define kind=HTTPRoute2 --define group=routes.example.co.uk
cd edge_routes2
generate_all
workflow
cd ..

step "where the SDK comes from"
# sdk_from SOURCE LINE: cargo reads the manifest, and LINE is in it. There is nothing to build it from.
sdk_from() {
    rm -rf a
    generate operator a --define "kubeops=$1" >/dev/null
    cargo metadata --no-deps --format-version 1 --manifest-path a/Cargo.toml >/dev/null
    grep --line-regexp --fixed-strings "$2" a/Cargo.toml || fail "$1: $(grep '^kubeops' a/Cargo.toml)"
}
of_workspace() { sed -n "s/^$1 = \"\(.*\)\"/\1/p" "$KUBEOPS/Cargo.toml"; }
sdk_from git "kubeops = { git = \"$(of_workspace repository)\" }"
version=$(of_workspace version)
sdk_from version "kubeops = \"${version%.*}\""

step "as the documentation tells it: templates and SDK from a repository"
git clone --quiet --bare "$KUBEOPS" repository
try cargo generate --git "file://$scratch/repository" templates/operator --name from-git --silent \
    --define "kubeops-git=file://$scratch/repository" >from-git.generated
cp "$KUBEOPS/Cargo.lock" from-git/
(cd from-git && try cargo tree --depth 1)
