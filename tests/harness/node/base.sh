#!/bin/sh
# The base of the image, from no registry: Debian's minimal system, and this machine's CPython in /usr/local laid out as in
# the real one, with pip, setuptools and ensurepip. Unlike the real one: its own patch level, no wheel, this Debian's release.
# base.sh STORAGE DIRECTORY: into buildah's STORAGE; DIRECTORY is for what is made on the way.
set -eu
storage=$(realpath -m "$1") root=$2/root
b() { buildah --root "$storage" --runroot "$storage.run" --storage-driver overlay "$@"; }
prefix=$("$PYTHON" -c 'import sys; print(sys.base_prefix)')
release=$(. /etc/os-release; echo "$VERSION_CODENAME")
rm -rf "$root"; mkdir -p "$root"
sources=/etc/apt/sources.list.d/debian.sources; [ -e $sources ] || sources=/etc/apt/sources.list
mmdebstrap --quiet --variant=minbase --dpkgopt='path-exclude=/usr/share/man/*' --dpkgopt='path-exclude=/usr/share/locale/*' \
  --dpkgopt='path-exclude=/usr/share/doc/*' \
  --include=ca-certificates,netbase,tzdata,libssl3,libffi8,libsqlite3-0,libreadline8,liblzma5,libbz2-1.0,zlib1g,libexpat1,libuuid1,libncursesw6,libgdbm6,libnsl2,libtirpc3,libdb5.3,libcrypt1 \
  "$release" "$root" < "$sources"
rm -rf "$root"/var/lib/apt/lists/* "$root"/var/cache/apt/* "$root"/etc/apt/sources.list*
(cd "$prefix" && tar --exclude='site-packages/*' --exclude=test --exclude=tests --exclude=idle_test --exclude=__pycache__ \
  --exclude='*.a' --exclude='config-3.11-*' -cf - lib/python3.11 $(ls -d lib/libpython3*.so* 2>/dev/null || true) bin/python3.11) \
  | tar -C "$root/usr/local" -xf -
ln -sf python3.11 "$root/usr/local/bin/python3"; ln -sf python3 "$root/usr/local/bin/python"; touch "$root/etc/pip.conf"
chroot "$root" ldconfig
chroot "$root" /usr/local/bin/python -m ensurepip --default-pip
find "$root/usr/local" -name __pycache__ -prune -exec rm -rf {} +
c=$(b from scratch); b add -q "$c" "$root" /
b config --env PATH=/usr/local/bin:/usr/local/sbin:/usr/sbin:/usr/bin:/sbin:/bin --env LANG=C.UTF-8 --cmd python3 "$c"
b commit -q --rm "$c" "$BASE"
rm -rf "$root"
b inspect --type image --format '{{.FromImageID}}' "$BASE" > "$2/base"
