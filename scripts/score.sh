#!/usr/bin/env bash
# Scores the flow list against the truth table of a folder of real captures.
#
# usage: PORTOLAN_CORPUS=FOLDER scripts/score.sh [PORTOLAN]
#
# FOLDER holds captures in subfolders, truth.tsv, counts.tsv and score.py. PORTOLAN is the program
# to score, by default the release build, which is made when it is missing. docs/accuracy.md explains
# every difference.
set -euo pipefail

root=$(cd "$(dirname "$0")/.." && pwd)
corpus=${PORTOLAN_CORPUS:?names the folder of captures}
portolan=${1:-$root/target/release/portolan}
if [[ ! -x $portolan ]]; then
    cargo build --release --quiet --manifest-path "$root/Cargo.toml"
fi

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
mkdir "$work/flows"
while IFS=$'\t' read -r file _; do
    # Without a site nothing can be said of compliance, and some inputs are broken on purpose.
    status=0
    # The truth counts every copy of a packet.
    "$portolan" check "$corpus/$file" --quiet --threads 1 --keep-copies \
        --flows "$work/flows/$(basename "$file").ndjson" 2>>"$work/messages" || status=$?
    if ((status != 2 && status != 3)); then
        echo "exit status $status for $file" >&2
        exit 1
    fi
done < <(tail -n +2 "$corpus/counts.tsv")

python3 "$corpus/score.py" "$work/flows" "$corpus/truth.tsv"
