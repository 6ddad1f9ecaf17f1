#!/bin/bash
# Cold start: from exec to the answer of the first signed request, GetCallerIdentity, asked of the local cloud. `smpipe list`
# in a repository without jobs (smpipe.yaml, git, credentials, one request) against Debian's `aws sts get-caller-identity`.
# Pairs, one after the other, so that both meet the same machine; medians. RUNS is the number of pairs.
set -eu
SMPIPE=${SMPIPE:-$PWD/build/smpipe}
RUNS=${RUNS:-21}
T=$(mktemp -d /tmp/smpipe-bench.XXXXXX)
trap 'cd /; "$SMPIPE" local down --dir "$T/iris/.smpipe/local" > /dev/null 2>&1 || :; rm -rf "$T"' EXIT
export HOME=$T GIT_CONFIG_NOSYSTEM=1 LC_ALL=C.UTF-8
unset AWS_PROFILE AWS_REGION AWS_DEFAULT_REGION AWS_CA_BUNDLE AWS_ENDPOINT_URL AWS_SESSION_TOKEN
git config --global user.name bench
git config --global user.email bench@example.org

"$SMPIPE" init "$T/iris" > /dev/null 2>&1
cd "$T/iris"
git add -A
git commit -qm Start
"$SMPIPE" local up > /dev/null 2>&1
eval "$("$SMPIPE" local env 2> /dev/null)"

# measure NAME COMMAND …: microseconds of one run, appended to $T/NAME.
measure() {
	local name=$1 start end
	shift
	start=${EPOCHREALTIME/./}
	"$@" > "$T/out" 2>&1 || { cat "$T/out" >&2; exit 1; }
	end=${EPOCHREALTIME/./}
	echo $((end - start)) >> "$T/$name.us"
}
aws=(/usr/bin/aws --endpoint-url "$AWS_ENDPOINT_URL" sts get-caller-identity)
for ((i = 0; i < RUNS; i++)); do
	measure nothing /bin/true
	measure loading "$SMPIPE" version
	measure smpipe "$SMPIPE" list
	measure awscli "${aws[@]}"
done

# median NAME: in milliseconds.
median() { sort -n "$T/$1.us" | awk '{ v[NR] = $1 } END { printf "%.1f", v[int((NR + 1) / 2)] / 1000 }'; }
memory() { (/usr/bin/time -f %M "$@" > /dev/null) 2>&1 | tail -n 1 | awk '{ printf "%.0f MiB", $1 / 1024 }'; }
if [ -x /usr/bin/time ]; then smpipe_memory=", $(memory "$SMPIPE" list)" aws_memory=", $(memory "${aws[@]}")"; fi
echo "median of $RUNS pairs"
echo "  a process that does nothing    $(median nothing) ms"
echo "  smpipe version (loading alone) $(median loading) ms"
echo "  smpipe, first signed request   $(median smpipe) ms${smpipe_memory:-}"
echo "  aws sts get-caller-identity    $(median awscli) ms${aws_memory:-}"
awk -v a="$(median awscli)" -v s="$(median smpipe)" 'BEGIN { printf "  %.0f times as fast\n", a / s }'
