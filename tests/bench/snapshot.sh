#!/bin/bash
# Snapshots of data that did not change: `smpipe plan --local` in a project with one channel of N files of 4 KiB, first
# without an index (every byte is hashed), then with it. `git status` in a repository of the same files stands beside it:
# its index does the same for the same reason. Medians of RUNS; N from SIZES; the growth shows that all of it is linear.
set -eu
SMPIPE=${SMPIPE:-$PWD/build/smpipe}
RUNS=${RUNS:-5}
SIZES=${SIZES:-1000 10000 100000}
T=$(mktemp -d "${TMPDIR:-/tmp}/smpipe-bench.XXXXXX")
trap 'cd /; "$SMPIPE" local down --dir "$T/iris/.smpipe/local" > /dev/null 2>&1 || :; rm -rf "$T"' EXIT
export HOME=$T GIT_CONFIG_NOSYSTEM=1 LC_ALL=C.UTF-8
unset AWS_PROFILE AWS_REGION AWS_DEFAULT_REGION AWS_CA_BUNDLE AWS_ENDPOINT_URL AWS_SESSION_TOKEN
git config --global user.name bench
git config --global user.email bench@example.org
git config --global gc.auto 0

"$SMPIPE" init "$T/iris" > /dev/null 2>&1
cd "$T/iris"
make > /dev/null 2>&1
sed -i "s,train: data/train,train: $T/data," smpipe.yaml
git add -A
git commit -qm Start
"$SMPIPE" local up > /dev/null 2>&1

# measure NAME COMMAND …: milliseconds and KiB of one run, appended to $T/NAME.
measure() {
	local name=$1 start end
	shift
	start=${EPOCHREALTIME/./}
	/usr/bin/time -f %M -o "$T/rss" "$@" > "$T/out" 2>&1 || { cat "$T/out" >&2; exit 1; }
	end=${EPOCHREALTIME/./}
	echo "$(((end - start) / 1000)) $(tail -n 1 "$T/rss")" >> "$T/$name"
}
# median NAME: "270 ms, 54 MiB".
median() {
	awk -v ms="$(sort -n "$T/$1" | awk '{ v[NR] = $1 } END { print v[int((NR + 1) / 2)] }')" \
		'$2 > kib { kib = $2 } END { printf "%5d ms, %3d MiB", ms, kib / 1024 }' "$T/$1"
}

echo "median time and peak memory of $RUNS runs"
printf '%9s   %-17s   %-17s   %-17s\n' files 'first, all hashed' 'unchanged' 'git status'
for n in $SIZES; do
	rm -rf "$T/data" "$T/first" "$T/second" "$T/git"
	for ((d = 0; d < (n + 999) / 1000; d++)); do
		mkdir -p "$T/data/class_$d"
		head -c $((1000 * 4096)) /dev/urandom | split -b 4096 -a 3 -d - "$T/data/class_$d/image_"
	done
	git -C "$T/data" init -q
	git -C "$T/data" add -A
	mv "$T/data/.git" "$T/data.git"
	# What was written within two seconds of a scan is not trusted: see s3/index.h.
	sleep 2.5
	for ((i = 0; i < RUNS; i++)); do
		rm -rf .smpipe/index
		measure first "$SMPIPE" plan --local
		measure second "$SMPIPE" plan --local
		measure git git --git-dir="$T/data.git" --work-tree="$T/data" status --short
	done
	printf '%9d   %s   %s   %s\n' "$n" "$(median first)" "$(median second)" "$(median git)"
	rm -rf "$T/data.git"
done
