# Sourced by the end-to-end tests: TAP, a temporary folder of their own, a project, the local cloud.
#
# A test is a shell script that sources this file, calls the check functions and ends with `finish`. $SMPIPE is the program,
# $DOCKER_HOST an Engine that answers, $T a fresh folder that is removed at the end (kept when something failed and KEEP=1).

set -u
ROOT=$(cd "$(dirname "$0")/../.." && pwd)
SMPIPE=${SMPIPE:-$ROOT/${BUILD:-build}/smpipe}
TESTNAME=$(basename "$0" .t)
T=$(mktemp -d "${TMPDIR:-/tmp}/smpipe-$TESTNAME.XXXXXX")
export HOME=$T/home GIT_CONFIG_NOSYSTEM=1 LC_ALL=C.UTF-8
mkdir -p "$HOME"
# Nothing of the machine's own AWS or git configuration may leak into a test.
unset AWS_PROFILE AWS_REGION AWS_DEFAULT_REGION AWS_ACCESS_KEY_ID AWS_SECRET_ACCESS_KEY AWS_SESSION_TOKEN AWS_ENDPOINT_URL \
	GITHUB_ACTIONS GIT_DIR GIT_AUTHOR_NAME GIT_AUTHOR_EMAIL GIT_COMMITTER_NAME GIT_COMMITTER_EMAIL 2>/dev/null
git config --global user.name 'Test User'
git config --global user.email test@example.org
git config --global init.defaultBranch main

count=0
failures=0
clouds=''

# ok STATUS WORDS: one TAP line; 0 passes.
ok() {
	count=$((count + 1))
	if [ "$1" -eq 0 ]; then
		printf 'ok %d - %s\n' "$count" "$2"
	else
		failures=$((failures + 1))
		printf 'not ok %d - %s\n' "$count" "$2"
		[ ! -s "$T/out" ] || sed 's/^/#   out: /' "$T/out" | tail -n 30
		[ ! -s "$T/err" ] || sed 's/^/#   err: /' "$T/err" | tail -n 30
	fi
}

# todo STATUS WORDS REASON: one TAP line for what is known not to hold; it fails nothing.
todo() {
	count=$((count + 1))
	[ "$1" -eq 0 ] || printf 'not '
	printf 'ok %d - %s # TODO %s\n' "$count" "$2" "$3"
}

# run COMMAND …: stdout to $T/out, stderr to $T/err, exit status to $status. Never ends the test.
run() {
	status=0
	"$@" > "$T/out" 2> "$T/err" < /dev/null || status=$?
}

# expect STATUS WORDS: the last run ended with STATUS.
expect() {
	[ "$status" -eq "$1" ]
	ok $? "$2 (exit $1)"
	[ "$status" -eq "$1" ] || printf '#   exit was %d\n' "$status"
}

# out_has / err_has PATTERN WORDS: the last run's output has a line that matches the extended regular expression.
out_has() {
	grep -Eq -- "$1" "$T/out"
	ok $? "$2"
}
err_has() {
	grep -Eq -- "$1" "$T/err"
	ok $? "$2"
}
err_lacks() {
	! grep -Eq -- "$1" "$T/err"
	ok $? "$2"
}

# said PATTERN WORDS: the last run said it in one line.
said() {
	same "$(grep '^smpipe: ' "$T/err" | grep -Ec -- "$1")" 1 "$2"
}

# wait_for FILE PATTERN: until the file has such a line; at most 20 s.
wait_for() {
	for try in $(seq 400); do
		grep -Eqs -- "$2" "$1" && return 0
		sleep 0.05
	done
	echo "# '$2' does not come"
	return 1
}

# same A B WORDS: two strings are equal.
same() {
	[ "$1" = "$2" ]
	ok $? "$3"
	[ "$1" = "$2" ] || printf '#   got:  %s\n#   want: %s\n' "$1" "$2"
}

# skip WORDS: one skipped check (a failure in CI: see tools/run-tests).
skip() {
	count=$((count + 1))
	printf 'ok %d # SKIP %s\n' "$count" "$1"
}

# new_project NAME: a native project, built and committed, in $T/NAME; becomes the working folder.
new_project() {
	"$SMPIPE" init "$T/$1" > /dev/null
	cd "$T/$1" || exit 1
	make > /dev/null 2>&1
	commit Start
	clouds="$clouds $T/$1"
}

# new_channel_project NAME: the repository whose code comes through a channel (static busybox: Debian's, or $BUSYBOX).
new_channel_project() {
	cp -r "$ROOT/tests/fixtures/channel" "$T/$1"
	cp "${BUSYBOX:-/bin/busybox}" "$T/$1/busybox"
	cd "$T/$1" || exit 1
	git init -q
	commit Start
	clouds="$clouds $T/$1"
}

commit() {
	git add -A
	git commit -qm "$1"
}

# use_cloud: make the current project's local cloud the AWS of other clients (aws is Debian's).
use_cloud() {
	"$SMPIPE" local up > /dev/null 2>&1
	eval "$("$SMPIPE" local env)"
	unset AWS_PROFILE
}
aws() {
	/usr/bin/aws --endpoint-url "$AWS_ENDPOINT_URL" "$@"
}

# use_empty_cloud: the same for a cloud of no project. $local is its state.
use_empty_cloud() {
	mkdir "$T/cloud"
	cd "$T/cloud" || exit 1
	clouds="$clouds $T/cloud"
	use_cloud
	local=$T/cloud/.smpipe/local
}

# engine METHOD PATH …: ask the Engine; the rest is for curl.
engine() {
	method=$1 path=$2
	shift 2
	curl -fsS --noproxy '*' --unix-socket "${DOCKER_HOST#unix://}" -X "$method" "http://localhost$path" "$@"
}

# make_image NAME:TAG: an image of what lies in $T/root and the static busybox, without a build.
make_image() {
	mkdir -p "$T/root/bin" "$T/root/tmp"
	cp "${BUSYBOX:-/bin/busybox}" "$T/root/bin/busybox"
	tar -C "$T/root" -cf "$T/root.tar" .
	engine POST "/images/create?fromSrc=-&repo=${1%:*}&tag=${1#*:}" -H 'Content-Type: application/x-tar' \
		--data-binary "@$T/root.tar" -o /dev/null
}

# json FILTER: jq -r over the last run's stdout.
json() {
	jq -r "$1" < "$T/out"
}

finish() {
	cd / || exit 1
	for p in $clouds; do
		[ -d "$p/.smpipe/local" ] || continue
		"$SMPIPE" local down --dir "$p/.smpipe/local" > /dev/null 2>&1
		# A cloud is a process of its own: what the sanitizers say of it stands in its log only.
		grep -E 'ERROR: [A-Za-z]+Sanitizer|runtime error:' "$p/.smpipe/local/cloud.log" > "$T/err" 2> /dev/null && ok 1 "the cloud of $p is sound"
	done
	[ "$failures" -ne 0 ] && [ -n "${KEEP:-}" ] || rm -rf "$T"
	printf '1..%d\n' "$count"
	[ "$failures" -eq 0 ] || exit 1
	exit 0
}
trap 'exit 1' INT TERM
