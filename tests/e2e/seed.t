#!/bin/sh
# What the SageMaker Python SDK sends for an Estimator() and its fit() (tests/fixtures/seed/request.json), smpipe plans too,
# offline; and what it sends for a HyperparameterTuner() of that Estimator (tuning-request.json). Wanted differences:
#
#   TrainingJobName, HyperParameterTuningJobName
#                      named by the request's content, not by the time
#   TrainingImage      named by the digest of what will be built, not by a tag
#   HyperParameters    true, null and [1, 2] as JSON writes them, not as Python does
#   Tags               smpipe's own
#   DebugHookConfig, ProfilerConfig
#                      nobody asked for them
. "$(dirname "$0")/lib.sh"

# Without network where the machine lets us, and without credentials and Docker Engine in any case.
if unshare -n true 2> /dev/null; then
	apart='unshare -n'
else
	apart=
fi
plan() {
	# shellcheck disable=SC2086
	run $apart env DOCKER_HOST=unix:///nonexistent "$SMPIPE" plan --offline --account 123456789012 "$@"
}

cp -r "$ROOT/tests/fixtures/seed" "$T/project"
cd "$T/project" || exit 1
rm request.json tuning-request.json
mv tuner.yaml "$T/tuner.yaml"
git init -q
commit Start

plan --region us-west-2 --json
expect 0 'plan --offline, without network, credentials or Docker Engine'
jq -S .request "$T/out" > "$T/planned.json"
jq -S 'del(.DebugHookConfig, .ProfilerConfig)
	| .HyperParameters.shuffle = "true" | .HyperParameters.momentum = "null" | .HyperParameters.layers = "[1,2]"' \
	"$ROOT/tests/fixtures/seed/request.json" > "$T/wanted.json"
same "$(jq -c 'del(.Tags) | keys' "$T/planned.json")" "$(jq -c keys "$T/wanted.json")" 'the same members'
for member in RoleArn OutputDataConfig StoppingCondition ResourceConfig InputDataConfig HyperParameters CheckpointConfig \
	AlgorithmSpecification.TrainingInputMode AlgorithmSpecification.MetricDefinitions; do
	same "$(jq -c ".$member" "$T/planned.json")" "$(jq -c ".$member" "$T/wanted.json")" "$member"
done
tag=$(jq -r .image_tag "$T/out")
same "$(jq -r .AlgorithmSpecification.TrainingImage "$T/planned.json")" \
	"$(jq -r '.AlgorithmSpecification.TrainingImage | split(":")[0]' "$T/wanted.json")@(known after build $tag)" \
	'TrainingImage: the same repository, and the tag of what will be built'
same "$(jq -r .TrainingJobName "$T/planned.json")" "my-algo-$(jq -r .request_key "$T/out" | cut -c 1-12)" 'TrainingJobName'
same "$(jq -r '[.Tags[].Key] | join(" ")' "$T/planned.json")" \
	'smpipe:request smpipe:commit smpipe:dirty smpipe:build smpipe:record' 'Tags'
same "$(git status --porcelain --ignored)" '' 'nothing was left behind'
plan --region us-west-2
out_has '^  image +build +123456789012.dkr.ecr.us-west-2.amazonaws.com/my-algo:c-[0-9a-f]{16} ' 'the same in words'
err_has "warning: smpipe.yaml:7:10: inputs.train: 's3://my-bucket/data/train' also matches longer names" 'with a warning of the open end of a prefix'

# --- the tuner ---
cat "$T/tuner.yaml" >> smpipe.yaml
git commit -qam Tune
plan --tune --region us-west-2 --json
expect 0 'plan --tune --offline, without network, credentials or Docker Engine'
jq -S .request "$T/out" > "$T/planned.json"
jq -S '.TrainingJobDefinition.StaticHyperParameters |= (.shuffle = "true" | .momentum = "null" | .layers = "[1,2]")' \
	"$ROOT/tests/fixtures/seed/tuning-request.json" > "$T/wanted.json"
same "$(jq -c 'del(.Tags) | keys' "$T/planned.json")" "$(jq -c keys "$T/wanted.json")" 'the same members'
for part in HyperParameterTuningJobConfig TrainingJobDefinition; do
	same "$(jq -c ".$part | keys" "$T/planned.json")" "$(jq -c ".$part | keys" "$T/wanted.json")" "the same members of $part"
done
for member in $(jq -r '[.HyperParameterTuningJobConfig, .TrainingJobDefinition] | map(keys)[][]' "$T/wanted.json"); do
	[ "$member" = AlgorithmSpecification ] && member='AlgorithmSpecification | del(.TrainingImage)'
	value="[.HyperParameterTuningJobConfig, .TrainingJobDefinition] | map(.$member)"
	same "$(jq -c "$value" "$T/planned.json")" "$(jq -c "$value" "$T/wanted.json")" "$member"
done
same "$(jq -r .HyperParameterTuningJobName "$T/planned.json")" "my-algo-$(jq -r .request_key "$T/out" | cut -c 1-12)" \
	'HyperParameterTuningJobName'
plan --tune --region us-west-2 -p lr=0.5
expect 2 '-p of what is tuned'
err_has "^smpipe: -p lr: 'lr' is tuned: its values come from its range$" 'is refused'
plan --region us-west-2 -p lr=0.5
expect 0 'for a training job it is right'
plan --tune --region us-west-2 -p momentum=0.9 --json
same "$(json .request.TrainingJobDefinition.StaticHyperParameters.momentum)" 0.9 '-p sets what is not tuned'
git reset -q --hard HEAD~1

# --- another partition ---
plan --region cn-north-1
expect 2 'a role of another partition is refused'
err_has "^smpipe: smpipe.yaml:4:7: 'arn:aws:iam::123456789012:role/SMRole' is of partition aws, region cn-north-1 is of aws-cn$" \
	'by file, line and column'
sed -i 's/arn:aws:/arn:aws-cn:/' smpipe.yaml
plan --region cn-north-1 --json
expect 0 'plan in China'
same "$(json .request.AlgorithmSpecification.TrainingImage)" \
	"123456789012.dkr.ecr.cn-north-1.amazonaws.com.cn/my-algo@(known after build $(json .image_tag))" 'the registry is in China'
plan --region us-west-2
expect 2 "and China's role is refused elsewhere"
git checkout -q smpipe.yaml

# --- what cannot be planned ---
run "$SMPIPE" plan --offline --region us-west-2
expect 2 'no account'
err_has 'an offline plan needs an account' 'it says so'
run "$SMPIPE" plan --offline --account 12345 --region us-west-2
expect 2 'no account number'
run "$SMPIPE" plan --offline --account 123456789012
expect 2 'no region'
err_has 'no region is given' 'it says so'
sed -i 's/^name: .*/name: x/' smpipe.yaml
plan --region us-west-2
expect 2 'a name that is too short for a repository'
err_has '^smpipe: smpipe.yaml:3:' 'the message stands at the name'
git checkout -q smpipe.yaml

# The slip that the recipe itself makes: the tag's colon is written twice.
sed -i 's,^bucket:,image: {uri: "123456789012.dkr.ecr.us-west-2.amazonaws.com/my-algo::latest"}\n&,' smpipe.yaml
plan --region us-west-2
expect 2 'my-algo::latest is no image'
same "$(awk '/my-algo::latest/ { want = index($0, "::") + 1 } want && /\^$/ { print index($0, "^") - want; exit }' "$T/err")" 0 \
	'a caret stands under the second colon'

finish
