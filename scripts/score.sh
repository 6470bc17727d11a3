#!/usr/bin/env bash
# Scores the flow list against the truth table of a folder of real captures.
#
# usage: PORTOLAN_CORPUS=FOLDER scripts/score.sh [PORTOLAN]
#
# FOLDER holds captures in subfolders, truth.tsv, counts.tsv and score.py. PORTOLAN is the program
# to score, by default the release build, which is made when it is missing. Link types and
# encapsulations that are not decoded are left out of the truth; ALL=1 keeps them in.
set -euo pipefail

root=$(cd "$(dirname "$0")/.." && pwd)
corpus=${PORTOLAN_CORPUS:?names the folder of captures}
portolan=${1:-$root/target/release/portolan}
if [[ ! -x $portolan ]]; then
    cargo build --release --quiet --manifest-path "$root/Cargo.toml"
fi

# As decoded by src/decode.
links="0 1 9 12 14 50 101 108 113 228 229 276"
closed=mpls,gre,erspan,vxlan,geneve,ipip,6in4,4in6,6in6,gtp,teredo,pppoe,ppp,l2tp,capwap
closed+=,vntag,nsh,macsec,ayiya,fabricpath

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

if [[ -n ${ALL:-} ]]; then
    python3 "$corpus/score.py" "$work/flows" "$corpus/truth.tsv"
    exit
fi
awk -F '\t' -v links="$links" '
    BEGIN { split(links, list, " "); for (i in list) decoded[list[i]] = 1 }
    NR == 1 || $2 in decoded
' "$corpus/truth.tsv" >"$work/truth.tsv"
python3 "$corpus/score.py" "$work/flows" "$work/truth.tsv" --skip-encap "$closed"
