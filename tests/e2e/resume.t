#!/bin/sh
# Transfers that are cut off and run again: SIGKILL all along their way, credentials that expire between parts, files that
# change under them.
#
# They are killed at every tenth call that changes something, or at every $EVERYth; 1 for all.
. "$(dirname "$0")/lib.sh"
# LeakSanitizer cannot work under strace.
export ASAN_OPTIONS=detect_leaks=0

mkdir "$T/small"
for i in $(seq 200); do echo "$i" > "$T/small/$i"; done
head -c 40000000 /dev/urandom > "$T/large"
cp -r "$T/small" "$T/data" && cp "$T/large" "$T/data"
new_project project
sed -i -e '/^  val: /d' -e '/^  test: /d' -e 's|^  train: .*|  train: ../data|' smpipe.yaml
commit Data
bucket=sagemaker-us-east-1-000000000000
objects=$PWD/.smpipe/local/s3/$bucket/objects
snapshots=$objects/project/data/train

# cloud [RULES]: the cloud anew, misbehaving so.
cloud() {
	"$SMPIPE" local down > /dev/null 2>&1
	SMPIPE_LOCAL_FAULTS=${1:-} "$SMPIPE" local up > /dev/null 2>&1
	eval "$("$SMPIPE" local env)"
}
cloud
aws s3 mb s3://$bucket > /dev/null

# --- killed ---
# Everything by which a transfer changes something, here or elsewhere. With ? a name that this machine lacks is no error.
calls=?connect,?sendto,?sendmsg,?fsync,?fdatasync,?rename,?renameat,?renameat2,?link,?linkat,?unlink,?unlinkat
calls=$calls,?mkdir,?mkdirat,?ftruncate,?write,?writev,?pwrite64

# traced [CALL N] COMMAND …: under strace; killed before some thread's Nth CALL.
traced() {
	inject=
	case $1 in */*) ;; *) inject="-e inject=$1:signal=KILL:when=$2" && shift 2 ;; esac
	# shellcheck disable=SC2086
	run strace -f -o "$T/trace" -e trace="$calls" $inject "$@"
}
# points_of EVERY: "CALL N", where N counts as strace does, for each thread and call; each EVERYth of them. Of the sends of a
# large file, of which a busy machine makes many more, at most $most.
points_of() {
	awk -v every="$1" -v most="$most" '$2 ~ /^[a-z0-9]+\(/ {
		call = substr($2, 1, index($2, "(") - 1)
		n = ++seen[$1, call]
		if ($2 !~ /^write\([12],/ && !taken[call, n]++)
			point[++count] = call " " n
	}
	END {
		step = count > every * most ? int(count / most) : every
		for (i = step; i <= count; i += step)
			print point[i]
	}' "$T/trace"
}
uploads() {
	aws s3api list-multipart-uploads --bucket $bucket --query 'Uploads[].[Key]' --output text | grep -v '^None$'
}

# kill_along NAME EVERY RIGHT COMMAND …: killed at each EVERYth call, and run again: what must be there is there, once.
kill_along() {
	name=$1 every=$2 right=$3
	shift 3
	rm -rf "$objects" && mkdir "$objects"
	traced "$@"
	expect 0 "$name goes through under strace"
	points_of "$every" > "$T/points"
	killed=0
	bad=''
	while read -r call n; do
		rm -rf "$objects" .smpipe/index && mkdir "$objects"
		traced "$call" "$n" "$@"
		[ "$status" -ne 137 ] || killed=$((killed + 1))
		half=$(half_there) || bad="$bad; $call $n: $half"
		run "$@"
		[ "$status" -eq 0 ] || bad="$bad; $call $n: exit $status"
		$right > "$T/diff" 2>&1 || bad="$bad; $call $n: $(head -n 1 "$T/diff")"
		left=$(find ".smpipe/local/s3/$bucket/uploads" -mindepth 1 -maxdepth 1)
		[ -z "$left" ] || bad="$bad; $call $n: left $left"
	done < "$T/points"
	same "$bad" '' "$name, killed $killed times on its way: the next run finishes it"
	[ "$killed" -ge 8 ]
	ok $? 'it was killed often enough'
	same "$(uploads)" '' 'and no part is left'
}
# No object is another one than it should be, and no manifest is there before its objects.
half_there() {
	for folder in "$objects/x" "$snapshots"/*/; do
		[ ! -d "$folder" ] || ! diff -rq "$T/data" "$folder" | grep -v "^Only in $T/data" || return 1
	done
	! ls "$snapshots"/*.json > /dev/null 2>&1 || right_snapshot
}
right_small() { diff -r "$T/small" "$objects/x"; }
right_large() { cmp "$T/large" "$objects/x/large"; }
right_snapshot() { for folder in "$snapshots"/*/; do diff -r "$T/data" "$folder" || return 1; done; [ "$(ls "$snapshots" | wc -l)" = 2 ]; }

every=${EVERY:-$([ -n "${SAN:-}" ] && echo 20 || echo 10)}
most=${EVERY:+10000}
most=${most:-40}
kill_along 'put of 200 files' "$every" right_small "$SMPIPE" put "$T/small" s3://$bucket/x/
kill_along 'put of 3 parts' $(((every + 2) / 3)) right_large "$SMPIPE" put "$T/large" s3://$bucket/x/large
kill_along 'a snapshot of both' "$every" right_snapshot "$SMPIPE" data push --local

# --- credentials ---
# A program that gives other ones each time.
cat > "$T/give" <<-'END'
	#!/bin/sh
	echo >> "$0.asked"
	printf '{"Version": 1, "AccessKeyId": "%s", "SecretAccessKey": "%s", "SessionToken": "t%d"}' \
		"$(cat "$0.id")" "$(cat "$0.secret")" "$(wc -l < "$0.asked")"
END
chmod +x "$T/give"
printf '[profile giver]\ncredential_process = %s\nregion = us-east-1\n' "$T/give" > "$T/config"
give() {
	cloud "$1"
	echo "$AWS_ACCESS_KEY_ID" > "$T/give.id"
	echo "$AWS_SECRET_ACCESS_KEY" > "$T/give.secret"
	rm -f "$T/give.asked"
	shift
	run env -u AWS_ACCESS_KEY_ID -u AWS_SECRET_ACCESS_KEY AWS_CONFIG_FILE="$T/config" AWS_PROFILE=giver "$@"
	asked=$(wc -l < "$T/give.asked")
}
for when in 1 2 3; do
	give "UploadPart:$when:expired-token" "$SMPIPE" put "$T/large" s3://$bucket/token
	expect 0 "credentials that expire at part $when are fetched anew"
	same "$asked" 2 'once'
	cmp "$T/large" "$objects/token" > /dev/null
	ok $? 'and the parts go on'
done
give 'HeadObject:1:expired-token' "$SMPIPE" get s3://$bucket/token "$T/back"
expect 0 'a HEAD that says nothing but 400 has them fetched too'
give 'UploadPart:1+:expired-token' "$SMPIPE" put "$T/large" s3://$bucket/token
expect 5 'new ones that do not help either are an error'
said ExpiredToken 'which is named'

# --- changed meanwhile ---
# change OPERATION SCRIPT COMMAND …: the script runs while the first request of the operation stands still.
change() {
	operation=$1 script=$2
	shift 2
	cloud "$operation:1:stall=1500"
	(
		eventually 'curl -s "$AWS_ENDPOINT_URL/_smpipe/health" | jq -e ".faults[0].struck > 0" > /dev/null'
		cd "$T/data" && eval "$script"
	) &
	run "$@"
	wait $!
}
while IFS='	' read -r what script; do
	for command in put push; do
		for size in 100000 33554632; do
			# One thing that stands still is like another: half of the table.
			[ $size = 100000 ] && [ $command = put ] && continue
			operation=$([ $size -gt 16777216 ] && echo UploadPart || echo PutObject)
			# Parts that an earlier row left would not be sent again.
			rm -rf "$T/data" "$objects/x" "$snapshots" ".smpipe/local/s3/$bucket/uploads"/*
			mkdir "$T/data" && head -c $size "$T/large" > "$T/data/file"
			touch -d '1 hour ago' "$T/data/file"
			if [ $command = put ]; then
				change $operation "$script" "$SMPIPE" put "$T/data/file" s3://$bucket/x/file
			else
				change $operation "$script" "$SMPIPE" data push --local
			fi
			expect 1 "$command of $size bytes: the file $what meanwhile"
			said "data/file' changed while it was read" 'which is said of it by name'
			! grep -q 'smpipe\.yaml' "$T/err"
			ok $? 'and the configuration is not blamed for it'
			find "$objects/x" "$snapshots" \( -name '*.json' -o -name file -size +1M \) 2> /dev/null | grep .
			[ $? -ne 0 ]
			ok $? 'and neither object nor manifest is there'
		done
	done
done <<-'END'
	grows	echo more >> file
	is cut	truncate -s -10 file
	is replaced	cp file new && mv new file
	is written to	printf X | dd of=file bs=1 seek=5000 conv=notrunc status=none
	is written to in secret	printf X | dd of=file bs=1 seek=5000 conv=notrunc status=none; touch -d '1 hour ago' file
END
finish
