#!/bin/sh
# The product's image from its Dockerfile as it is: image.sh STORAGE CONTEXT ID ARCHIVE TAG. ID gets what identifies it, and
# is the same for the same context; ARCHIVE, unless it is "-", the image. pip's settings of this machine and what it trusts are mounted for the build only. runc and not crun, which refuses
# a hybrid of cgroups v1 and v2. The host's network: buildah would leave a bridge and rules.
set -eu
storage=$(realpath -m "$1") context=$2 id=$3 archive=$4 tag=$5
b() { buildah --root "$storage" --runroot "$storage.run" --storage-driver overlay "$@"; }
set --
for file in /etc/pip.conf /etc/ssl/certs/ca-certificates.crt; do
  [ ! -e $file ] || set -- "$@" --volume "$file:$file:ro"
done
b build --pull-never --network host --runtime "$(command -v runc)" --format oci --timestamp "$EPOCH" \
  --build-arg SOURCE_DATE_EPOCH="$EPOCH" --build-arg REVISION=tests --build-arg PYTHON_IMAGE="$BASE" "$@" --iidfile "$id" -t "$tag" "$context"
[ "$archive" != - ] || exit 0
rm -f "$archive"
b push -q "$tag" "docker-archive:$archive:$tag"
