#!/bin/bash
# HyperQueue drives `qxbatch worker`: hyperqueue.sh SESSIONSFOLDER [OPTION...]
# Start `hq server start` and its workers first, for example by `hq alloc add slurm --time-limit 2h`.
set -eu
sessions=$(realpath "$1")
shift
find "$sessions/inbox/MR" -mindepth 1 -maxdepth 1 -printf '%f\n' | sort >"$sessions/packets.txt"
status=0
hq submit --wait --cpus=2 --each-line="$sessions/packets.txt" --name=qxbatch \
    bash -c 'qxbatch worker "$0" --packet="$HQ_ENTRY" --check=no --n-procs=2 "$@"' "$sessions" "$@" || status=1
qxbatch "$sessions/inbox/MR" "$sessions" group --check=no || status=1
exit "$status"
