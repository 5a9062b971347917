# Flux' kustomize-controller and the definitions of its kinds: build.sh DIR makes DIR/flux.
set -eu
out=$1/flux
mkdir "$out"
cd "$(dirname "$0")"
go build -trimpath -buildvcs=false -ldflags='-s -w' -o "$out/kustomize-controller" github.com/fluxcd/kustomize-controller
mkdir "$out/crds"
for module in kustomize-controller source-controller; do
  cp "$(go list -m -f '{{.Dir}}' "github.com/fluxcd/$module")"/config/crd/bases/*.yaml "$out/crds/"
done
chmod -R u+w "$out"
