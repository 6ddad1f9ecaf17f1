#!/bin/sh
# Third parties look at what a release left: Debian's awscli, botocore, docker, skopeo, git, openssl and sha256sum.
. "$(dirname "$0")/lib.sh"

new_project iris
mkdir code
printf '#!/bin/sh\necho here\n' > code/run.sh
cat >> smpipe.yaml <<'END'
source: {entry_point: run.sh, source_dir: code, delivery: channel}
END
commit 'Code beside the image'
use_cloud
run "$SMPIPE" plan --local --json
cp "$T/out" "$T/plan.json"
run "$SMPIPE" release --local --json --no-logs
expect 0 'release'
cp "$T/out" "$T/release.json"
of() { jq -r "$1" "$T/release.json"; }
job=$(of .job)
image=$(of .image)
digest=${image#*@}
bucket=sagemaker-us-east-1-000000000000

# --- awscli: S3 ---
run aws s3 ls --recursive "s3://$bucket"
expect 0 'aws s3 ls'
for key in 'data/train/[0-9a-f]{64}/iris\.csv' 'data/train/[0-9a-f]{64}\.json' 'source/[0-9a-f]{64}/sourcedir\.tar\.gz' \
	"output/$job/output/model.tar.gz" "records/$job/statement.json"; do
	out_has " iris/$key$" "it lists $key"
done
train=$(jq -r '.channels[] | select(.name == "train") | .uri' "$T/plan.json")
run aws s3 cp "${train}iris.csv" -
cmp -s "$T/out" data/train/iris.csv
ok $? 'aws s3 cp reads a data file back byte by byte'
run aws s3 cp "$(jq -r .source "$T/plan.json")" -
same "$(tar -xzOf "$T/out" run.sh)" "$(cat code/run.sh)" 'and the code'
run aws s3 cp "$(of .model)" -
same "$(tar -tzf "$T/out")" model.txt 'and the model'
run aws s3 cp "$(of .record)" "$T/statement.json"
expect 0 'and the record'

# --- awscli: SageMaker and the log ---
run aws sagemaker describe-training-job --training-job-name "$job"
expect 0 'aws sagemaker describe-training-job'
same "$(json '"\(.TrainingJobStatus) \(.SecondaryStatus)"')" 'Completed Completed' 'it is completed'
same "$(json .AlgorithmSpecification.TrainingImage)" "$image" 'its image is named by digest'
same "$(json .ModelArtifacts.S3ModelArtifacts)" "$(of .model)" 'its model is where the release says'
same "$(json '[.InputDataConfig[].ChannelName] | join(" ")')" 'train val test code' 'its channels'
same "$(json '[.FinalMetricDataList[].MetricName] | sort | join(",")')" \
	'Train Loss,Validation AUC ROC,Validation F1 Score,Validation Loss' 'its metrics'
run aws sagemaker list-tags --resource-arn "$(of .job_arn)"
expect 0 'aws sagemaker list-tags'
tag() { json ".Tags[] | select(.Key == \"smpipe:$1\") | .Value"; }
same "$(tag commit) $(tag request)" "$(git rev-parse HEAD) $(jq -r .request_key "$T/plan.json")" 'commit and request key are tags'
same "$(tag record) $(tag statement)" "$(of .record) $(sha256sum < "$T/statement.json" | cut -d ' ' -f 1)" \
	'so are the place and the digest of the record'
run aws sagemaker list-training-jobs --name-contains iris
same "$(json '.TrainingJobSummaries | map(.TrainingJobName) | join(" ")')" "$job" 'aws sagemaker list-training-jobs'
stream=$(aws logs describe-log-streams --log-group-name /aws/sagemaker/TrainingJobs --log-stream-name-prefix "$job/" \
	--query 'logStreams[].logStreamName' --output text)
run aws logs get-log-events --log-group-name /aws/sagemaker/TrainingJobs --log-stream-name "$stream" --start-from-head
expect 0 'aws logs get-log-events'
same "$(json '[.events[].message | select(test("^epoch=[0-9]+ train_loss="))] | length')" 40 'a line for each epoch'

# --- awscli: ECR ---
run aws ecr describe-repositories --repository-names iris
same "$(json '.repositories[] | "\(.imageTagMutability) \(.imageScanningConfiguration.scanOnPush)"')" 'IMMUTABLE true' \
	'aws ecr describe-repositories: tags cannot be moved, images are scanned on push'
run aws ecr describe-images --repository-name iris
same "$(json '.imageDetails[] | "\(.imageDigest) \(.imageTags | join(" "))"')" "$digest $(jq -r .image_tag "$T/plan.json")" \
	'aws ecr describe-images: one image, under the tag of its build key'

# --- awscli: a stranger ---
run env AWS_SECRET_ACCESS_KEY=wrong /usr/bin/aws --endpoint-url "$AWS_ENDPOINT_URL" s3 ls "s3://$bucket"
err_has SignatureDoesNotMatch 'a wrong secret is refused by S3'
run env AWS_SECRET_ACCESS_KEY=wrong /usr/bin/aws --endpoint-url "$AWS_ENDPOINT_URL" sagemaker list-training-jobs
err_has InvalidSignatureException 'and by SageMaker'

# --- docker and skopeo ---
export DOCKER_CONFIG="$T/docker"
aws ecr get-login-password > "$T/password"
run skopeo inspect --tls-verify=false --creds "AWS:$(cat "$T/password")" "docker://$image"
expect 0 'skopeo inspect by digest'
same "$(json '.Labels["smpipe.build-key"] + " " + .Labels["org.opencontainers.image.revision"]')" \
	"$(jq -r .build_key "$T/plan.json") $(git rev-parse HEAD)" 'build key and commit are labels'
run skopeo inspect --raw --tls-verify=false --creds "AWS:$(cat "$T/password")" "docker://$image"
same "sha256:$(sha256sum < "$T/out" | cut -d ' ' -f 1)" "$digest" 'the digest is that of the manifest'
config=$(json .config.digest)
run skopeo inspect --tls-verify=false --creds AWS:wrong "docker://$image"
[ "$status" -ne 0 ]
ok $? 'a wrong password is refused'
/usr/bin/docker login -u AWS --password-stdin "${image%%/*}" < "$T/password" > /dev/null 2>&1
ok $? 'docker login with the password of aws ecr get-login-password'
/usr/bin/docker image rm -f "$config" > /dev/null 2>&1
run /usr/bin/docker pull -q "$image"
expect 0 'docker pull by digest'
same "$(/usr/bin/docker image inspect -f '{{.Id}}' "$image")" "$config" 'it is the image that was built'
/usr/bin/docker image rm -f "$config" > /dev/null 2>&1

# --- git ---
run git notes --ref=smpipe show
expect 0 'git notes show'
same "$(json '.job + " " + .record + " " + .sha256')" \
	"$job $(of .record) $(sha256sum < "$T/statement.json" | cut -d ' ' -f 1)" 'the note names job, record and its digest'
same "$(git cat-file -t "refs/smpipe/jobs/$job")" tag 'the job is a tag object'
git cat-file tag "refs/smpipe/jobs/$job" | sed '1,/^$/d' | cmp -s - "$T/statement.json"
ok $? 'whose message is the record, byte by byte'
run git show "refs/smpipe/jobs/$job"
out_has "^commit $(git rev-parse HEAD)" 'git show leads to the commit'
same "$(git describe --tags --always)" "$(git rev-parse --short HEAD)" 'git describe does not see it'
same "$(git fsck 2>&1 | grep -v '^dangling')" '' 'git fsck has no complaints'

# --- openssl and sha256sum ---
of_record() { jq -r "$1" "$T/statement.json"; }
same "$(of_record '[.subject[].name] | join(" ")')" 'image source data/train data/val data/test model' 'the subjects of the record'
for name in source data/train model; do
	aws s3 cp "$(of_record ".subject[] | select(.name == \"$name\") | .uri")" - 2> /dev/null |
		openssl dgst -sha256 -r | cut -d ' ' -f 1 > "$T/openssl"
	same "$(cat "$T/openssl")" "$(of_record ".subject[] | select(.name == \"$name\") | .digest.sha256")" \
		"openssl finds the recorded digest of $name"
done
same "sha256:$(of_record '.subject[] | select(.name == "image") | .digest.sha256')" "$digest" 'the image has its own'
# The tree digest of design 3a, by hand.
file=data/train/iris.csv
printf -- '- %d %s %s\0' "$(wc -c < $file)" "$(sha256sum < $file | cut -d ' ' -f 1)" iris.csv | sha256sum | cut -d ' ' -f 1 > "$T/tree"
same "s3://$bucket/iris/data/train/$(cat "$T/tree")/" "$train" "sha256sum finds the data's key"

# --- botocore ---
cat > "$T/judge.py" << 'END'
import json, re, sys
import botocore.session
from botocore.model import ServiceModel
from botocore.validate import ParamValidator

request = json.load(open(sys.argv[1]))["request"]
if sys.argv[2] == "botocore":
    model = botocore.session.get_session().get_service_model("sagemaker")
else:
    model = ServiceModel(json.load(open(sys.argv[2])))
shape = model.operation_model("CreateTrainingJob").input_shape

def matches(pattern, value):
    for java, python in ((r"\p{L}", r"\w"), (r"\p{Z}", r"\s"), (r"\p{N}", r"\d")):
        pattern = pattern.replace(java, python)
    return re.fullmatch(pattern, value)

# ParamValidator leaves maxima, patterns and enums to the service.
def complaints(shape, value, path):
    limits = shape.metadata
    if shape.type_name == "structure":
        return [c for k, v in value.items() for c in complaints(shape.members[k], v, path + "." + k)]
    if shape.type_name in ("list", "map", "string") and len(value) > limits.get("max", 1 << 30):
        return [path + " is too long"]
    if shape.type_name == "list":
        return [c for v in value for c in complaints(shape.member, v, path + "[]")]
    if shape.type_name == "map":
        return [c for k, v in value.items() for c in complaints(shape.key, k, path) + complaints(shape.value, v, path)]
    if shape.type_name == "string" and "pattern" in limits and not matches(limits["pattern"], value):
        return [path + " does not match"]
    if shape.type_name == "string" and "enum" in limits and value not in limits["enum"]:
        return [path + " is none of the enum"]
    return []

for change in sys.argv[3:]:
    name, value = change.split("=")
    if value:
        request[name] = value
    else:
        del request[name]
report = ParamValidator().validate(request, shape)
sys.exit(report.generate_report() if report.has_errors() else "\n".join(complaints(shape, request, "")) or 0)
END
judge() {
	run /usr/bin/python3 "$T/judge.py" "$T/plan.json" "$@"
}
judge botocore
expect 0 'botocore accepts the request of CreateTrainingJob'
judge botocore RoleArn=
err_has RoleArn 'and would not without a role'
judge botocore TrainingJobName=iris_1
err_has TrainingJobName 'nor under a name with an underscore'
newer=$ROOT/../shared/vectors/models/sagemaker-service-2.json
if [ -r "$newer" ]; then
	judge "$newer"
	expect 0 "the newer model of ../shared/vectors accepts it too"
else
	skip "the newer service model of ../shared/vectors is not here"
fi

finish
