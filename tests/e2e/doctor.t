#!/bin/sh
# What `smpipe doctor` says where all is well, where one thing is missing, and which policies it prints.
. "$(dirname "$0")/lib.sh"

# bad CHECK: the checks of that name that are BAD.
says() { out_has "^$1 +$2 +$3" "it says: $1 $2 $3"; }
# arrow: how many failures come with what to do about them.
every_failure_has_a_hint() {
	same "$(grep -A 1 '^BAD' "$T/out" | grep -c '→')" "$(grep -c '^BAD' "$T/out")" 'every failure says what to do'
}

# --- nothing there ---
mkdir "$T/empty"
cd "$T/empty" || exit 1
run env -u DOCKER_HOST DOCKER_HOST=unix:///nonexistent/docker.sock AWS_EC2_METADATA_DISABLED=true "$SMPIPE" doctor
expect 1 'doctor without project, engine, region, credentials: the class of the first failure'
says -- configuration 'no smpipe.yaml'
says -- git '.*lies in no git repository'
says BAD engine 'connect to the Docker Engine'
says BAD region 'no region is given'
says BAD credentials ''
says -- services ''
every_failure_has_a_hint

# --- all well, in the local cloud ---
new_project iris
everything() {
	git status --porcelain
	git for-each-ref
	aws s3api list-buckets --query 'Buckets[].Name' --output text
	aws ecr describe-repositories --query 'repositories[].repositoryName' --output text
	aws sagemaker list-training-jobs --query 'TrainingJobSummaries[].TrainingJobName' --output text
}
run "$SMPIPE" doctor --local
expect 0 'doctor --local in a new project'
same "$(grep -vc '^ok ' "$T/out")" 0 'everything is ok'
says ok configuration '.*smpipe.yaml \(iris\)'
says ok git 'commit [0-9a-f]{12} on main, clean'
says ok engine 'Docker Engine [0-9.]+.*, API 1\.[0-9]+, linux/'
says ok identity 'arn:aws:iam::000000000000:user/smpipe-local \(account 000000000000\)'
says ok bucket 'sagemaker-us-east-1-000000000000 would be created'
says ok repository 'iris would be created'
says ok clock "as the service's"
run "$SMPIPE" doctor --local --json
expect 0 'doctor --local --json'
same "$(json '[.[] | select(.status != "ok")] | length')" 0 'says the same'

# --- as an AWS client: bucket and role must be there ---
use_cloud
everything > "$T/before"
run "$SMPIPE" doctor
expect 1 'doctor as any AWS client'
says ok region 'us-east-1, partition aws \(AWS_REGION\)'
says ok credentials 'environment'
says ok endpoint "sts http://127.0.0.1:[0-9]+ \(not AWS's own\)"
says BAD bucket 'sagemaker-us-east-1-000000000000 does not exist'
says BAD role '.*names no role'
every_failure_has_a_hint
everything | cmp -s - "$T/before"
ok $? 'it changes nothing'

aws s3 mb s3://far-away --region eu-west-1 > /dev/null
echo 'bucket: far-away' >> smpipe.yaml
run "$SMPIPE" doctor
says BAD bucket "bucket 'far-away' is in region 'eu-west-1', and a job in 'us-east-1' "
git checkout -q smpipe.yaml
aws s3api create-bucket --bucket sagemaker-us-east-1-000000000000 > /dev/null
aws ecr create-repository --repository-name iris > /dev/null
echo 'role: Trainer' >> smpipe.yaml
commit 'Name the role'
run "$SMPIPE" doctor
expect 0 'doctor with bucket, repository and role'
says ok bucket 'sagemaker-us-east-1-000000000000 \(of account 000000000000\)'
says ok repository 'iris$'
says ok push 'allowed, to 127.0.0.1:'
says ok role 'arn:aws:iam::000000000000:role/Trainer, trusts sagemaker\.'
says ok jobs 'training jobs can be listed'
echo '# a change' >> smpipe.yaml
run "$SMPIPE" doctor
expect 0 'doctor with an uncommitted change'
says warn git 'commit [0-9a-f]{12} on main, 1 changed file$'
git checkout -q smpipe.yaml

# The name of the role is what the request has an ARN for.
run "$SMPIPE" plan --json
expect 0 'plan with a role by name'
same "$(json .request.RoleArn)" arn:aws:iam::000000000000:role/Trainer 'IAM knows its ARN'
run "$SMPIPE" plan --offline --account 000000000000 --region us-east-1
expect 2 'offline nobody does'
err_has "only IAM knows the ARN of a name" 'and the plan says so'
err_has '^hint: plan without --offline, or write the ARN' 'and what to do'

# --- one thing wrong at a time ---
roles() { printf '%s' "$1" > .smpipe/local/roles.json; }
roles '{}'
run "$SMPIPE" doctor
expect 1 'doctor, the role is missing'
says BAD role ".*role 'Trainer'.*NoSuchEntity"
run "$SMPIPE" plan
expect 2 'plan, the role is missing'
err_has 'smpipe.yaml:[0-9]+:[0-9]+: .*NoSuchEntity' 'it names the line'
roles '{"Trainer": {"Statement": [{"Effect": "Allow", "Principal": {"Service": "lambda.example"}, "Action": "sts:AssumeRole"}]}}'
run "$SMPIPE" doctor
expect 2 'doctor, the role does not trust SageMaker'
says BAD role 'arn:aws:iam::000000000000:role/Trainer does not trust sagemaker\.'
every_failure_has_a_hint
rm .smpipe/local/roles.json

run env DOCKER_HOST=unix:///nonexistent/docker.sock "$SMPIPE" doctor
expect 1 'doctor, no engine'
same "$(grep -c '^BAD' "$T/out")" 1 'it names that alone'
says BAD engine "connect to the Docker Engine at '/nonexistent/docker.sock'"
every_failure_has_a_hint

run env AWS_SECRET_ACCESS_KEY=wrong "$SMPIPE" doctor
expect 5 'doctor, wrong credentials'
says BAD identity '.*403 SignatureDoesNotMatch'
run env -u AWS_ACCESS_KEY_ID -u AWS_SECRET_ACCESS_KEY AWS_EC2_METADATA_DISABLED=true "$SMPIPE" doctor
expect 5 'doctor, no credentials'
says BAD credentials ''
says ok region 'us-east-1'
every_failure_has_a_hint

sed 's/^name:/account: "111111111111"\nname:/' smpipe.yaml > "$T/other.yaml" && cp "$T/other.yaml" other.yaml
run "$SMPIPE" doctor --file other.yaml
expect 2 'doctor, the file is for another account'
says BAD identity '.*of account 000000000000, smpipe.yaml is for 111111111111'
every_failure_has_a_hint
echo 'no_such_key: 1' >> other.yaml
run "$SMPIPE" doctor --file other.yaml
expect 2 'doctor, the file is malformed'
says BAD configuration '.*other.yaml:[0-9]+:[0-9]+: '
rm other.yaml

run env AWS_ENDPOINT_URL=http://127.0.0.1:9 AWS_MAX_ATTEMPTS=1 "$SMPIPE" doctor
expect 1 'doctor, nobody answers'
says BAD clock "ask 'http://127.0.0.1:9/' for the time"
says BAD identity ''
run env AWS_REGION='not a region' "$SMPIPE" doctor
expect 2 'doctor, a region that is none'
says BAD region "'not a region' is not a region name"
run env AWS_DEFAULT_REGION=eu-west-1 "$SMPIPE" doctor
expect 0 'doctor, two regions'
err_has "AWS_REGION is 'us-east-1', AWS_DEFAULT_REGION 'eu-west-1'" 'it says so' 

# --- an hour between the clocks ---
cat > "$T/late.py" <<'END'
import email.utils, http.server, sys, time
class Late(http.server.BaseHTTPRequestHandler):
    def date_time_string(self, timestamp=None):
        return email.utils.formatdate(time.time() - 3600, usegmt=True)
    def do_GET(self):
        self.send_response(302)
        self.send_header("Content-Length", "0")
        self.end_headers()
    def log_message(self, *args):
        pass
server = http.server.HTTPServer(("127.0.0.1", 0), Late)
print(server.server_port, flush=True)
server.handle_request()
END
mkfifo "$T/port"
/usr/bin/python3 "$T/late.py" > "$T/port" &
read -r port < "$T/port"
run env AWS_ENDPOINT_URL_STS="http://127.0.0.1:$port" AWS_MAX_ATTEMPTS=1 "$SMPIPE" doctor
says warn clock "(1 h 00 min|60 min|59 min .*) ahead of the service's"
wait

# --- policies ---
if unshare -n true 2> /dev/null; then apart='unshare -n'; else apart=; fi
# shellcheck disable=SC2086
run env -u AWS_ENDPOINT_URL $apart "$SMPIPE" doctor --policy --account 123456789012 --region cn-north-1
expect 0 'doctor --policy, without network'
same "$(json 'keys | join(" ")')" 'caller gc role trust' 'four policies'
same "$(json '.caller.Statement[] | select(.Sid == "PassRole") | "\(.Action[0]) \(.Resource) \(.Condition.StringEquals[])"')" \
	"iam:PassRole arn:aws-cn:iam::123456789012:role/Trainer $(json '.trust.Statement[0].Principal.Service')" \
	'the role may be passed to whom it trusts'
same "$(json '[.. | strings | select(startswith("arn:"))] | map(split(":")[1]) | unique | join(" ")')" aws-cn \
	"every ARN is of the region's partition"
# Every action is one of AWS's, as botocore knows them; some permissions have other names than the call.
json '[.caller, .gc, .role] | map(.Statement[].Action[]) | unique | .[]' > "$T/actions"
cat > "$T/actions.py" <<'END'
import sys, botocore.session
session = botocore.session.get_session()
other = {"s3:ListBucket": "ListObjectsV2", "s3:PutBucketPublicAccessBlock": "PutPublicAccessBlock",
         "s3:PutEncryptionConfiguration": "PutBucketEncryption", "s3:ListMultipartUploadParts": "ListParts",
         "s3:ListBucketMultipartUploads": "ListMultipartUploads"}
only_a_permission = {"iam:PassRole"}
for action in sys.stdin.read().split():
    service, call = action.split(":")
    if action not in only_a_permission and other.get(action, call) not in session.get_service_model(service).operation_names:
        print(action)
END
same "$(wc -l < "$T/actions" | awk '{ print ($1 > 15) }')" 1 'there are more than fifteen actions'
same "$(/usr/bin/python3 "$T/actions.py" < "$T/actions")" '' 'botocore knows them all'
run env -u AWS_ENDPOINT_URL "$SMPIPE" doctor --policy
expect 2 'doctor --policy without an account'
err_has '^hint: give --account' 'it asks for one'

finish
