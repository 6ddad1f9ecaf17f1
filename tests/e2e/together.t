#!/bin/sh
# Releases that run at the same time: two of one work tree, and two clones of one commit against one cloud, which they reach
# as they would reach AWS.
. "$(dirname "$0")/lib.sh"

# started LOG: the job was launched by this release, by its own word.
launches() { cat "$@" | grep -c '^launch   launched'; }

new_project tree
for i in 1 2 3; do
	sed -i "s/epochs: [0-9][0-9]*/epochs: $i/" smpipe.yaml
	commit "Round $i"
	"$SMPIPE" release --local > "$T/out.a" 2> "$T/err.a" &
	a=$!
	"$SMPIPE" release --local > "$T/out.b" 2> "$T/err.b" &
	b=$!
	wait $a
	first=$?
	wait $b
	same "$first $?" '0 0' "one work tree, round $i: both go through"
	same "$(launches "$T/err.a" "$T/err.b")" 1 'one launches'
	same "$(git notes --ref smpipe show HEAD | grep -c '^{')" 1 'one note line'
	run "$SMPIPE" verify --local
	expect 0 'the record is right'
done
same "$(find .smpipe/local/jobs -mindepth 1 -maxdepth 1 | wc -l)" 3 'one job for each commit'
same "$(find .smpipe/local/ecr -path '*/tags/*' | wc -l)" 1 'one image for all'

# Without --local: endpoint and credentials from the environment, role and region from the file.
cd "$T" || exit 1
"$SMPIPE" local up --dir "$T/cloud" > /dev/null 2>&1
eval "$("$SMPIPE" local env --dir "$T/cloud")"
unset AWS_REGION AWS_DEFAULT_REGION
new_project one
cat >> smpipe.yaml << END
region: us-east-1
role: arn:aws:iam::000000000000:role/trainer
create_bucket: true
END
commit 'A role'
"$SMPIPE" plan > "$T/plan" 2> "$T/err"
ok $? 'plan without --local'
git clone -q . "$T/two"
cp train "$T/two/train"

# is_running: so says the record just shown.
is_running() { [ "$(json .predicate.buildDefinition.internalParameters.status)" = InProgress ]; }

for i in 1 2 3 4 5; do
	for clone in one two; do
		cd "$T/$clone" || exit 1
		sed -i "s/epochs: [0-9][0-9]*/epochs: $i/; s/^version: 1.*/version: 1 # round $i/" smpipe.yaml
		# A new image each round.
		sed -i "1i# Round $i" Dockerfile
		GIT_AUTHOR_DATE="2030-01-0${i}T00:00:00Z" GIT_COMMITTER_DATE="2030-01-0${i}T00:00:00Z" git commit -qam "Round $i"
	done
	same "$(git -C "$T/one" rev-parse HEAD)" "$(git rev-parse HEAD)" 'two clones of one commit'
	# Following a job as on AWS takes its time: once is enough.
	wait=$([ $i -eq 5 ] && echo --no-logs || echo --no-wait)
	(cd "$T/one" && "$SMPIPE" release "$wait" > "$T/out.a" 2> "$T/err.a") &
	a=$!
	(cd "$T/two" && "$SMPIPE" release "$wait" > "$T/out.b" 2> "$T/err.b") &
	b=$!
	wait $a
	first=$?
	wait $b
	same "$first $?" '0 0' "two clones, round $i: both go through"
	grep smpipe: "$T/err.a" "$T/err.b" | sed 's/^/# /'
	same "$(launches "$T/err.a" "$T/err.b")" 1 'one launches'
	same "$(sed -n 's/^job  *//p' "$T/out.a")" "$(sed -n 's/^job  *//p' "$T/out.b")" 'both name its job'
	same "$(find "$T/cloud/jobs" -mindepth 1 -maxdepth 1 | wc -l)" $i 'one job'
	same "$(find "$T/cloud/ecr" -path '*/tags/*' | wc -l)" $i 'one tag'
	same "$(find "$T/cloud/s3" -path '*/objects/one/records/*.json' | wc -l)" $i 'one record'
	for clone in one two; do
		cd "$T/$clone" || exit 1
		eventually 'run "$SMPIPE" show --json; ! is_running'
		run "$SMPIPE" verify
		expect 0 "clone $clone has the right record"
	done
done
# A clone that lacks the commit sees the job's end first.
cd "$T/one" || exit 1
sed -i 's/epochs: [0-9][0-9]*/epochs: 6/' smpipe.yaml
commit 'Only here'
job=$("$SMPIPE" release --no-wait 2> "$T/err" | sed -n 's/^job *//p')
cd "$T/two" || exit 1
eventually 'run "$SMPIPE" show "$job" --json; [ "$status" -ne 0 ] || ! is_running'
expect 0 'a clone without the commit shows the job'
same "$(json .predicate.buildDefinition.internalParameters.status)" Completed 'and its end'
run "$SMPIPE" verify "$job"
expect 0 'and verifies it'
same "$(git for-each-ref "refs/smpipe/jobs/$job")" '' 'and keeps no copy'
cd "$T/one" || exit 1
run "$SMPIPE" verify "$job"
expect 0 'the clone that released it catches up'
out_has '^ok +record in git' 'with its copy'
[ ! -e .smpipe/local ]
ok $? 'no local cloud was started on the way'
"$SMPIPE" local down --dir "$T/cloud" > /dev/null 2>&1
finish
