#!/bin/sh
# Tuning jobs: search, follow, adopt, stop, and take the best hyperparameters over.
. "$(dirname "$0")/lib.sh"

internal=.predicate.buildDefinition.internalParameters

# --- the native template, as a newcomer would ---
new_project iris
run "$SMPIPE" release --local --no-logs --json
expect 0 'release with the default hyperparameters'
before=$(json '.metrics["Validation Loss"]')
run "$SMPIPE" tune --local
expect 0 'tune'
job=$(sed -n 's/^job *//p' "$T/out")
best=$(sed -n 's/^best *\([^ ]*\) .*/\1/p' "$T/out")
cp "$T/out" "$T/tuned"
out_has '^status +Completed$' 'it is completed'
same "$(grep -c '^tune  *[0-9]*-[0-9a-f]* started with .*lr=' "$T/err")" 8 'each start is a line'
same "$(grep -c '^tune  *[0-9]*-[0-9a-f]* Completed: Validation Loss=.* of 8) with .*lr=' "$T/err")" 8 'and each end'
err_has '^tune .*, the best so far' 'the best is marked'
same "$(grep -c '^tune .*, the best so far' "$T/err")" \
	"$(grep '^tune .*Completed: ' "$T/err" | sed 's/.*Loss=\([^ ]*\) .*/\1/' |
		awk 'NR == 1 || $1 < least { n++; least = $1 } END { print n }')" 'whenever it is better than those before'
out_has "^\* +1 +${best#"$job"-} +Completed " 'it is the first of the table'
out_has '^lr +0.05 +\|[.o0-9]*\*[.o0-9]*\| 5  \(log\)$' 'the range of lr is drawn'
out_has '^batch_size +8: [0-9]' 'and the choices of batch_size'
out_has '^took .*billable [0-9]+ s' 'and what all took'
run "$SMPIPE" show --local --json "$job"
cp "$T/out" "$T/record"
same "$(json "$internal.status")" Completed 'the record is complete'
same "$(json "$internal.tuning.children | length")" 8 'it has every training job'
same "$(json "[$internal.tuning.children[] | select(.objective and .hyperparameters.lr and .billableSeconds)] | length")" 8 \
	'with its objective and values'
same "$(json "$internal.tuning.best")" "$best" 'it names the best'
same "$(json ".predicate.buildDefinition.externalParameters.request.HyperParameterTuningJobConfig |
	[.Strategy, .HyperParameterTuningJobObjective.MetricName, .ParameterRanges.ContinuousParameterRanges[0].MinValue] | join(\" \")")" \
	'Bayesian Validation Loss 0.05' 'and how it was searched for'
same "$(jq -n --argjson a "$(json "$internal.metrics[\"Validation Loss\"]")" --argjson b "$before" '$a < $b')" true \
	'the objective is better than with the default hyperparameters'
json '.subject[] | select(.name == "model") | .uri' | grep -q "/$best/"
ok $? 'the model is that of the best'
git cat-file tag "refs/smpipe/jobs/$job" | sed '1,/^$/d' | cmp -s - "$T/record"
ok $? 'git has the record too'
run "$SMPIPE" verify --local "$job"
expect 0 'verify'
out_has '^ok +training jobs$' 'looks at every training job'

run "$SMPIPE" get --local "$job" best/
expect 0 'get of a tuning job'
same "$(sha256sum < best/model.tar.gz | cut -d' ' -f1)" \
	"$(jq -r '.subject[] | select(.name == "model") | .digest.sha256' "$T/record")" 'is the model of the best'
rm -r best

# --- what is there stays there ---
run "$SMPIPE" tune --local --json
expect 0 'tune again'
same "$(json '[.job, .existed.job, .best, .status] | map(tostring) | join(" ")')" "$job true $best Completed" 'adopts the job'
err_has 'nothing to do' 'and starts nothing'
same "$(json '.best_hyperparameters | keys | join(" ")')" 'batch_size epochs l2 lr seed' '--json has the best hyperparameters'
run "$SMPIPE" status --local
expect 0 'status'
same "$(grep -c ' Completed ' "$T/out")" 9 'shows the leaderboard'
run "$SMPIPE" status --local --json "$job"
same "$(json '[.children[].rank] | join(" ")')" '1 2 3 4 5 6 7 8' 'status --json'
run "$SMPIPE" logs --local
expect 0 'logs'
same "$(grep -c '^\[00[1-8]-[0-9a-f]*\] saved model' "$T/out")" 8 'are those of the training jobs'
run "$SMPIPE" show --local
expect 0 'show'
out_has "^best +$best +Completed .*lr=" 'has the best'
same "$(grep -c '^trial ' "$T/out")" 7 'and the others'
run "$SMPIPE" list --local
out_has " Completed +[0-9a-f]{12} +$job +tuning +Validation Loss=" 'list says what it is'
out_has ' training +.*Validation Loss=' 'and which is a training job'
run "$SMPIPE" list --local --remote
same "$(wc -l < "$T/out" | tr -d ' ')" 2 'list --remote: two jobs'
out_has " $job +tuning$" 'of which one is a tuning job'
run "$SMPIPE" status --local "$best"
expect 0 'status of a training job of it'
run "$SMPIPE" tune --local --again --no-wait
expect 0 'tune --again'
out_has "^job +$job-2\$" 'is the next attempt'
run "$SMPIPE" logs --local -f "$job-2"
expect 0 'which is followed to its end'
same "$(grep -c 'saved model' "$T/out")" 8 'line by line'
run "$SMPIPE" show --local --json "$job-2"
same "$(json "$internal.tuning.children | length")" 8 'whoever sees the end completes the record'

# --- the best hyperparameters, pasted ---
sed -i '/^  hyperparameters: {/d' smpipe.yaml
sed -n 's/^    [a-z]/&/p' "$T/tuned" > "$T/lines"
sed -i "/^estimator:/r /dev/stdin" smpipe.yaml << END
  hyperparameters:
$(cat "$T/lines")
END
commit 'Take the best over'
run "$SMPIPE" plan --local --json
expect 0 'plan with them'
same "$(json '.hyperparameters | del(.l2, .seed) | tojson')" \
	"$(jq -c "$internal.tuning | .best as \$b | .children[] | select(.job == \$b) | .hyperparameters" "$T/record")" \
	'has exactly the values of the best'
same "$(json '.hyperparameters | [.l2, .seed] | join(" ")')" '0.0001 7' 'and the fixed ones'
run "$SMPIPE" release --local --no-logs --json
same "$(json '.metrics["Validation Loss"]')" "$(jq "$internal.metrics[\"Validation Loss\"]" "$T/record")" \
	'a training job with them gets the same objective'

# --- while it runs ---
new_channel_project channel
cat >> smpipe.yaml << 'END'
tuner:
  strategy: Random
  objective_metric_name: Train Loss
  objective_type: Minimize
  max_jobs: 3
  max_parallel_jobs: 2
  hyperparameter_ranges: {width: {integer: [1, 9]}, kind: {categorical: [a, b]}}
END
cat > src/train.sh << 'END'
echo begin
trap 'exit 0' TERM
until [ -e /opt/ml/output/go ]; do /bin/busybox sleep 0.1; done
echo train_loss=0.5
END
commit Slow
begun() { # until that many of the job's training jobs run
	name=$1 wanted=$2
	eventually '[ "$("$SMPIPE" logs --local "$name" 2> /dev/null | grep -c "\] begin$")" = "$wanted" ]'
}
go() { # let every training job of a tuning job end, until nothing follows it any more
	while kill -0 "$pid" 2> /dev/null; do
		for dir in .smpipe/local/jobs/"$1"-00*/algo-1/output; do
			[ ! -d "$dir" ] || : > "$dir/go"
		done
		sleep 0.1
	done
	wait "$pid"
	status=$?
}
run "$SMPIPE" tune --local --wait-timeout 1x
expect 2 'tune --wait-timeout 1x'
said "like 90s, 30m, 4h or 4d, not '1x'" 'says what it takes'
run "$SMPIPE" tune --local --wait-timeout 1s
expect 7 'tune --wait-timeout'
job=$(sed -n 's/^job *//p' "$T/out")
err_has "^hint: .*smpipe logs -f $job --local.*smpipe status $job --local" 'says how to come back'
begun "$job" 2
ok $? 'two training jobs run'
run "$SMPIPE" status --local
expect 0 'status while it runs'
out_has '^0 of 3 training jobs ended, 2 running$' 'says how far it is'
out_has '^ +00[12]-[0-9a-f]{8} +InProgress ' 'and what runs'
"$SMPIPE" tune --local > "$T/out" 2> "$T/err" < /dev/null &
pid=$!
wait_for "$T/err" '^tune .*started'
kill -INT $pid
wait $pid
status=$?
expect 130 '^C while it is followed'
err_has '^hint: the job goes on' 'leaves it running'
"$SMPIPE" tune --local > "$T/out" 2> "$T/err" < /dev/null &
pid=$!
go "$job"
expect 0 'tune comes back to it'
err_has '^launch +exists ' 'as the one that exists'
err_has '^tune .*003-[0-9a-f]{8} Completed: Train Loss=0.5 ' 'and follows it to its end'
out_has '^kind +(a|b): ' 'the choices are shown'

sed -i 's/^echo begin$/echo begin; echo again/' src/train.sh
commit 'To be stopped'
run "$SMPIPE" tune --local --no-wait
second=$(sed -n 's/^job *//p' "$T/out")
begun "$second" 2
run "$SMPIPE" stop --local
expect 0 'stop'
out_has '^status +Stopped$' 'waits until it has stopped'
run "$SMPIPE" status --local
expect 4 'status of a tuning job that was stopped'
run "$SMPIPE" tune --local
expect 4 'tune does not start a stopped one again'
err_has '^hint: .*--again' 'unless it is told to'
run "$SMPIPE" show --local --json
same "$(json "$internal.status")" Stopped 'its record says so'

cat > src/train.sh << 'END'
/bin/busybox mkdir -p /opt/ml/output
echo 'it diverged' > /opt/ml/output/failure
exit 1
END
commit Fails
run "$SMPIPE" tune --local
expect 3 'a tuning job whose training jobs fail'
said 'it diverged' 'tells why'
err_has '^tune .*Failed.*it diverged' 'of each'
sed -i '/^tuner:/,$d' smpipe.yaml
commit 'No tuner'
run "$SMPIPE" tune --local
expect 2 'tune without a tuner'
said 'tuner' 'says what is missing'
finish
