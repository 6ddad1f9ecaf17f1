#!/bin/bash
# The source archive: `smpipe source pack`, as a user types it (it reads smpipe.yaml and git, hashes the tree and packs it),
# against Python's tarfile, as the SageMaker SDK packs, `tar | gzip -6` and `tar | pigz`. The tree is made of Python's
# library: the first FILES files of it in byte order, of at most 128 KiB each, committed and packed as in a clone. One after the
# other in each round, from page cache; medians of RUNS rounds, CPU seconds and peak memory by GNU time.
set -eu
SMPIPE=${SMPIPE:-$PWD/build/smpipe}
RUNS=${RUNS:-15}
FILES=${FILES:-600}
T=$(mktemp -d /tmp/smpipe-bench.XXXXXX)
trap 'cd /; rm -rf "$T"' EXIT
export HOME=$T GIT_CONFIG_NOSYSTEM=1 LC_ALL=C.UTF-8

mkdir -p "$T/project/src"
cd "$T/project"
(cd /usr/lib && find -L python3 python3.* -name '*.py' -type f -size -128k 2> /dev/null | LC_ALL=C sort | head -n "$FILES" | tar -chf - -T -) |
	tar -xf - -C src
[ "$(find src -type f | wc -l)" -eq "$FILES" ] || { echo "there are not $FILES files of Python below /usr/lib" >&2; exit 1; }
echo 'print("train")' > src/train.py
cat > smpipe.yaml << 'END'
version: 1
name: bench
image: {uri: "registry.example/bench@sha256:0000000000000000000000000000000000000000000000000000000000000000"}
source: {source_dir: src, entry_point: train.py}
estimator: {instance_type: ml.m5.large}
END
git init -q
git add -A
git -c user.name=bench -c user.email=bench@example.org commit -qm Start
git gc -q
cat > "$T/python" << 'END'
import sys, tarfile
with tarfile.open(sys.argv[2], "w:gz") as t:
    t.add(sys.argv[1], arcname=".")
END

# measure NAME COMMAND …: wall time, CPU seconds and peak memory of one run, appended to $T/NAME.runs.
measure() {
	local name=$1 start end
	shift
	start=${EPOCHREALTIME/./}
	/usr/bin/time -o "$T/time" -f '%U %S %M' "$@" > "$T/out" 2>&1 || { cat "$T/out" >&2; exit 1; }
	end=${EPOCHREALTIME/./}
	echo "$((end - start)) $(cat "$T/time")" >> "$T/$name.runs"
}
command -v pigz > /dev/null || echo 'pigz is not installed: skipped'
for ((i = 0; i <= RUNS; i++)); do
	measure smpipe "$SMPIPE" source pack -o "$T/smpipe.tar.gz"
	measure python /usr/bin/python3 "$T/python" src "$T/python.tar.gz"
	measure gzip sh -c "tar -cf - -C src . | gzip -6 > '$T/gzip.tar.gz'"
	! command -v pigz > /dev/null || measure pigz sh -c "tar -cf - -C src . | pigz > '$T/pigz.tar.gz'"
	# The first round warms the cache.
	[ "$i" -gt 0 ] || rm "$T"/*.runs
done

middle='{ v[NR] = $1 } END { print v[int((NR + 1) / 2)] }'
median() { awk -v c="$2" '{ print $c }' "$T/$1.runs" | sort -n | awk "$middle"; }
# How many times as long as smpipe in the same round.
ratio() { paste "$T/$1.runs" "$T/smpipe.runs" | awk '{ print $1 / $5 }' | sort -n | awk "$middle"; }
base=$(zcat "$T/smpipe.tar.gz" | gzip -6 | wc -c)
echo "$((FILES + 1)) files, a tar of $(zcat "$T/smpipe.tar.gz" | wc -c) bytes; medians of $RUNS rounds (and the best); $(nproc) processors"
for name in smpipe python gzip pigz; do
	[ -s "$T/$name.runs" ] || continue
	awk -v n=$name -v w="$(median $name 1)" -v best="$(sort -n "$T/$name.runs" | head -n 1)" -v u="$(median $name 2)" \
		-v s="$(median $name 3)" -v m="$(median $name 4)" -v r="$(ratio $name)" -v b="$(stat -c %s "$T/$name.tar.gz")" 'BEGIN {
		printf "  %-7s %5.0f ms (%4.0f)  %5.2f s CPU  %3.0f MiB  %8d bytes  %4.1f × smpipe\n", n, w / 1000, best / 1000, u + s,
			m / 1024, b, r }'
done
awk -v s="$(stat -c %s "$T/smpipe.tar.gz")" -v b="$base" \
	'BEGIN { printf "  the same tar by gzip -6: %d bytes; smpipe %+.2f %%\n", b, 100 * (s - b) / b }'
