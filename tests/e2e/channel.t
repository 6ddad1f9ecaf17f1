#!/bin/sh
# Code that is delivered beside the image: an image of a static busybox unpacks the `code` channel and runs its entry point.
. "$(dirname "$0")/lib.sh"

new_channel_project channel
printf '#!/bin/busybox sh\necho "the helper runs"\n' > src/helper
chmod +x src/helper
echo './helper' >> src/train.sh
echo '[ -x train.sh ] || echo "the entry point is a plain file"' >> src/train.sh
commit 'A program beside the entry point'

release() { run "$SMPIPE" release --local; }
image() { sed -n 's/^image  *//p' "$T/out"; }

release
expect 0 'release'
err_has '^  greeting=hello from version 1$' 'the image runs the code that was delivered'
err_has '^  words=3$' 'the dependency lies beside the entry point'
err_has '^  the helper runs$' 'an executable file is executable'
err_has '^  the entry point is a plain file$' 'a plain one is not'
err_has '^  sum=29$' 'the data are there'
first=$(image)

sed -i 's/version 1/version 2/' src/train.sh
commit 'Version 2'
release
expect 0 'release with another line in source_dir'
err_has '^  greeting=hello from version 2$' 'the new line is what runs'
same "$(image)" "$first" 'in the same image'
err_lacks '^image +build' 'which was not built again'

# --- the archive ---
"$SMPIPE" plan --local --json > "$T/plan.json" 2> "$T/err"
archive=.smpipe/local/s3/$(jq -r .source "$T/plan.json" | sed 's,^s3://\([^/]*\)/,\1/objects/,')
same "$(TZ=UTC tar --full-time --numeric-owner -tvzf "$archive" | tr -s ' ' | cut -d ' ' -f 1,2,4-)" \
	'-rw-r--r-- 0/0 2000-01-01 00:00:00 features/words.txt
-rwxr-xr-x 0/0 2000-01-01 00:00:00 helper
-rw-r--r-- 0/0 2000-01-01 00:00:00 train.sh' 'tar reads the archive: sorted, without owners and times'
/usr/bin/python3 -c '
import sys, tarfile
for m in tarfile.open(sys.argv[1]):
    print(m.name, "%o" % m.mode, m.uid, m.gid, repr(m.uname), m.mtime, m.isfile())' "$archive" > "$T/out"
same "$(cat "$T/out")" "features/words.txt 644 0 0 '' 946684800 True
helper 755 0 0 '' 946684800 True
train.sh 644 0 0 '' 946684800 True" "so does Python's tarfile"

# --- what the image is told ---
parameters() { jq -c '.request.HyperParameters | to_entries[] | [.key, .value]' "$T/plan.json"; }
job=$(jq -r .job "$T/plan.json")
same "$(parameters)" '["sagemaker_submit_directory","\"/opt/ml/input/data/code/sourcedir.tar.gz\""]
["sagemaker_program","\"train.sh\""]
["sagemaker_container_log_level","20"]
["sagemaker_job_name","\"'"$job"'\""]
["sagemaker_region","\"us-east-1\""]' 'delivery: channel names the archive in the channel'
sed -i -e 's/delivery: channel/delivery: toolkit/' -e 's/^estimator:/&\n  hyperparameters: {optimizer: Adam, lr: 0.01, fast: true}/' smpipe.yaml
"$SMPIPE" plan --local --json > "$T/plan.json" 2> "$T/err"
job=$(jq -r .job "$T/plan.json")
same "$(parameters | LC_ALL=C sort)" '["fast","true"]
["lr","0.01"]
["optimizer","\"Adam\""]
["sagemaker_container_log_level","20"]
["sagemaker_job_name","\"'"$job"'\""]
["sagemaker_program","\"train.sh\""]
["sagemaker_region","\"us-east-1\""]
["sagemaker_submit_directory","\"'"$(jq -r .source "$T/plan.json")"'\""]' 'delivery: toolkit names it in S3; all values are JSON'
same "$(jq -r '[.request.InputDataConfig[].ChannelName] | join(" ")' "$T/plan.json")" train 'and there is no channel for it'
sed -i 's/delivery: toolkit/delivery: image/' smpipe.yaml
"$SMPIPE" plan --local --json > "$T/plan.json" 2> "$T/err"
same "$(jq -c '[.source, .request.HyperParameters]' "$T/plan.json")" '[null,{"optimizer":"Adam","lr":"0.01","fast":"true"}]' \
	'delivery: image delivers nothing and leaves values as they are'

finish
