#!/bin/sh
# The native template through the whole line: what a plan leaves alone, what a release makes, what it does not make twice,
# and what verify sees.
. "$(dirname "$0")/lib.sh"

new_project iris
bucket=sagemaker-us-east-1-000000000000
objects=.smpipe/local/s3/$bucket/objects

release() { run "$SMPIPE" release --local --json "$@"; }
existed() { json '.existed | "\(.image) \(.source) \(.data) \(.job)"'; }

# everything: what the cloud holds, as Debian's awscli sees it. An object that is written again gets another time.
everything() {
	aws s3api list-objects-v2 --bucket "$bucket" --query 'Contents[].[Key,ETag,LastModified]' --output text
	aws ecr describe-images --repository-name iris --query 'imageDetails[].[imageDigest,imagePushedAt]' --output text
	aws sagemaker list-training-jobs --query 'TrainingJobSummaries[].TrainingJobName' --output text
}

# --- plan ---
repository_state() {
	git status --porcelain
	git for-each-ref
	find . -path ./.git -prune -o -path ./.smpipe -prune -o -type f -exec sha256sum {} +
}
repository_state > "$T/before"
run "$SMPIPE" plan --local
expect 0 'plan --local'
out_has '^  image +build ' 'it says that an image would be built'
out_has '^  data +upload +train ' 'and that data would be uploaded'
out_has '^  launch +create +iris-[0-9a-f]{12}$' 'and which job would be launched'
repository_state | cmp -s - "$T/before"
ok $? 'it changes nothing in the repository'
same "$(ls -A .smpipe | tr '\n' ' ')" '.gitignore local ' 'and leaves nothing behind but the local cloud'
use_cloud
same "$(aws s3api list-buckets --query 'length(Buckets)')$(aws ecr describe-repositories --query 'length(repositories)')$(
	aws sagemaker list-training-jobs --query 'length(TrainingJobSummaries)')" 000 'no bucket, no repository, no job'
run "$SMPIPE" plan --local --json
cp "$T/out" "$T/plan.json"

# --- the same commit elsewhere ---
git clone -q . "$T/elsewhere/clone"
(cd "$T/elsewhere/clone" && make > /dev/null 2>&1 && "$SMPIPE" plan --local --json > "$T/clone.json" 2> "$T/err")
clouds="$clouds $T/elsewhere/clone"
keys='.commit, .build_key, .image_tag, .source, .channels, .request_key, .job'
same "$(jq -c "$keys" "$T/clone.json")" "$(jq -c "$keys" "$T/plan.json")" 'a clone at another path plans the same keys'

# --- release ---
release
expect 0 'release --local'
cp "$T/out" "$T/first.json"
job=$(json .job)
image=$(json .image)
same "$(json .status)" Completed 'the job is completed'
same "$(existed)" 'false true false false' 'image, data and job are new'
err_has '^release +image [^,]+, data [^,]+$' 'it says how long the two took, and nothing of code that there is not'
same "$job" "$(jq -r .job "$T/plan.json")" 'the job has the planned name'
same "$(tar -tzf "$objects/iris/output/$job/output/model.tar.gz")" model.txt 'model.tar.gz holds model.txt'
jq -e '.metrics["Validation F1 Score"] > 0.9' "$T/out" > /dev/null
ok $? 'the metrics were read off the log'
out=$objects/iris/records/$job/statement.json
without='.AlgorithmSpecification.TrainingImage = 0'
same "$(jq -S ".predicate.buildDefinition.externalParameters.request | $without" "$out")" \
	"$(jq -S ".request | $without" "$T/plan.json")" 'the request is the planned one, but for the digest of the image'
same "$(git status --porcelain)" '' 'the work tree is as clean as before'

# --- again ---
everything > "$T/before"
release
expect 0 'release --local again'
same "$(existed)" 'true true true true' 'everything existed'
same "$(json '.job, .image')" "$job
$image" 'it names the same job and image'
run "$SMPIPE" release --local
err_has 'nothing to do: everything exists' 'it says that there is nothing to do'
out_has "^model +s3://$bucket/iris/output/$job/output/model.tar.gz$" 'and where the model is'
everything | cmp -s - "$T/before"
ok $? 'nothing was built, pushed, uploaded or launched'
# Where a connection costs three round trips, each step that opened its own would be felt. The stages have two of the
# four: image and data.
ASAN_OPTIONS=detect_leaks=0 run strace -f -o "$T/trace" -e trace=connect "$SMPIPE" release --local
[ "$(grep -c 'sin_port=' "$T/trace")" -le 4 ]
ok $? 'the steps of a release share their connections'

echo 'More words.' >> README.md
commit 'README: more words'
run "$SMPIPE" release --local
expect 0 'release of a commit that touches only the README'
err_has 'nothing to do: everything exists' 'it says that there is nothing to do'
everything | cut -f 1,2 > "$T/after"
cut -f 1,2 "$T/before" | cmp -s - "$T/after"
ok $? 'nothing was built, pushed, uploaded or launched'
run git notes --ref=smpipe show HEAD
same "$(json '.job + " " + .commit')" "$job $(git rev-parse HEAD~1)" "the commit's note names the job and the first commit"

# --- a hyperparameter, a line of code ---
sed -i 's/lr: 0.5/lr: 0.25/' smpipe.yaml
commit 'Another learning rate'
run env DOCKER_HOST="unix://$T/none.sock" "$SMPIPE" release --local
expect 1 'a job that the local cloud could not run is not launched'
err_has "Docker Engine at '.*none.sock'" 'it names the Engine'
run "$SMPIPE" release --local --again --attempt 7
expect 2 '--again and --attempt exclude each other'
run "$SMPIPE" release --local --no-wait --wait-timeout 7
expect 2 '--no-wait and --wait-timeout exclude each other'
release
expect 0 'release with another hyperparameter'
second=$(json .job)
same "$(existed)" 'true true true false' 'only the job is new'
same "$(json .image)" "$image" 'it trains with the same image'
[ "$second" != "$job" ]
ok $? 'under another name'

sed -i 's/saved %s/wrote %s/' src/main.c
make > /dev/null 2>&1
commit 'Other words'
release --no-logs
expect 0 'release with another line of code'
same "$(existed)" 'false true true false' 'image and job are new'
[ "$(json .image)" != "$image" ]
ok $? 'it is another image'
err_lacks 'epoch=' '--no-logs: no log'

# --- list, show ---
run "$SMPIPE" list --local
expect 0 'list'
same "$(grep -c ' Completed .*Validation F1 Score=' "$T/out")" 3 'three jobs, with status and metrics'
run "$SMPIPE" show --local "$job"
expect 0 'show JOB'
out_has "^commit     $(git rev-parse HEAD~3)$" 'it has the commit'
out_has '^parameter  lr=0.5$' 'and the hyperparameters'
out_has "^image      $image$" 'and the image'
run "$SMPIPE" show --local --json
same "$(json .predicate.buildDefinition.internalParameters.git.subject)" 'Other words' 'show without JOB: the last of this commit'
run "$SMPIPE" logs --local "$second"
expect 0 'logs JOB'
same "$(grep -c '^epoch=' "$T/out")" 40 'the whole log on standard output'

run "$SMPIPE" show --local iris-nope
expect 1 'show of a job that is not there'
err_has '^hint: .*smpipe list' 'the hint names list'
run sh -c '"$1" logs --local "$2" > /dev/full; echo "exit $?" >&2' - "$SMPIPE" "$second"
err_has '^exit 1$' 'a log that cannot be written is no success'
err_has '^smpipe: write to standard output: No space left' 'and the reason is told'
run sh -c '"$1" release --local >&- 2> "$2"; echo "exit $?"' - "$SMPIPE" "$T/closed"
same "$(cat "$T/out")" 'exit 1' 'a release with standard output closed'
same "$(grep -c '^smpipe: write to standard output' "$T/closed")" 1 'it is told once'
run sh -c '"$1" release --local >&- 2>&- <&-; "$1" verify --local' - "$SMPIPE"
expect 0 'a release with every stream closed writes into nothing of its own'
run sh -c 'AWS_EC2_METADATA_DISABLED=true "$1" doctor --region eu-west-1 2>&1' - "$SMPIPE"
same "$(tail -n 1 "$T/out" | cut -c 1-8)" 'smpipe: ' 'where both streams go to one file the error stands last'

# --- verify ---
run "$SMPIPE" verify --local --json "$job"
same "$(json 'map(.ok) | unique | .[]')" true 'verify --json says of each check whether it is ok'
run "$SMPIPE" verify --local "$job"
expect 0 'verify'
same "$(grep -c '^ok ' "$T/out") $(grep -vc '^ok ' "$T/out")" '11 0' 'every check is ok'

# flip FILE: change its byte 20. The old file goes to $T/kept.
flip() {
	cp -p "$1" "$T/kept"
	dd if="$1" bs=1 skip=20 count=1 2> /dev/null | tr '\000-\377' '\001-\377\000' |
		dd of="$1" bs=1 seek=20 conv=notrunc 2> /dev/null
}
# sees WHAT FILE [OPTION]: with one byte of FILE changed, verify names WHAT and nothing else.
sees() {
	flip "$2"
	run "$SMPIPE" verify --local "$job" ${3:+"$3"}
	expect 1 "verify with another byte in $1"
	same "$(sed -n 's/^BAD *\([^:]*\):.*/\1/p' "$T/out")" "$1" 'it names it'
	cp -p "$T/kept" "$2"
}
sees model "$objects/iris/output/$job/output/model.tar.gz"
sees data/val "$(echo "$objects"/iris/data/val/*.json)"
# Changed by hand, S3 no more keeps a checksum of it: only its bytes tell.
train=$(echo "$objects"/iris/data/train/*/iris.csv)
sees 'data/train (objects)' "$train" --deep
flip "$train"
run "$SMPIPE" verify --local "$job"
expect 1 'without --deep that cannot be told'
same "$(sed -n 's/^? *\([^:]*\):.*/\1/p' "$T/out")" 'data/train (objects)' 'and is not said to be right or wrong'
cp "$train" "$T/other"
cp -p "$T/kept" "$T/right"
cp -p "$T/kept" "$train"
mv "$objects/iris/output/$job/output/model.tar.gz" "$T/kept"
run "$SMPIPE" verify --local "$job"
expect 1 'verify without the model'
out_has '^BAD +model: ' 'it names it'
mv "$T/kept" "$objects/iris/output/$job/output/model.tar.gz"

good=$(git rev-parse "refs/smpipe/jobs/$job")
git update-ref "refs/smpipe/jobs/$job" "$(git cat-file tag "$good" | sed 's/"lr": "0.5"/"lr": "0.6"/' | git mktag)"
run "$SMPIPE" verify --local "$job"
expect 1 'verify with another record in git'
out_has '^BAD +record in git: ' 'it names it'
git update-ref "refs/smpipe/jobs/$job" "$good"
run "$SMPIPE" verify --local "$job"
expect 0 'verify after all was put back'

# --- what the runner stored, and other bytes that S3 keeps a checksum of ---
run "$SMPIPE" get --local "$job" "$T/model"
expect 0 'the model is fetched'
err_lacks 'could not be checked' 'and checked, for S3 keeps a checksum of what the job stored'
use_cloud
run aws s3api put-object --bucket "$bucket" --key "${train#"$objects/"}" --body "$T/other" --checksum-algorithm SHA256
expect 0 'another client puts other bytes in place of the data'
run "$SMPIPE" verify --local "$job"
expect 1 'verify sees them by their checksum'
same "$(sed -n 's/^BAD *\([^:]*\):.*/\1/p' "$T/out")" 'data/train (objects)' 'it names it'
run aws s3api put-object --bucket "$bucket" --key "${train#"$objects/"}" --body "$T/right" --checksum-algorithm SHA256
run "$SMPIPE" verify --local "$job"
expect 0 'verify after the right bytes were put back'

# --- --no-wait ---
sed -i 's/epochs: 40/epochs: 2000/' smpipe.yaml
commit 'More epochs'
release --no-wait
expect 0 'release --no-wait'
third=$(json .job)
same "$(json .status)" InProgress 'the job still runs'
run "$SMPIPE" logs --local -f
expect 0 'logs -f of the last job of this commit'
same "$(grep -c '^epoch=' "$T/out")" 2000 'it follows the job to its end'
out_has '^f1_score/test=' 'and has its last line'
same "$(git cat-file tag "refs/smpipe/jobs/$third" | sed '1,/^$/d' |
	jq -r .predicate.buildDefinition.internalParameters.status)" InProgress 'the record knows nothing of it yet'
run "$SMPIPE" list --local
out_has " Completed +[0-9a-f]{12} +$third .*Train Loss=" 'list completes it'
same "$(git cat-file tag "refs/smpipe/jobs/$third" | sed '1,/^$/d' |
	jq -r '.subject[] | select(.name == "model") | .digest.sha256')" \
	"$(sha256sum < "$objects/iris/output/$third/output/model.tar.gz" | cut -d ' ' -f 1)" 'with the digest of the model, in git too'

finish
