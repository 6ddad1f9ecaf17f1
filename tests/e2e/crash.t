#!/bin/sh
# `smpipe release` is killed with SIGKILL all along its way and run again: one job, one image tag, one record each; then
# the same for the local cloud under a release's feet.
. "$(dirname "$0")/lib.sh"
# LeakSanitizer cannot work under strace.
export ASAN_OPTIONS=detect_leaks=0

# Everything by which a release changes something, here or elsewhere. With ? a name that this machine lacks is no error.
calls=?connect,?sendto,?sendmsg,?fsync,?fdatasync,?rename,?renameat,?renameat2,?link,?linkat,?unlink,?unlinkat
calls=$calls,?mkdir,?mkdirat,?ftruncate,?write,?pwrite64

# More objects than other calls, so that the threads of source and data have points of their own.
new_channel_project base
for i in 1 2 3 4 5 6; do echo "$i" > "data/train/more$i.txt"; done
commit Data
cd "$T" || exit 1

# fresh FROM TO: a copy of the folder with a cloud of its own that runs already; strace is to follow the release alone.
fresh() {
	cp -a "$T/$1" "$T/$2"
	cd "$T/$2" || exit 1
	"$SMPIPE" local up > /dev/null 2>&1
}

# traced [CALL N]: a release under strace, its calls in .smpipe/trace; killed before some thread's Nth CALL.
traced() {
	strace -f -o .smpipe/trace -e trace="$calls" ${1:+-e inject="$1:signal=KILL:when=$2"} \
		"$SMPIPE" release --local --no-logs > .smpipe/out1 2> .smpipe/err1
}

# points_of TRACE: "CALL N" for each call, where N counts as strace does, for each thread and call. Lines to the terminal
# are no points, but count.
points_of() {
	awk '$2 ~ /^[a-z0-9]+\(/ {
		call = substr($2, 1, index($2, "(") - 1)
		n = ++seen[$1, call]
		if ($2 !~ /^write\([12],/ && !taken[call, n]++) print call, n
	}' "$1"
}

lines() { wc -l | tr -d ' '; }
count_files() { find .smpipe/local -path "$1" 2> /dev/null | lines; }

# check_state JOBS: what must hold in the working folder after the release that went through. Words about what does not.
check_state() {
	[ "$(count_files '.smpipe/local/jobs/*/job.json')" = "$1" ] || echo "not $1 job"
	[ "$(count_files '*/ecr/repositories/channel/tags/*')" = 1 ] || echo 'not one tag'
	[ "$(count_files '*/objects/channel/records/*.json')" = "$1" ] ||
		echo "not $1 record in S3: $(find .smpipe/local/s3 -path '*/channel/records/*' -type f)"
	[ "$(git notes --ref smpipe show HEAD 2> /dev/null | grep -c '^{')" = "$1" ] || echo "not $1 note line"
	[ "$(git for-each-ref refs/smpipe/jobs | grep -c ' tag	')" = "$1" ] || echo "not $1 tag object"
	jq -e . .smpipe/journal > /dev/null 2>&1 || echo 'the journal cannot be read'
	find .git -name '*.lock' | sed 's/^/left: /'
	git status --porcelain
	git fsck --no-dangling 2>&1 | grep -v '^notice:'
	"$SMPIPE" verify --local > .smpipe/verify 2>&1 || sed 's/^/verify: /' .smpipe/verify
}

# point FROM CALL N: kill there, run again, look. What is wrong goes to $T/bad.NAME.
point() {
	name=$1-$2-$3
	(
		fresh "$1" "$name"
		traced "$2" "$3"
		# No kill: the thread that had so many calls last time has fewer now.
		[ $? -eq 137 ] || : > "$T/alive.$name"
		if "$SMPIPE" release --local --no-logs > .smpipe/out2 2> .smpipe/err2; then
			check_state 1
			"$SMPIPE" release --local --no-logs > .smpipe/out3 2> .smpipe/err3 &&
				grep -q 'nothing to do' .smpipe/err3 || echo 'the third release did something'
		else
			echo "exit $?: $(grep smpipe: .smpipe/err2)"
		fi > "$T/bad.$name"
		"$SMPIPE" local down > /dev/null 2>&1
		cd "$T" && [ -s "bad.$name" ] && [ -n "${KEEP:-}" ] || rm -rf "${T:?}/$name"
	) &
	points="$points $name"
	[ $(($(echo "$points" | wc -w) % 6)) -ne 0 ] || wait
}

# judge: a TAP line for each point.
judge() {
	wait
	: > "$T/out"
	for name in $points; do
		cp "$T/bad.$name" "$T/err"
		[ ! -s "$T/err" ]
		ok $? "killed at $name"
		[ -e "$T/alive.$name" ] || killed=$((killed + 1))
	done
	points=''
}
points=''
killed=0

# kill_along FROM CHOICE: at those calls of the release just traced that awk chooses.
kill_along() {
	"$SMPIPE" local down > /dev/null 2>&1
	points_of .smpipe/trace > "$T/points"
	cd "$T" || exit 1
	while read -r call n; do
		point "$1" "$call" "$n"
	done <<-END
		$(awk "$2" points)
	END
	judge
}

# From nothing: the plan, the stages side by side, launch, record, watching.
fresh base clean
traced
status=$?
expect 0 'a release under strace goes through'
kill_along base '$1 == "write" ? w++ % 50 == 25 : n++ % 6 == 2'

# With the stages done there is only one thread left to hit. Every call from the journal's line about the launch to the
# one that the record is written, then every third up to the completed record.
fresh base staged
traced fdatasync 1
"$SMPIPE" local down > /dev/null 2>&1
same "$(count_files '.smpipe/local/jobs/*/job.json') $(count_files '*/tags/*')" '0 1' 'a release can be stopped before its launch'
fresh staged clean2
traced
kill_along staged '/fdatasync/ { d++ } d == 1 && m++ % 2 == 0 || d == 2 && r++ % 6 == 0'
[ $killed -ge 24 ]
ok $? "killed $killed times"

# whole: every object and every blob of the cloud has the content that its digest says.
whole() {
	(cd .smpipe/local/s3 && find . -path '*/objects/*' -type f) | while read -r object; do
		meta=.smpipe/local/s3/$(echo "$object" | sed 's,/objects/,/meta/,')%m
		[ "$(jq -r .etag "$meta" 2>&1)  -" = "$(md5sum < ".smpipe/local/s3/$object")" ] || echo "half written: $object"
	done
	for blob in .smpipe/local/ecr/repositories/channel/blobs/*; do
		[ "$(sha256sum < "$blob")" = "${blob##*/}  -" ] || echo "half written: $blob"
	done
}

# cloud_point FROM CALL N: the cloud is killed there; what the next release, with a new cloud, makes of it.
cloud_point() {
	name=cloud-$1-$2-$3
	(
		cp -a "$T/$1" "$T/$name"
		cd "$T/$name" || exit 1
		mkdir -p .smpipe/local
		# All copies know the same port and key: where one cloud has died, another must not take its calls.
		[ ! -f .smpipe/local/cloud.json ] ||
			{ jq '.port = 0' .smpipe/local/cloud.json > port && cat port > .smpipe/local/cloud.json && rm port; }
		strace -f -o .smpipe/trace -e trace="$calls" -e inject="$2:signal=KILL:when=$3" \
			"$SMPIPE" local serve --dir .smpipe/local --idle 100 > .smpipe/up 2> .smpipe/up.err &
		cloud=$!
		# Killed on its way up it never says where it is.
		eventually 'grep -qs http .smpipe/up || ! kill -0 "$cloud" 2> /dev/null'
		"$SMPIPE" release --local --no-logs > .smpipe/out1 2> .smpipe/err1
		first=$?
		kill -0 "$cloud" 2> /dev/null && : > "$T/alive.$name"
		[ $first -le 1 ] || [ $first -eq 3 ] || echo "the cut off release: exit $first"
		again=
		"$SMPIPE" release --local --no-logs > .smpipe/out2 2> .smpipe/err2
		case $? in
		0) ;;
		3) again=--again ;;
		*) echo "after the cloud's death: $(grep smpipe: .smpipe/err2)" ;;
		esac
		[ -z "$again" ] || "$SMPIPE" release --local --no-logs $again > .smpipe/out2 2> .smpipe/err2 ||
			echo "after the cloud's death, --again: $(grep smpipe: .smpipe/err2)"
		check_state $((${again:+1} + 1))
		whole
		[ -z "$again" ] || : > "$T/again.$name"
		"$SMPIPE" local down > /dev/null 2>&1
		wait "$cloud"
	) > "$T/bad.$name" 2>&1 &
	points="$points $name"
	[ $(($(echo "$points" | wc -w) % 6)) -ne 0 ] || wait
}

cd "$T" || exit 1
killed=0
for point in 'rename 2' 'fsync 4' 'write 4' 'sendto 2'; do
	cloud_point base $point
done
for point in 'rename 1' 'rename 2' 'fsync 1' 'fsync 3' 'fsync 6' 'write 5' 'mkdir 4' 'sendto 1'; do
	cloud_point staged $point
done
judge
[ $killed -ge 8 ]
ok $? "the cloud was killed $killed times"

# A request for a job that was cut off before the job was there.
fresh staged create
"$SMPIPE" local down > /dev/null 2>&1
job=$("$SMPIPE" plan --local --json 2> /dev/null | jq -r .request.TrainingJobName)
"$SMPIPE" local down > /dev/null 2>&1
mkdir ".smpipe/local/jobs/$job"
: > ".smpipe/local/jobs/$job/job.json.x8Kd2s"
run "$SMPIPE" release --local
expect 0 'a job that was cut off while it was made is made again'
"$SMPIPE" local down > /dev/null 2>&1

# A job under way when the cloud dies.
cp -a "$T/staged" "$T/running"
cd "$T/running" || exit 1
clouds="$clouds $T/create $T/running"
sed -i 's,^echo "sum=,$box sleep 100\n&,' src/train.sh
commit Slow
"$SMPIPE" local up > /dev/null 2>&1
run "$SMPIPE" release --local --no-wait
kill -9 "$(jq .pid .smpipe/local/cloud.json)"
run "$SMPIPE" release --local
expect 3 'the job of a cloud that died has failed'
err_has 'the local cloud was stopped while the job ran' 'the reason is shown'
sed -i 's,sleep 100,sleep 0,' src/train.sh
commit Quick
run "$SMPIPE" release --local
expect 0 'the next job runs'
same "$("$SMPIPE" list --local | awk '{ print $2 }' | sort | tr '\n' ' ')" 'Completed Failed ' 'both are listed'
finish
