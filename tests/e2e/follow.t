#!/bin/sh
# Following a job: status, stop, logs and list --remote, from this clone and from another one.
. "$(dirname "$0")/lib.sh"

begins() { # until the job's container says so
	name=$1
	eventually '"$SMPIPE" logs --local "$name" 2> /dev/null | grep -q "^begin$"'
}

new_channel_project channel
cp src/train.sh "$T/train.sh"
{
	echo 'echo begin; echo train_loss=0.75; until [ -e /opt/ml/output/go ]; do /bin/busybox sleep 0.1; done'
	cat "$T/train.sh"
} > src/train.sh
commit 'Slow'

run "$SMPIPE" status --local
expect 1 'no job yet'
said 'has no job' 'said in one line'
run "$SMPIPE" release --local --no-wait
expect 0 'release --no-wait'
job=$(sed -n 's/^job *//p' "$T/out")
begins "$job"
ok $? 'it runs'

# While it runs.
run "$SMPIPE" status --local
expect 0 'status while it runs'
out_has "^job +$job\$" 'of the last job of this commit'
out_has '^status +InProgress$' 'it is in progress'
out_has '^phase +Training: ' 'with the secondary status'
out_has '^instances +1 × ml.m5.large$' 'and its instance'
! grep -q console "$T/out"
ok $? 'the local cloud has no console'
run "$SMPIPE" status --local --json "$job"
same "$(json '[.job, .status, .secondary_status, .instance_count, .instance_type] | join(" ")')" \
	"$job InProgress Training 1 ml.m5.large" 'status --json'
run "$SMPIPE" logs --local
expect 0 'logs of a job that runs'
same "$(cat "$T/out")" 'begin
train_loss=0.75' 'what is there now, each line once'
run "$SMPIPE" logs --local --since 1d --host algo-1
out_has '^begin$' 'logs --since --host'
run "$SMPIPE" logs --local --since 2100-01-01T00:00:00Z
expect 0 'logs --since the future'
same "$(cat "$T/out")" '' 'has no lines'
run "$SMPIPE" status --local no-such-job
err_has '^hint: .smpipe list --local. shows' 'a job that is not there: where to look'
run "$SMPIPE" logs --local --host algo-2
expect 1 'a host that the job does not have'
said "no log of a host 'algo-2'" 'said in one line'
run "$SMPIPE" logs --local --since yesterday
expect 2 'a --since that is no time'
run "$SMPIPE" logs --local --follow --wait-timeout 1
expect 7 'logs -f --wait-timeout'
err_has "^hint: .*smpipe logs -f $job --local.*smpipe status $job --local" 'says how to come back'

# ^C and back.
"$SMPIPE" logs --local -f > "$T/out" 2> "$T/err" < /dev/null &
pid=$!
wait_for "$T/out" '^begin$'
kill -INT $pid
wait $pid
status=$?
expect 130 '^C while it is followed'
err_has "^hint: the job goes on; come back with .smpipe logs -f $job" 'says how to come back'

# A network that is away for a while: what goes out from the 30th to the 120th time does not arrive.
ASAN_OPTIONS=detect_leaks=0 strace -f -o "$T/trace" -e trace=sendto -e inject=sendto:error=ENETUNREACH:when=30..120 \
	"$SMPIPE" logs --local -f > "$T/followed" 2> "$T/followed.err" < /dev/null &
pid=$!
wait_for "$T/followed.err" 'there is an answer again'
ok $? 'a network that was lost came back'
: > ".smpipe/local/jobs/$job/algo-1/output/go"
wait $pid
status=$?
cp "$T/followed" "$T/out"
cp "$T/followed.err" "$T/err"
expect 0 'followed to its end'
same "$(grep -c 'asking again until there is an answer' "$T/err")" 1 'the loss is told once'
same "$(grep -c '^train_loss' "$T/out") $(grep -c '^begin$' "$T/out")" '2 1' 'every line once'
err_has '^watch +Completed after .*billable [0-9]+ s' 'and what it took'
run "$SMPIPE" status --local
expect 0 'status of a job that is done'
out_has '^status +Completed$' 'it is completed'
out_has '^took .*billable [0-9]+ s' 'and what it took'
out_has '^metric +Train Loss=0.5$' 'with its metrics'
out_has '^model +s3://' 'and its model'
git cat-file tag "refs/smpipe/jobs/$job" | grep -q '"Completed"'
ok $? 'its record in git is complete'
run "$SMPIPE" stop --local
expect 0 'stop of a job that is done'
err_has 'ended already: Completed' 'says so'

# Stop.
sed -i 's/echo begin/echo begin; trap "exit 0" TERM/' src/train.sh
commit 'To be stopped'
run "$SMPIPE" release --local --no-wait
second=$(sed -n 's/^job *//p' "$T/out")
begins "$second"
run "$SMPIPE" stop --local
expect 0 'stop'
out_has "^job +$second\$" 'of the last job of this commit'
out_has '^status +Stopped$' 'waits until it has stopped'
run "$SMPIPE" status --local
expect 4 'status of a job that was stopped'
out_has '^status +Stopped$' 'says so'
run "$SMPIPE" release --local --again --no-wait
third=$(sed -n 's/^job *//p' "$T/out")
begins "$third"
run "$SMPIPE" stop --local --no-wait "$third"
expect 0 'stop --no-wait'
out_has '^status +Stopping$' 'does not wait'
run "$SMPIPE" logs --local -f "$third"
expect 4 'whoever follows it sees its end'
run "$SMPIPE" stop --local nosuchjob
expect 1 'stop of no job'
said "'nosuchjob'" 'names it'

# A job that fails, with nobody who looks at its log.
cat > src/train.sh << 'END'
/bin/busybox mkdir -p /opt/ml/output
echo 'ValueError: the loss is not a number'
echo 'it diverged' > /opt/ml/output/failure
exit 1
END
commit 'Fails'
run "$SMPIPE" release --local --no-logs
expect 3 'a job that fails'
said 'it diverged' 'its reason is shown'
err_has '^failure +ValueError: the loss is not a number$' 'and its last lines'
run "$SMPIPE" status --local
expect 3 'status of a job that failed'
out_has '^reason .*it diverged' 'has the reason'

# Another clone, which has none of the records.
git clone -q "$T/channel" "$T/clone"
run "$SMPIPE" list --local --remote
expect 0 'list --remote'
same "$(wc -l < "$T/out" | tr -d ' ')" 4 'lists all jobs'
! grep -q 'not in this clone' "$T/out"
ok $? 'which are all in this clone'
use_cloud
cd "$T/clone" || exit 1
run "$SMPIPE" list --remote --region us-east-1
expect 0 'list --remote in another clone'
same "$(grep -c 'not in this clone' "$T/out")" 4 'lists the jobs that it does not have'
run "$SMPIPE" list --remote --region us-east-1 --json
same "$(json '[.[] | .status] | sort | join(" ")')" 'Completed Failed Stopped Stopped' 'list --remote --json'
run "$SMPIPE" status --region us-east-1 "$job"
expect 0 'status from another clone'
finish
