# Argo CD and its own definitions and defaults: build.sh DIR makes DIR/argocd. Its modules need a newer Go than the rest of
# the project does, which the go command takes from where it takes modules.
set -eu
out=$1/argocd
mkdir "$out"
cd "$(dirname "$0")"
export GOTOOLCHAIN=go1.27.3
go build -trimpath -buildvcs=false -gcflags=all=-dwarf=false -ldflags='-s -w' -o "$out/argocd" .
source=$(go list -m -f '{{.Dir}}' github.com/argoproj/argo-cd/v3)
cp -r "$source/manifests/crds" "$source/manifests/base/config" "$out/"
mkdir "$out/bin"   # the repo server calls them by their names
install -m 755 "$source"/hack/git-verify-wrapper.sh "$source"/hack/gpg-wrapper.sh "$source"/hack/git-ask-pass.sh "$out/bin/"
chmod -R u+w "$out"
