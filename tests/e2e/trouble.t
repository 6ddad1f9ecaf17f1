#!/bin/sh
# What goes wrong outside of the project: credentials, accounts, full disks, taken ports, jobs that fail or take long, and
# the user who presses ^C.
. "$(dirname "$0")/lib.sh"

# interrupted PATTERN: ^C as soon as a release --local says this.
interrupted() {
	rm -f "$T/err"
	"$SMPIPE" release --local --wait-timeout 60 > "$T/out" 2> "$T/err" < /dev/null &
	pid=$!
	wait_for "$T/err" "$1"
	kill -INT $pid
	wait $pid
	status=$?
}

count_jobs() { find "${1:-.smpipe/local}/jobs" -name job.json 2> /dev/null | wc -l | tr -d ' '; }
count_tags() { find "${1:-.smpipe/local}/ecr" -path '*/tags/*' 2> /dev/null | wc -l | tr -d ' '; }

# Without --local, against a cloud at an endpoint.
"$SMPIPE" local up --dir "$T/cloud" > /dev/null 2>&1
new_channel_project remote
cat >> smpipe.yaml << END
region: us-east-1
role: arn:aws:iam::000000000000:role/trainer
create_bucket: true
END
commit 'A role'
run env AWS_EC2_METADATA_DISABLED=true "$SMPIPE" release
expect 5 'no credentials'
said '[Cc]redentials' 'no credentials: said in one line'
eval "$("$SMPIPE" local env --dir "$T/cloud")"
run env AWS_SECRET_ACCESS_KEY=wrong "$SMPIPE" release
expect 5 'a wrong secret'
said 'SignatureDoesNotMatch|InvalidSignature' 'a wrong secret: said in one line'
sed -i '1a account: "111111111111"' smpipe.yaml
commit 'Another account'
run "$SMPIPE" release
expect 2 'credentials of another account'
said 'smpipe.yaml:2:.* are of account 000000000000, this file is for 111111111111' 'another account: said in one line'
sed -i '2s/.*/bucket_owner: "111111111111"/' smpipe.yaml
sed -i '2a bucket: theirs' smpipe.yaml
commit "Another account's bucket"
aws s3api create-bucket --bucket theirs > /dev/null 2>&1
run "$SMPIPE" release
expect 5 "another account's bucket"
said "'theirs'" "another account's bucket: said in one line"
sed -i '2,3d; /create_bucket/d' smpipe.yaml
commit 'No bucket'
run "$SMPIPE" release
expect 1 'a bucket that does not exist'
err_has '^hint: .*create_bucket: true' 'with a hint'
same "$(count_jobs "$T/cloud") $(count_tags "$T/cloud")" '0 0' 'nothing was made in all of this'
"$SMPIPE" local down --dir "$T/cloud" > /dev/null 2>&1
unset AWS_ENDPOINT_URL AWS_ACCESS_KEY_ID AWS_SECRET_ACCESS_KEY AWS_REGION AWS_DEFAULT_REGION

# Entry points.
new_channel_project channel
mkdir src/sub
git mv src/train.sh src/sub/train.sh
sed -i 's,entry_point: train.sh,entry_point: sub/train.sh,' smpipe.yaml
commit 'Below'
run "$SMPIPE" release --local
expect 2 'an entry point below the root of source_dir'
said "sub/train.sh" 'said in one line'
git mv src/sub/train.sh src/train.sh
commit 'Not where it is said to be'
sed -i 's,entry_point: sub/train.sh,entry_point: train.py,' smpipe.yaml
commit 'No such file'
run "$SMPIPE" release --local
expect 2 'an entry point that is not there'
said "train.py" 'said in one line'
[ ! -e .smpipe ]
ok $? 'nothing was touched'
sed -i 's,entry_point: train.py,entry_point: train.sh,' smpipe.yaml
commit 'As it was'

# A container that fails, and says why.
cp src/train.sh "$T/train.sh"
cat > src/train.sh << 'END'
/bin/busybox mkdir -p /opt/ml/output
echo 'the loss is not a number' > /opt/ml/output/failure
exit 1
END
commit 'Fails'
run "$SMPIPE" release --local
expect 3 'a job that fails'
said 'the loss is not a number' 'its reason is shown'
job=$(sed -n 's/^job *//p' "$T/out")
run "$SMPIPE" release --local
expect 3 'a second release does not start it again'
said "$job.*the loss is not a number" 'and shows the old reason'
err_has '^hint: .*--again' 'with a hint'
same "$(count_jobs)" 1 'one job'
run "$SMPIPE" release --local --again
expect 3 'one more attempt'
out_has "^job +$job-2\$" 'has its number'
same "$(count_jobs)" 2 'two jobs'
run "$SMPIPE" list --local
same "$(grep -c Failed "$T/out")" 2 'both are listed as failed'

# A job that takes as long as the test wants: its folder is below the cloud's.
{
	echo 'echo begin; until [ -e /opt/ml/output/go ]; do /bin/busybox sleep 0.1; done'
	cat "$T/train.sh"
} > src/train.sh
commit 'Slow'
run "$SMPIPE" release --local --wait-timeout 1
expect 7 'a job that takes longer than --wait-timeout'
said 'is still running' 'said in one line'
err_has '^hint: .*smpipe logs -f ' 'with a hint'
interrupted '^  begin$'
expect 130 '^C while a job is followed'
err_has '^hint: .*the job goes on.*smpipe logs -f ' 'says how to come back'
job=$("$SMPIPE" list --local | awk '$2 == "InProgress" { print $4 }')
[ -d ".smpipe/local/jobs/$job/algo-1/output" ] && : > ".smpipe/local/jobs/$job/algo-1/output/go"
ok $? 'the job goes on'
run "$SMPIPE" release --local --wait-timeout 60
expect 0 'the next release follows it'
out_has '^status +Completed' 'and came to its end'
same "$(count_jobs)" 3 'as the same job'

# ^C while an image is built.
sed -i 's,^COPY bootstrap,RUN ["/bin/busybox"\, "sleep"\, "2"]\n&,' Dockerfile
cp "$T/train.sh" src/train.sh
commit 'Slow to build'
interrupted 'Running in'
expect 130 '^C while an image is built'
said cancelled 'said in one line'
same "$(count_jobs)" 3 'no job'

# ^C at other times: the signal comes before the Nth call that goes out.
export ASAN_OPTIONS=detect_leaks=0
for n in 1 5 7 8 9 10 12 14; do
	echo $n > data/train/numbers.txt
	commit "Data $n"
	run strace -f -o "$T/trace" -e trace=sendto -e inject=sendto:signal=INT:when=$n "$SMPIPE" release --local
	[ "$status" -eq 130 ] || grep -q 'SIGINT' "$T/trace" && [ "$status" -ne 1 ]
	ok $? "^C before call $n: exit $status"
	run "$SMPIPE" release --local
	expect 0 "^C before call $n: the next release finishes"
done
same "$(count_jobs)" 11 'one job for each'

# Disks that are full.
{ echo '# A new archive'; cat "$T/train.sh"; } > src/train.sh
commit 'New source'
run strace -f -o "$T/trace" -e trace=fdatasync -e inject=fdatasync:error=ENOSPC:when=1 "$SMPIPE" release --local
expect 1 'a full disk under the journal'
said "journal'.*No space left on device" 'names the file'
same "$(count_jobs)" 11 'no job'
run "$SMPIPE" release --local
expect 0 'a disk that has room again'
"$SMPIPE" local down > /dev/null 2>&1
unset ASAN_OPTIONS
mkdir "$T/small"
if mount -t tmpfs -o size=64k none "$T/small" 2> /dev/null; then
	# Larger than the disk, and of no pattern.
	openssl enc -aes-128-ctr -K 0 -iv 0 -in /bin/busybox -out src/large.bin 2> /dev/null
	commit 'Large source'
	run env TMPDIR="$T/small" "$SMPIPE" release --local
	expect 1 'a full TMPDIR'
	said "No space left on device" 'a full TMPDIR: said in one line'
	err_has "'$T/small'" 'names the folder'
	umount "$T/small"
	run "$SMPIPE" release --local
	expect 0 'a TMPDIR that has room again'
	"$SMPIPE" local down > /dev/null 2>&1

	mv .smpipe "$T/state"
	mkdir .smpipe
	mount -t tmpfs -o size=64m none .smpipe
	run "$SMPIPE" release --local
	expect 0 'a disk with room'
	# Down, so that nothing of the last job is still to be tidied up.
	"$SMPIPE" local down > /dev/null 2>&1
	mount -o "remount,size=$(($(du -sk .smpipe | cut -f1) + 500))k" .smpipe
	cp src/large.bin data/train/large.bin
	commit 'Large data'
	run "$SMPIPE" release --local
	expect 1 'a full disk under the local cloud'
	said "upload channel 'train'.*507 InsufficientStorage: .*'$PWD/.smpipe/local.*No space" \
		'a full disk under the local cloud: said in one line, with the place'
	err_lacks '^retry ' 'and is not tried again'
	same "$(count_jobs)" 1 'no job'
	[ -z "$(find .smpipe/local/s3 -name large.bin)" ]
	ok $? 'no half an object'
	mount -o remount,size=64m .smpipe
	run "$SMPIPE" release --local
	expect 0 'a disk that has room again'
	run "$SMPIPE" verify --local
	expect 0 'with a right record'
	"$SMPIPE" local down > /dev/null 2>&1
	umount .smpipe
	rmdir .smpipe
	mv "$T/state" .smpipe
else
	skip 'a small disk cannot be mounted'
fi

# Ports and signals of the cloud.
cd "$T" || exit 1
"$SMPIPE" local serve --dir "$T/serve" > "$T/serve.out" 2> "$T/serve.err" &
pid=$!
wait_for "$T/serve.out" '^http'
port=$(sed 's/.*://' "$T/serve.out")
for verb in serve up; do
	run "$SMPIPE" local $verb --dir "$T/other" --port "$port"
	expect 1 "local $verb with a port that is taken"
	said "$port.*taken" 'said in one line'
done
run "$SMPIPE" local serve --dir "$T/serve"
expect 1 'a second cloud of one folder'
said "$T/serve/lock' is locked by process $pid" 'names the first'
kill -TERM $pid
wait $pid
status=$?
cp "$T/serve.err" "$T/err"
expect 0 'SIGTERM ends the cloud'
same "$(cat "$T/serve.err")" '' 'without a word'
run "$SMPIPE" local env --dir "$T/serve"
expect 1 'it is gone'
finish
