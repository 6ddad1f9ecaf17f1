#!/bin/sh
# Tuning jobs in the local cloud, created, followed and stopped by Debian's awscli: with an image that is nothing but
# busybox and a script, whose objective is known beforehand.
. "$(dirname "$0")/lib.sh"

mkdir -p "$T/root/bin"
# Prints the score a * b once for each epoch, and takes `pause` for one. With mode it does something else.
cat > "$T/root/bin/train" << 'END'
#!/bin/busybox sh
get() { /bin/busybox sed -n "s/.*\"$1\":\"\([^\"]*\)\".*/\1/p" /opt/ml/input/config/hyperparameters.json; }
trap 'echo stopped > /opt/ml/model/state; exit 0' TERM
a=$(get a) b=$(get b) epochs=$(get epochs) pause=$(get pause) mode=$(get mode)
[ "$mode" != fail ] || exit 3
for epoch in $(/bin/busybox seq "$epochs"); do
	[ "$mode" = silent ] || echo "epoch=$epoch score=$((a * b))"
	/bin/busybox sleep "$pause" &
	wait $!
done
echo whole > /opt/ml/model/state
END
chmod 755 "$T/root/bin/train"
image=smpipe-tuning-test:$$
make_image "$image"
use_empty_cloud
aws s3 mb s3://tuning > "$T/out" 2>&1

# request JOB [FILTER]: a Grid of three by two into $T/request.json; the filter is jq's, over the request.
request() {
	jq -n --arg job "$1" --arg image "$image" '{
		HyperParameterTuningJobName: $job,
		HyperParameterTuningJobConfig: {
			Strategy: "Grid", HyperParameterTuningJobObjective: {Type: "Maximize", MetricName: "score"},
			ResourceLimits: {MaxNumberOfTrainingJobs: 6, MaxParallelTrainingJobs: 2},
			ParameterRanges: {CategoricalParameterRanges: [{Name: "a", Values: ["1", "3", "2"]}, {Name: "b", Values: ["20", "10"]}]}
		},
		TrainingJobDefinition: {
			StaticHyperParameters: {epochs: "1", pause: "0", mode: "well"}, RoleArn: "arn:aws:iam::000000000000:role/R",
			AlgorithmSpecification: {TrainingImage: $image, TrainingInputMode: "File",
				MetricDefinitions: [{Name: "score", Regex: "score=([0-9.]+)"}]},
			OutputDataConfig: {S3OutputPath: "s3://tuning/out"},
			ResourceConfig: {InstanceType: "ml.m5.large", InstanceCount: 1, VolumeSizeInGB: 1},
			StoppingCondition: {MaxRuntimeInSeconds: 60}
		},
		Tags: [{Key: "team", Value: "red"}]
	} | '"${2:-.}" > "$T/request.json"
}
create() {
	request "$@"
	run aws sagemaker create-hyper-parameter-tuning-job --cli-input-json "file://$T/request.json"
	[ "$status" -eq 0 ] || sed 's/^/# /' "$T/err"
}
# call OPERATION: with $T/request.json, for what Debian's awscli is too old to know.
call() {
	curl -sS --noproxy '*' --aws-sigv4 "aws:amz:us-east-1:sagemaker" --user "$AWS_ACCESS_KEY_ID:$AWS_SECRET_ACCESS_KEY" \
		-H "X-Amz-Target: SageMaker.$1" -H 'Content-Type: application/x-amz-json-1.1' \
		--data-binary "@$T/request.json" "$AWS_ENDPOINT_URL/" > "$T/out" 2> "$T/err"
}
describe() { run aws sagemaker describe-hyper-parameter-tuning-job --hyper-parameter-tuning-job-name "$1"; }
children() {
	name=$1
	shift
	run aws sagemaker list-training-jobs-for-hyper-parameter-tuning-job --hyper-parameter-tuning-job-name "$name" \
		--max-results 100 "$@"
}
status_of() { jq -r .describe.HyperParameterTuningJobStatus < "$local/tuning/$1/tuning.json" 2> /dev/null; }
# How many containers of a tuning job run at this moment.
running() {
	engine GET '/containers/json' | jq --arg prefix "$1-" '[.[] | select(.Labels["smpipe.job"] // "" | startswith($prefix))] | length'
}
# wait_until JOB STATUS: for a minute at most; then the description in $T/out. most: of its containers at one moment.
wait_until() {
	most=0
	for _ in $(seq 600); do
		case $2,$(status_of "$1") in "$2,$2" | *,Completed | *,Stopped | *,Failed) break ;; esac
		now=$(running "$1")
		[ "$now" -le "$most" ] || most=$now
		sleep 0.1
	done
	describe "$1"
	same "$(json .HyperParameterTuningJobStatus)" "$2" "$1 is $2"
}
# The most training jobs that the answer of list-training-jobs-… shows at one moment, by their times.
overlap() {
	jq '[.TrainingJobSummaries[] | [.CreationTime, .TrainingEndTime]] as $all |
		[$all[] | .[0] as $at | [$all[] | select(.[0] <= $at and $at < .[1])] | length] | max' < "$T/out"
}
# How many scores a training job has printed.
scores() { cat "$local"/logs/*/"$1%2F"* | grep -c 'score='; }

# --- a grid ---
create grid '.TrainingJobDefinition.StaticHyperParameters.pause = "1"'
expect 0 'a Grid tuning job is taken'
same "$(json .HyperParameterTuningJobArn)" 'arn:aws:sagemaker:us-east-1:000000000000:hyper-parameter-tuning-job/grid' 'it has an ARN'
wait_until grid Completed
same "$(json '.TrainingJobStatusCounters | [.Completed, .InProgress, .Stopped, .NonRetryableError] | join(" ")')" '6 0 0 0' 'six have Completed'
same "$(json '.ObjectiveStatusCounters | [.Succeeded, .Pending, .Failed] | join(" ")')" '6 0 0' 'and have an objective'
same "$(json '.BestTrainingJob | .TunedHyperParameters.a + " " + .TunedHyperParameters.b + " " + .ObjectiveStatus')" '3 20 Succeeded' 'the best is the best'
same "$(json '.BestTrainingJob.FinalHyperParameterTuningJobObjectiveMetric.Value')" 60 'with its score'
best=$(json .BestTrainingJob.TrainingJobName)
same "$most" 2 'two ran at once, never more'
children grid
same "$(json '[.TrainingJobSummaries[].TunedHyperParameters | .a + "x" + .b] | sort | join(" ")')" '1x10 1x20 2x10 2x20 3x10 3x20' \
	'each point ran once'
same "$(overlap)" 2 'nor did one begin before there was room'
children grid --sort-by FinalObjectiveMetricValue --sort-order Descending
same "$(json '[.TrainingJobSummaries[].FinalHyperParameterTuningJobObjectiveMetric.Value] | join(" ")')" '60 40 30 20 20 10' 'a list by objective'
run aws sagemaker describe-training-job --training-job-name "$best"
same "$(json '.HyperParameters | [.a, .b, .mode, ._tuning_objective_metric] | join(" ")')" '3 20 well score' 'a training job gets all hyperparameters'
same "$(json .TuningJobArn)" 'arn:aws:sagemaker:us-east-1:000000000000:hyper-parameter-tuning-job/grid' 'and knows its tuning job'
run aws sagemaker list-tags --resource-arn "$(json .TrainingJobArn)"
same "$(json '.Tags[0].Value')" red 'and has its tags'
same "$(tar -xOzf "$local/s3/tuning/objects/out/$best/output/model.tar.gz" state)" whole 'and leaves a model'
run aws sagemaker stop-hyper-parameter-tuning-job --hyper-parameter-tuning-job-name grid
[ "$status" -ne 0 ]
ok $? 'what has ended cannot be stopped'
err_has 'in status Completed' 'which is said'
create grid
[ "$status" -ne 0 ]
ok $? 'a name is taken once'
err_has 'ResourceInUse.*already exists' 'which is said too'
run aws sagemaker list-hyper-parameter-tuning-jobs --name-contains gri --status-equals Completed
same "$(json '.HyperParameterTuningJobSummaries[] | .HyperParameterTuningJobName + " " + .Strategy')" 'grid Grid' 'it is listed'

random='.HyperParameterTuningJobConfig |= (.Strategy = "Random" | .ParameterRanges = {
	IntegerParameterRanges: [{Name: "a", MinValue: "1", MaxValue: "1000"}], CategoricalParameterRanges: [{Name: "b", Values: ["1"]}]})'

# --- the same seed, the same values; at most one at a time ---
for n in 1 2; do
	request seed$n "$random | .HyperParameterTuningJobConfig |= (.RandomSeed = 7 | .ResourceLimits = {MaxNumberOfTrainingJobs: 3, MaxParallelTrainingJobs: 1})"
	call CreateHyperParameterTuningJob
done
wait_until seed1 Completed
wait_until seed2 Completed
children seed1
same "$(overlap)" 1 'one ran at once'
first=$(json '[.TrainingJobSummaries[].TunedHyperParameters.a] | join(" ")')
children seed2
same "$first" "$(json '[.TrainingJobSummaries[].TunedHyperParameters.a] | join(" ")')" "one seed gives the same values: $first"

# --- stopping, while other jobs run ---
create halt "$random | .TrainingJobDefinition.StaticHyperParameters |= (.epochs = \"60\" | .pause = \"1\")"
# The median rule: 9 is the first, 8 and 1 are worse than it.
create median '.HyperParameterTuningJobConfig |= (.TrainingJobEarlyStoppingType = "Auto" |
	.ResourceLimits = {MaxNumberOfTrainingJobs: 3, MaxParallelTrainingJobs: 1} |
	.ParameterRanges.CategoricalParameterRanges = [{Name: "a", Values: ["9", "8", "10"]}, {Name: "b", Values: ["1"]}]) |
	.TrainingJobDefinition.StaticHyperParameters |= (.epochs = "3" | .pause = "1")'
# The first that ends has reached the target.
create target "$random"' | .HyperParameterTuningJobConfig |= (.ResourceLimits = {MaxNumberOfTrainingJobs: 20, MaxParallelTrainingJobs: 2} |
	.TuningJobCompletionCriteria = {TargetObjectiveMetricValue: 1})'
for _ in $(seq 100); do
	[ "$(running halt)" -ne 2 ] || break
	sleep 0.1
done
run aws sagemaker stop-hyper-parameter-tuning-job --hyper-parameter-tuning-job-name halt
expect 0 'StopHyperParameterTuningJob'
describe halt
same "$(json .HyperParameterTuningJobStatus | grep -c '^Stop')" 1 'is seen at once'
wait_until halt Stopped
same "$(json '.TrainingJobStatusCounters | [.Completed, .InProgress, .Stopped] | join(" ")')" '0 0 2' 'both jobs are Stopped, no third was begun'
same "$(json '.ObjectiveStatusCounters.Succeeded')" 2 'and what they printed counts'

wait_until target Completed
[ "$(json '[.TrainingJobStatusCounters[]] | add')" -le 4 ]
ok $? 'the target ends it long before twenty jobs'

wait_until median Completed
children median
same "$(json '[.TrainingJobSummaries[] | .TunedHyperParameters.a + " " + .TrainingJobStatus + " " + .ObjectiveStatus] | join(", ")')" \
	'9 Completed Succeeded, 8 Stopped Succeeded, 10 Completed Succeeded' 'what is worse than the median is stopped early'
stopped=$(json '.TrainingJobSummaries[1].TrainingJobName')
same "$(tar -xOzf "$local/s3/tuning/objects/out/$stopped/output/model.tar.gz" state)" stopped 'and leaves what it has'

# --- Hyperband: of those at a rung the best third goes on; who has used MaxResource ends ---
create band "$random"' | .HyperParameterTuningJobConfig |= (.Strategy = "Hyperband" |
	.StrategyConfig = {HyperbandStrategyConfig: {MinResource: 1, MaxResource: 9}} |
	.ResourceLimits = {MaxNumberOfTrainingJobs: 9, MaxParallelTrainingJobs: 3}) |
	.TrainingJobDefinition.StaticHyperParameters |= (.epochs = "12" | .pause = "0.4")'
# --- two definitions take turns ---
create two '.HyperParameterTuningJobConfig |= (del(.HyperParameterTuningJobObjective, .ParameterRanges) | .Strategy = "Random" |
	.ResourceLimits.MaxNumberOfTrainingJobs = 4) |
	.TrainingJobDefinition as $d | del(.TrainingJobDefinition) | .TrainingJobDefinitions = [("low", "1"), ("high", "5") | . as $x | $d]
	| .TrainingJobDefinitions[0] += {DefinitionName: "low"} | .TrainingJobDefinitions[1] += {DefinitionName: "high"}
	| .TrainingJobDefinitions[0].StaticHyperParameters.b = "1" | .TrainingJobDefinitions[1].StaticHyperParameters.b = "500"
	| .TrainingJobDefinitions[] |= . + {TuningObjective: {Type: "Maximize", MetricName: "score"},
		HyperParameterRanges: {IntegerParameterRanges: [{Name: "a", MinValue: "1", MaxValue: "400"}]}}
	| .TrainingJobDefinitions |= .[0:2]'
wait_until two Completed
same "$(json .BestTrainingJob.TrainingJobDefinitionName)" high 'the best is of the better definition'
children two
same "$(json '[.TrainingJobSummaries[].TrainingJobDefinitionName] | join(" ")')" 'low high low high' 'definitions take turns'

# --- what does not succeed ---
create bad '.TrainingJobDefinition.StaticHyperParameters.mode = "fail"'
wait_until bad Failed
[ "$(json '.TrainingJobStatusCounters.NonRetryableError')" -ge 5 ]
ok $? 'failures are counted'
same "$(json .FailureReason | grep -c '^No training job succeeded after [56] attempts')" 1 'and end it'
create silent "$random"' | .TrainingJobDefinition.StaticHyperParameters.mode = "silent" |
	.HyperParameterTuningJobConfig.ResourceLimits.MaxNumberOfTrainingJobs = 2 | .HyperParameterTuningJobConfig.Strategy = "Bayesian"'
wait_until silent Failed
same "$(json .FailureReason | grep -c '^No objective metrics found after running 2 training jobs')" 1 'so does the lack of an objective'
same "$(json .FailureReason | grep -c 'sampled at random')" 1 'Bayesian says what it is'
request stale "$random"' | .HyperParameterTuningJobConfig |= (.ResourceLimits = {MaxNumberOfTrainingJobs: 30, MaxParallelTrainingJobs: 1} |
	.ParameterRanges.IntegerParameterRanges[0].MaxValue = "100" | .ParameterRanges.IntegerParameterRanges[0].MinValue = "100" |
	.TuningJobCompletionCriteria = {BestObjectiveNotImproving: {MaxNumberOfTrainingJobsNotImproving: 3}})'
jq '.HyperParameterTuningJobConfig.ParameterRanges.IntegerParameterRanges[0] = {Name: "z", MinValue: "1", MaxValue: "1000"} |
	.TrainingJobDefinition.StaticHyperParameters.a = "5"' < "$T/request.json" > "$T/request.new" && mv "$T/request.new" "$T/request.json"
call CreateHyperParameterTuningJob
wait_until stale Completed
same "$(json .TrainingJobStatusCounters.Completed)" 4 'three jobs that improve nothing end it'
jq -n '{HyperParameterTuningJobName: "stale"}' > "$T/request.json"
call DescribeHyperParameterTuningJob
same "$(json .TuningJobCompletionDetails.NumberOfTrainingJobsObjectiveNotImproving)" 3 'and are counted'

wait_until band Completed
same "$(json '[.TrainingJobStatusCounters | .Completed, .Stopped] | join(" ")')" '0 9' 'Hyperband ends every job'
best=$(json .BestTrainingJob.TrainingJobName)
top=$(json .BestTrainingJob.FinalHyperParameterTuningJobObjectiveMetric.Value)
children band
same "$(json '[.TrainingJobSummaries[].FinalHyperParameterTuningJobObjectiveMetric.Value] | max')" "$top" 'its best is the best'
[ "$(scores "$best")" -ge 9 ]
ok $? 'which used all its resource'
short=0
for job in $(json '.TrainingJobSummaries[].TrainingJobName'); do
	[ "$(scores "$job")" -ge 9 ] || short=$((short + 1))
done
[ "$short" -ge 3 ]
ok $? "$short of 9 were stopped at a rung"

# --- a cloud that is killed ---
create killed "$random | .TrainingJobDefinition.StaticHyperParameters |= (.epochs = \"60\" | .pause = \"1\")"
for _ in $(seq 100); do
	[ "$(running killed)" -ne 2 ] || break
	sleep 0.1
done
kill -9 "$(jq .pid < "$local/cloud.json")"
use_cloud
describe killed
same "$(json .HyperParameterTuningJobStatus)" Failed 'the next cloud knows the tuning job of a killed one'
same "$(json .FailureReason)" 'InternalServerError: the local cloud was stopped while the job ran' 'and why it ended'
same "$(json .TrainingJobStatusCounters.RetryableError)" 2 'and its training jobs'
describe grid
same "$(json .BestTrainingJob.FinalHyperParameterTuningJobObjectiveMetric.Value)" 60 'what ended before is as it was'
for _ in $(seq 150); do
	[ "$(running killed)" -ne 0 ] || break
	sleep 0.1
done
same "$(running killed)" 0 'no container stays'
"$SMPIPE" local down > /dev/null 2>&1

# --- a cloud that ends when idle ends after the tuning job ---
request last "$random"' | .TrainingJobDefinition.StaticHyperParameters.pause = "1" |
	.HyperParameterTuningJobConfig.ResourceLimits = {MaxNumberOfTrainingJobs: 3, MaxParallelTrainingJobs: 1}'
"$SMPIPE" local serve --dir "$local" --idle 2 > "$T/serve" 2>&1 &
serve=$!
use_cloud
call CreateHyperParameterTuningJob
for _ in $(seq 300); do
	kill -0 $serve 2> /dev/null || break
	sleep 0.1
done
! kill -0 $serve 2> /dev/null
ok $? 'an idle cloud ends'
same "$(status_of last)" Completed 'and not before the tuning job has'

engine DELETE "/images/$image?force=1" -o /dev/null 2> /dev/null
finish
