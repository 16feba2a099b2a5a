#!/bin/bash
# GNU parallel drives `qxbatch worker`: parallel.sh SESSIONSFOLDER [OPTION...]
# JOBS workers run at once (4 where it is not set). Call it again after an interruption: what is imported is a success.
set -u
sessions=$1
shift
status=0
find "$sessions/inbox/MR" -mindepth 1 -maxdepth 1 -printf '%f\0' | sort -z |
    parallel -0 --jobs "${JOBS:-4}" --joblog "$sessions/parallel.log" \
        qxbatch worker "$sessions" --packet={} --check=no --n-procs=1 "$@" || status=1
qxbatch "$sessions/inbox/MR" "$sessions" group --check=no || status=1
exit "$status"
