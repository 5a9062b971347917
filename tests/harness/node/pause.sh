#!/bin/sh
# What holds a pod's namespaces: pause.sh STORAGE DIRECTORY ARCHIVE.
set -eu
storage=$(realpath -m "$1") directory=$2 archive=$3
b() { buildah --root "$storage" --runroot "$storage.run" --storage-driver overlay "$@"; }
gcc -O2 -static -s -o "$directory/pause" -x c - <<'C'
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>
static void end(int s) { _exit(0); }
static void reap(int s) { while (waitpid(-1, 0, WNOHANG) > 0); }
int main(void) { signal(SIGTERM, end); signal(SIGINT, end); signal(SIGCHLD, reap); for (;;) pause(); }
C
c=$(b from scratch); b copy -q "$c" "$directory/pause" /pause
b config --entrypoint '["/pause"]' "$c"; b commit -q --rm "$c" docker.io/library/pause:1
rm -f "$archive"
b push -q docker.io/library/pause:1 "docker-archive:$archive:docker.io/library/pause:1"
