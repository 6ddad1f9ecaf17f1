#!/bin/sh
# Jobs on several hosts in the local cloud, channels by manifest, checkpoints, and the end of jobs: with an image that is
# nothing but busybox, and a script that comes through a channel.
. "$(dirname "$0")/lib.sh"

image=smpipe-hosts-test:$$
make_image "$image"
use_empty_cloud
aws s3 mb s3://hosts > "$T/out" 2>&1
objects=$local/s3/hosts/objects
# Files put below objects/ are objects: no call for each.
mkdir -p "$objects/data/sub" "$objects/more" "$objects/code"
for i in 1 2 3 4 5 6 7; do echo "line $i" > "$objects/data/part$i"; done
echo nested > "$objects/data/sub/part8"
echo beside > "$objects/more/other"
echo unwanted > "$objects/more/unwanted"
echo '[{"prefix": "s3://hosts/"}, "more/other", "data/part2", "data/part1"]' > "$objects/list.manifest"

# script NAME: the standard input becomes the training code s3://hosts/code/NAME/train.sh, busybox's commands without their box.
script() {
	mkdir -p "$objects/code/$1"
	{
		cat << 'HEAD'
for c in cat echo find grep hostname mkdir nc rm sed sleep sort touch; do
	eval "$c() { /bin/busybox $c \"\$@\"; }"
done
cd /opt/ml
host=$(sed -n 's/.*"current_host":"\([^"]*\)".*/\1/p' input/config/resourceconfig.json)
HEAD
		cat
	} > "$objects/code/$1/train.sh"
}

# create JOB SCRIPT HOSTS [FILTER]: a training job; the filter is jq's, over the request.
create() {
	jq -n --arg job "$1" --arg script "$2" --argjson hosts "$3" --arg image "$image" '
		def channel(name; uri): {ChannelName: name, DataSource: {S3DataSource: {S3DataType: "S3Prefix", S3Uri: uri}}};
		{
			TrainingJobName: $job, RoleArn: "arn:aws:iam::000000000000:role/R",
			AlgorithmSpecification: {TrainingImage: $image, TrainingInputMode: "File",
				ContainerEntrypoint: ["/bin/busybox", "sh"], ContainerArguments: ["/opt/ml/input/data/code/train.sh"]},
			InputDataConfig: [channel("code"; "s3://hosts/code/" + $script + "/"), channel("all"; "s3://hosts/data/"),
				(channel("shard"; "s3://hosts/data/") | .DataSource.S3DataSource.S3DataDistributionType = "ShardedByS3Key")],
			OutputDataConfig: {S3OutputPath: "s3://hosts/out"},
			ResourceConfig: {InstanceType: "ml.m5.large", InstanceCount: $hosts, VolumeSizeInGB: 1},
			StoppingCondition: {MaxRuntimeInSeconds: 60}
		} | '"${4:-.}" > "$T/request.json"
	run aws sagemaker create-training-job --cli-input-json "file://$T/request.json"
	[ "$status" -eq 0 ] || sed 's/^/# /' "$T/err"
}
# wait_until JOB STATUS: what the job's file says, for half a minute at most; then the description in $T/out.
wait_until() {
	for _ in $(seq 300); do
		jq .describe < "$local/jobs/$1/job.json" > "$T/out" 2> /dev/null
		case $2,$(json .TrainingJobStatus) in "$2,$2" | *,Completed | *,Stopped | *,Failed) break ;; esac
		sleep 0.1
	done
	: > "$T/err"
	same "$(json .TrainingJobStatus)" "$2" "$1 is $2"
}
log() { jq -r .m "$local"/logs/*/"$1%2F$2"-*; }

# --- two hosts: names, shards, one model ---
script pair << 'END'
echo "I am $host, $(hostname)"
cat input/config/resourceconfig.json
echo
other=algo-1
[ "$host" = algo-2 ] || other=algo-2
# Names resolve once all hosts are up.
echo "hello from $host" > /tmp/hello
nc -ll -p 7777 -e /bin/busybox cat /tmp/hello &
for i in 1 2 3 4 5 6 7 8 9 10; do
	heard=$(nc -w 2 $other 7777 < /dev/null) && [ "$heard" ] && break
	sleep 0.3
done
echo "heard: $heard"
(cd input/data/shard && find . -type f) > model/shard-$host
echo "all=$(find input/data/all -type f | sort | while read -r f; do cat "$f"; done | grep -c .)"
echo "$host" > model/who
mkdir -p output/data && echo "$host" > output/data/$host
# All hosts share one folder of checkpoints.
touch checkpoints/heard-$host
for i in 1 2 3 4 5 6 7 8 9 10; do
	[ ! -f checkpoints/heard-$other ] || break
	sleep 0.3
done
END
create pair pair 2
expect 0 'a job on two hosts is taken'
wait_until pair Completed
same "$(tar -xOzf "$objects/out/pair/output/model.tar.gz" shard-algo-1 shard-algo-2 | LC_ALL=C sort | tr '\n' ' ')" \
	'./part1 ./part2 ./part3 ./part4 ./part5 ./part6 ./part7 ./sub/part8 ' 'the shards are disjoint and complete'
same "$(tar -xOzf "$objects/out/pair/output/model.tar.gz" shard-algo-1 | grep -c .)" 4 'each host has its share'
same "$(tar -tzf "$objects/out/pair/output/model.tar.gz" | tr '\n' ' ')" 'shard-algo-1 shard-algo-2 who ' 'one model of both hosts'
same "$(tar -xOzf "$objects/out/pair/output/model.tar.gz" who)" algo-1 'of two files of a name the first host has the right'
same "$(tar -tzf "$objects/out/pair/output/output.tar.gz" | tr '\n' ' ')" 'algo-1 algo-2 ' 'one output of both hosts'
log pair algo-1 > "$T/out"
out_has 'I am algo-1, algo-1' 'algo-1 has its name and a log stream'
out_has 'heard: hello from algo-2' 'it reaches algo-2 by name'
out_has '"hosts":\["algo-1","algo-2"\].*"network_interface_name":"eth0"' 'resourceconfig.json names both'
out_has 'all=8' 'all data are there'
log pair algo-2 > "$T/out"
out_has 'I am algo-2, algo-2' 'algo-2 has its name and a log stream'
out_has 'heard: hello from algo-1' 'it reaches algo-1 by name'
out_has 'all=8' 'all data are there too'
out_has "smpipe: 'who' of algo-2 is left out" 'what is left out is said'

# --- a manifest ---
script listed << 'END'
cd input/data/all && find . -type f | sort > /opt/ml/model/files
END
create listed listed 1 '.InputDataConfig[1].DataSource.S3DataSource += {S3DataType: "ManifestFile", S3Uri: "s3://hosts/list.manifest"}'
wait_until listed Completed
same "$(tar -xOzf "$objects/out/listed/output/model.tar.gz" files | tr '\n' ' ')" './data/part1 ./data/part2 ./more/other ' \
	'the channel has what the manifest names'
create augmented listed 1 '.InputDataConfig[1].DataSource.S3DataSource += {S3DataType: "AugmentedManifestFile", AttributeNames: ["a"]} |
	.InputDataConfig[1].InputMode = "Pipe"'
[ "$status" -ne 0 ]
ok $? 'an augmented manifest is refused'
err_has 'does not run channels with an S3DataType other than S3Prefix and ManifestFile yet' 'with clear words'

# --- a host that fails ---
script failing << 'END'
trap 'echo "told to end"; exit 9' TERM
if [ "$host" = algo-2 ]; then
	echo 'no luck on algo-2' > output/failure
	exit 3
fi
while :; do sleep 0.2; done
END
create failing failing 2
# --- checkpoints, while that ends ---
script steps << 'END'
trap 'echo kept > /opt/ml/model/last; exit 0' TERM
cd checkpoints
n=0
[ ! -f step ] || n=$(cat step)
echo "begins at $n"
echo $((n + 1)) > step
echo x > "old-$n"
[ "$n" -eq 0 ] || { rm old-0; exit 0; }
while :; do sleep 0.1; done
END
create first steps 1 '. += {CheckpointConfig: {S3Uri: "s3://hosts/cp"}}'
wait_until failing Failed
same "$(json .FailureReason)" 'AlgorithmError: no luck on algo-2
, exit code: 3' 'the reason is that of the host that failed first'
log failing algo-1 > "$T/out"
out_has 'told to end' 'the other host was stopped'

for _ in $(seq 100); do
	[ ! -f "$objects/cp/step" ] || break
	sleep 0.1
done
same "$(cat "$objects/cp/step" 2>&1)" 1 'a checkpoint is in S3 while the job runs'
run aws sagemaker stop-training-job --training-job-name first
expect 0 'StopTrainingJob'
wait_until first Stopped
same "$(tar -xOzf "$objects/out/first/output/model.tar.gz" last)" kept 'SIGTERM was heard, and the model is uploaded'
create second steps 1 '. += {CheckpointConfig: {S3Uri: "s3://hosts/cp"}}'
wait_until second Completed
log second algo-1 > "$T/out"
out_has 'begins at 1' 'the second job goes on where the first was'
same "$(cd "$objects/cp" && echo * && cat step)" 'old-1 step
2' 'what the job removed is removed from S3'

# --- time is over ---
script endless << 'END'
trap 'exit 0' TERM
while :; do sleep 0.1; done
END
create late endless 2 '.StoppingCondition.MaxRuntimeInSeconds = 1'
wait_until late Stopped
same "$(json .SecondaryStatus)" MaxRuntimeExceeded 'because its time was over'
same "$(json '[.SecondaryStatusTransitions[] | select(.Status == "Stopping")] | length')" 1 'which is said once'

# --- nothing stays in the Engine ---
# The last job's goes right after the job's last words.
networks() { engine GET '/networks' | jq -r '[.[] | select(.Labels["smpipe.job"] == ("pair", "failing", "late")) | .Name] | length'; }
for _ in $(seq 100); do [ "$(networks)" = 0 ] && break || sleep 0.1; done
same "$(networks)" 0 'the networks are gone'
# A cloud that is killed leaves its containers and its network; the next one removes them.
create killed endless 2
wait_until killed InProgress
for _ in $(seq 100); do
	[ "$(jq -r .describe.SecondaryStatus < "$local/jobs/killed/job.json")" != Training ] || break
	sleep 0.1
done
kill -9 "$(jq .pid < "$local/cloud.json")"
left() {
	engine GET '/networks' | jq -r '.[] | select(.Labels["smpipe.job"] == "killed") | .Name'
	engine GET '/containers/json?all=1' | jq -r '.[] | select(.Labels["smpipe.job"] == "killed") | .Id'
}
same "$(left | grep -c .)" 3 'a killed cloud leaves two containers and a network'
use_cloud
for _ in $(seq 150); do
	[ "$(left | grep -c .)" -ne 0 ] || break
	sleep 0.1
done
same "$(left)" '' 'which the next one removes'

engine DELETE "/images/$image?force=1" -o /dev/null 2> /dev/null
finish
