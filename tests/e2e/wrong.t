#!/bin/sh
# smpipe.yaml and the request: every file of wrong/ is refused with the words of its .expected and exit code 2; every file of
# warned/ is planned with the warnings of its .expected; every file of right/ is planned. Debian's awscli takes the requests of
# those, and its jsonschema says the same as smpipe as far as the printed schema can say: a wrong file that the schema takes
# has a line in schema-takes.txt. A file with a `tuner` is planned as a tuning job.
#
# UPDATE=1 writes the .expected anew.
. "$(dirname "$0")/lib.sh"
HERE=$ROOT/tests/e2e

mkdir -p "$T/project/data/train" "$T/project/src"
cd "$T/project" || exit 1
printf 'FROM scratch\nCOPY src/train.sh /train\nENTRYPOINT ["/train"]\n' > Dockerfile
printf '#!/bin/sh\n' > src/train.sh
printf '1,2\n' > data/train/a.csv
git init -q
commit Start

plan() {
	cp "$1" smpipe.yaml
	shift
	grep -q '^tuner:' smpipe.yaml && set -- --tune "$@"
	run env DOCKER_HOST=unix:///nonexistent "$SMPIPE" plan --offline --account 123456789012 --region us-west-2 "$@"
	sed -i "s,$T/project,PROJECT," "$T/err"
}

# matches FILE EXPECTED STATUS: the last run ended with STATUS, and said exactly what the file says.
matches() {
	[ -z "${UPDATE:-}" ] || cp "$T/err" "$2"
	cmp -s "$2" "$T/err" && [ "$status" -eq "$3" ]
	result=$?
	ok $result "$1"
	[ $result -eq 0 ] || diff -u "$2" "$T/err" | sed 's/^/# /'
}

for file in "$HERE"/wrong/*.yaml; do
	name=$(basename "$file" .yaml)
	plan "$file"
	[ -s "$T/out" ] && echo 'but it planned' >> "$T/err"
	matches "wrong/$name" "${file%.yaml}.expected" 2
done
# What makes no request knows the limits of names too.
cp "$HERE/wrong/channel-name.yaml" smpipe.yaml
run "$SMPIPE" data push --local
matches 'wrong/channel-name as data push reads it' "$HERE/wrong/channel-name.expected" 2
for file in "$HERE"/warned/*.yaml; do
	name=$(basename "$file" .yaml)
	plan "$file"
	matches "warned/$name" "${file%.yaml}.expected" 0
done
rm smpipe.yaml
same "$(git status --porcelain --ignored)" '' 'nothing was left behind'

# No message shows what is secret.
! grep -lE 'AKIA|hunter2|abcdef$|0123456789abcdef0123|ghp_|BEGIN' "$HERE"/wrong/secret-*.expected > "$T/out"
ok $? 'secrets are not shown'

# --- what is right ---
mkdir "$T/requests"
for file in "$HERE"/right/*.yaml; do
	name=$(basename "$file" .yaml)
	plan "$file" --json
	[ "$status" -eq 0 ] && json .request > "$T/requests/$name.json"
	ok $? "right/$name"
done
plan "$HERE/right/environment-section.yaml" -e prod --json
same "$(json '.request.ResourceConfig.InstanceType + " " + .bucket')" 'ml.p4d.24xlarge other-bucket' '-e lays an environment over it'
plan "$HERE/right/raw.yaml" --json
same "$(json '.raw | keys | join(" ")')" 'AlgorithmSpecification ResourceConfig RetryStrategy' 'plan --json names what raw says'
plan "$HERE/right/raw.yaml"
out_has '^raw, merged into it last \{' 'and so does plan'

# --- -p ---
plan "$HERE/right/hyperparameters.yaml" --json -p lr=0.5 -p 'layers=[1, {a: 2.50}]' --parameter=new=Adam -p 'text="1"' -p lr=1e-4
same "$(json '.hyperparameters | "\(.lr) \(.layers) \(.new) \(.text) \(.opt)"')" '1e-4 [1,{"a":2.50}] Adam 1 Adam' '-p sets hyperparameters, typed as in YAML'
key=$(json .request_key)
plan "$HERE/right/hyperparameters.yaml" --json
[ "$(json .request_key)" != "$key" ]
ok $? 'which makes another request'
plan "$HERE/right/hyperparameters.yaml" -p lr=0.5
out_has '^hyperparameters.json \{' 'plan shows hyperparameters.json'
out_has '^  "nested": "\{\\"b\\":\{\\"c\\":\[true\]\},\\"a\\":1e-3\}",$' 'as the container will see it'
plan "$HERE/right/hyperparameters.yaml" -p lr
expect 2 '-p without a value'
err_has "option '-p' needs a name and a value, not 'lr'" 'says so'
plan "$HERE/right/hyperparameters.yaml" -p 'lr=[1, '
expect 2 '-p with broken YAML'
err_has '^smpipe: -p lr: ' 'says so'
plan "$HERE/right/hyperparameters.yaml" -p password=hunter2
expect 2 '-p with a secret'
err_has "^smpipe: -p password: 'estimator.hyperparameters.password' looks like a secret" 'is refused too'

# --- awscli ---
# Its model is older: it is asked about what it knows, and about a dozen of each kind.
judge() {
	/usr/bin/aws sagemaker "$1" --region us-west-2 --cli-input-json "file://$2" --generate-cli-skeleton output > "$T/out" 2> "$T/err"
}
trainings=0
tunings=0
for request in "$T"/requests/*.json; do
	name=$(basename "$request" .json)
	case $name in
	serverless* | training-plan | placement | input-converse | input-gated-model | switches | raw) continue ;;
	tune-inputs | tune-placement | tune-training-plan | tune-definitions-inputs | tune-definitions-estimators) continue ;;
	tune-autotune* | tune-completion | tune-definitions-autotune | tune-output | tune-random) continue ;;
	max-pending-time | output | private-registry | repository-platform) continue ;;
	tune-*)
		tunings=$((tunings + 1))
		[ "$tunings" -le "${MOST_JUDGED:-12}" ] || continue
		judge create-hyper-parameter-tuning-job "$request"
		;;
	*)
		trainings=$((trainings + 1))
		[ "$trainings" -le "${MOST_JUDGED:-12}" ] || continue
		judge create-training-job "$request"
		;;
	esac
	ok $? "awscli takes right/$name"
done
jq '.ResourceConfig.VolumeSizeInGB = "many"' "$T/requests/volume.json" > "$T/broken.json"
! /usr/bin/aws sagemaker create-training-job --region us-west-2 --cli-input-json "file://$T/broken.json" \
	--generate-cli-skeleton output > "$T/out" 2> "$T/err"
ok $? 'and would not take a word for a number'

# --- jsonschema ---
cat > "$T/judge.py" << 'END'
import json, sys
import jsonschema, yaml

schema = json.load(open(sys.argv[1]))
jsonschema.Draft202012Validator.check_schema(schema)
validator = jsonschema.Draft202012Validator(schema)
for name in sys.argv[2:]:
    try:
        document = yaml.safe_load(open(name))
        takes = validator.is_valid(document)
    except yaml.YAMLError:
        takes = False
    print("takes" if takes else "refuses", "/".join(name.split("/")[-2:])[:-len(".yaml")])
END
"$SMPIPE" config --schema > "$T/schema.json"
run /usr/bin/python3 "$T/judge.py" "$T/schema.json" "$HERE"/right/*.yaml
expect 0 'jsonschema reads the schema'
same "$(grep -c '^takes' "$T/out")" "$(find "$HERE/right" -name '*.yaml' | wc -l)" 'jsonschema takes every right file'
run /usr/bin/python3 "$T/judge.py" "$T/schema.json" "$HERE"/wrong/*.yaml
sed -n 's,^takes wrong/,,p' "$T/out" > "$T/takes"
[ -z "${UPDATE:-}" ] || cp "$T/takes" "$HERE/wrong/schema-takes.txt"
cmp -s "$T/takes" "$HERE/wrong/schema-takes.txt"
ok $? 'and refuses the wrong ones, but for what no schema can say'
diff "$HERE/wrong/schema-takes.txt" "$T/takes" | sed 's/^/# /'

# --- the reference ---
run "$SMPIPE" config --reference
expect 0 'smpipe config --reference'
same "$(grep -c '^| `[a-z]' "$T/out")" "$(cat "$ROOT"/pipeline/schema_table*.[ch] | grep -c '^	{ "[a-z].*SCHEMA_')" 'has a line for every key'
same "$(grep '^|' "$T/out" | sed 's/\\|//g' | awk -F'|' '{ print NF }' | sort -u)" 9 'of seven cells each'

finish
