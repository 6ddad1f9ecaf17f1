#!/bin/sh
# Forty secrets lie where secrets lie on a developer's machine and on a CI runner. None of them may be in anything that
# smpipe writes, whether it succeeds or fails.
. "$(dirname "$0")/lib.sh"

new_channel_project channel
echo 'env' >> src/train.sh
commit 'A job that prints its environment'

# plant NAME: a secret of its own in $secret, remembered in $T/canaries.
planted=0
plant() {
	planted=$((planted + 1))
	secret=$(printf 'Qz%02dx%sKw' "$planted" "$(od -An -tx1 -N12 /dev/urandom | tr -d ' \n')")
	printf '%s %s\n' "$secret" "$1" >> "$T/canaries"
}
known() { printf '%s %s\n' "$2" "$1" >> "$T/canaries"; planted=$((planted + 1)); }

# --- the files of a home folder ---
export AWS_EC2_METADATA_DISABLED=true
mkdir -p "$HOME/.aws/sso/cache" "$HOME/.docker" "$HOME/.ssh"
plant 'secret key of the default profile'; default_key=$secret
plant 'session token of the default profile'; default_token=$secret
plant 'secret key of a source profile'; base_key=$secret
plant 'session token of a source profile'; base_token=$secret
plant 'external id of a role'; external=$secret
cat > "$HOME/.aws/credentials" <<END
[default]
aws_access_key_id = AKIADEFAULT
aws_secret_access_key = $default_key
aws_session_token = $default_token
[base]
aws_access_key_id = AKIABASE
aws_secret_access_key = $base_key
aws_session_token = $base_token
END
plant 'secret key of a credential process'; process_key=$secret
plant 'session token of a credential process'; process_token=$secret
plant 'standard error of a credential process'; process_words=$secret
plant 'argument of a credential process'; process_argument=$secret
plant 'malformed output of a credential process'; garbage=$secret
plant 'password in an endpoint of a profile'; profile_url=$secret
plant 'secret key on a malformed line'; malformed=$secret
cat > "$HOME/.aws/config" <<END
[profile role]
role_arn = arn:aws:iam::123456789012:role/R
source_profile = base
external_id = $external
[profile process]
credential_process = /bin/sh $T/process.sh $process_argument
[profile garbage]
credential_process = /bin/sh $T/garbage.sh
[profile failing]
credential_process = /bin/sh $T/failing.sh
[profile sso]
sso_session = corp
sso_account_id = 123456789012
sso_role_name = R
[profile oldsso]
sso_start_url = https://corp.awsapps.example/start
sso_region = us-east-1
sso_account_id = 123456789012
sso_role_name = R
[profile web]
role_arn = arn:aws:iam::123456789012:role/R
web_identity_token_file = $T/web-identity
[profile url]
endpoint_url = https://user:$profile_url@127.0.0.1:9
aws_access_key_id = AKIAURL
aws_secret_access_key = short
[sso-session corp]
sso_start_url = https://corp.awsapps.example/start
sso_region = us-east-1
sso_registration_scopes = sso:account:access
END
cat > "$T/process.sh" <<END
echo "{\"Version\": 1, \"AccessKeyId\": \"AKIAPROCESS\", \"SecretAccessKey\": \"$process_key\", \"SessionToken\": \"$process_token\"}"
END
cat > "$T/garbage.sh" <<END
echo "{\"Version\": 1, \"SecretAccessKey\": \"$garbage\""
echo "$process_words" >&2
END
cat > "$T/failing.sh" <<END
echo "$garbage"
echo "cannot sign in with $process_words" >&2
exit 1
END
plant 'access token of an SSO session'; sso_access=$secret
plant 'refresh token of an SSO session'; sso_refresh=$secret
plant 'client secret of an SSO session'; sso_client=$secret
sso() {
	printf '{"startUrl": "https://corp.awsapps.example/start", "region": "us-east-1", "accessToken": "%s", "expiresAt": "%s",
"refreshToken": "%s", "clientId": "c", "clientSecret": "%s", "registrationExpiresAt": "2099-01-01T00:00:00Z"}' \
		"$sso_access" "$1" "$sso_refresh" "$sso_client"
}
cache() {
	sso "$1" > "$HOME/.aws/sso/cache/$(printf corp | sha1sum | cut -d ' ' -f 1).json"
	sso "$1" > "$HOME/.aws/sso/cache/$(printf https://corp.awsapps.example/start | sha1sum | cut -d ' ' -f 1).json"
}
cache 2099-01-01T00:00:00Z
plant 'web identity token'; printf %s "$secret" > "$T/web-identity"
plant 'container authorization token file'; printf 'Bearer %s' "$secret" > "$T/container-token"
plant 'container authorization token'; container_token=$secret
plant 'GitHub OIDC request token'; oidc_token=$secret
plant 'query of the GitHub OIDC request URL'; oidc_query=$secret
plant 'Docker registry password'; docker_auth=$(printf 'user:%s' "$secret" | base64 -w 0)
printf '{"auths": {"registry.example": {"auth": "%s"}}}' "$docker_auth" > "$HOME/.docker/config.json"
plant 'password in .netrc'; printf 'machine 127.0.0.1 login u password %s\n' "$secret" > "$HOME/.netrc"
plant 'git credential store'; printf 'https://u:%s@git.example\n' "$secret" > "$HOME/.git-credentials"
plant 'private ssh key'; printf -- '-----BEGIN OPENSSH PRIVATE KEY-----\n%s\n' "$secret" > "$HOME/.ssh/id_ed25519"

# --- the repository ---
plant 'password of the git remote'; git remote add origin "https://me:$secret@git.example/a/b.git"
plant 'token of another git remote'; git remote add other "https://$secret@git.example/a/b.git"
plant 'git extra header'; git config http.https://git.example/.extraheader "AUTHORIZATION: basic $secret"
plant 'git insteadOf'; git config "url.https://oauth2:$secret@git.example/.insteadOf" https://short.example/
plant 'untracked .env'; printf 'API_KEY=%s\n' "$secret" > .env
plant 'untracked key beside the code'; printf '%s\n' "$secret" > src/key.pem
plant 'stashed change'
printf '# %s\n' "$secret" >> src/train.sh
git stash -q
# The stash is the user's own; what smpipe adds is looked at, so objects of before are set apart.
git cat-file --batch-all-objects --batch-check='%(objectname)' | sort > "$T/objects.before"

# --- the environment ---
plant 'secret key in the environment'; env_key=$secret
plant 'session token in the environment'; env_token=$secret
plant 'password of the https proxy'; https_proxy_url=http://u:$secret@127.0.0.1:9
plant 'password of the http proxy'; http_proxy_url=http://u:$secret@127.0.0.1:9
plant 'GITHUB_TOKEN'; export GITHUB_TOKEN="$secret"
plant 'CI_JOB_TOKEN'; export CI_JOB_TOKEN="$secret"
plant 'NPM_TOKEN'; export NPM_TOKEN="$secret"
plant 'DOCKER_AUTH_CONFIG'; export DOCKER_AUTH_CONFIG="{\"auths\": {\"x\": {\"auth\": \"$secret\"}}}"
plant 'password in an endpoint URL'; endpoint_url=https://u:$secret@127.0.0.1:9
plant 'password in DOCKER_HOST'; docker_host=tcp://u:$secret@127.0.0.1:9

# say COMMAND …: run it and keep everything that it says; the number of runs is $runs.
runs=0
say() {
	runs=$((runs + 1))
	run "$@"
	{ printf '== %s (%d)\n' "$runs" "$status"; cat "$T/out" "$T/err"; } >> "$T/said"
}
failed=0
all() {
	for command in 'plan' 'plan --json' 'list' 'list --json' 'show' 'show --json' 'verify' 'verify --json' 'logs' 'doctor' \
		'doctor --json' 'doctor --policy --account 123456789012 --region eu-west-1'; do
		# shellcheck disable=SC2086
		say "$@" "$SMPIPE" $command $where
		[ "$status" -eq 0 ] || failed=$((failed + 1))
	done
}

# --- with success: the local cloud, while all of that lies about ---
where='--local'
say "$SMPIPE" config
# The cloud's process lives on: strace would wait for it, /proc tells what it was given. (The leak checker of sanitizers
# does not work under strace.)
say env AWS_ACCESS_KEY_ID=AKIAENV AWS_SECRET_ACCESS_KEY="$env_key" AWS_SESSION_TOKEN="$env_token" "$SMPIPE" local up
say env AWS_ACCESS_KEY_ID=AKIAENV AWS_SECRET_ACCESS_KEY="$env_key" AWS_SESSION_TOKEN="$env_token" \
	ASAN_OPTIONS=detect_leaks=0 HTTPS_PROXY="$https_proxy_url" http_proxy="$http_proxy_url" strace -f -qq -s 100000 -e trace=execve -o "$T/execve" \
	"$SMPIPE" release --local --json
expect 0 'a release with forty secrets about'
job=$(json .job)
known 'secret key of the local cloud' "$(jq -r '.. | strings' .smpipe/local/cloud.json | awk 'length > 30' | head -n 1)"
known 'password of the local registry' "$(jq -r 'last(.. | .password? // empty)' .smpipe/local/ecr/passwords.json)"
all env AWS_ACCESS_KEY_ID=AKIAENV AWS_SECRET_ACCESS_KEY="$env_key" AWS_SESSION_TOKEN="$env_token" GITHUB_ACTIONS=true \
	HTTPS_PROXY="$https_proxy_url" http_proxy="$http_proxy_url"
same "$failed" 0 'every other command succeeds too'
echo '# dirty' >> src/train.sh
say "$SMPIPE" release --local --allow-dirty
expect 0 'a release of changed files, with a snapshot commit'
git checkout -q src/train.sh

# The cloud's process and its log belong to what smpipe leaves.
pid=$(jq -r .pid .smpipe/local/cloud.json)
tr '\0' '\n' < "/proc/$pid/environ" > "$T/environ"
tr '\0' '\n' < "/proc/$pid/cmdline" > "$T/cmdline"
[ -s "$T/environ" ] && [ -s "$T/cmdline" ]
ok $? 'the process of the local cloud is there to be looked at'

# --- with failure: every source of credentials, refused by the service ---
where=''
use_cloud
url=$AWS_ENDPOINT_URL
unset AWS_ACCESS_KEY_ID AWS_SECRET_ACCESS_KEY AWS_SESSION_TOKEN
clean='env -u AWS_PROFILE'
all $clean AWS_ACCESS_KEY_ID=AKIAENV AWS_SECRET_ACCESS_KEY="$env_key" AWS_SESSION_TOKEN="$env_token"
same "$failed" 11 'with a wrong key all fail but the policy'
for profile in default role process garbage failing sso oldsso web url nosuch; do
	say $clean AWS_PROFILE=$profile "$SMPIPE" doctor
	say $clean AWS_PROFILE=$profile GITHUB_ACTIONS=true "$SMPIPE" plan
	case $profile in url) ;; *) [ "$status" -ne 0 ] || ok 1 "plan with profile $profile is refused" ;; esac
done
cache 2001-01-01T00:00:00Z
say $clean AWS_PROFILE=sso "$SMPIPE" plan
say $clean AWS_PROFILE=oldsso "$SMPIPE" doctor
without='env -u AWS_PROFILE AWS_CONFIG_FILE=/nonexistent AWS_SHARED_CREDENTIALS_FILE=/nonexistent'
say $without AWS_ROLE_ARN=arn:aws:iam::123456789012:role/R AWS_WEB_IDENTITY_TOKEN_FILE="$T/web-identity" "$SMPIPE" plan
say $without AWS_ROLE_ARN=arn:aws:iam::123456789012:role/R ACTIONS_ID_TOKEN_REQUEST_TOKEN="$oidc_token" \
	ACTIONS_ID_TOKEN_REQUEST_URL="$url/token?key=$oidc_query" "$SMPIPE" plan
say $without AWS_ROLE_ARN=arn:aws:iam::123456789012:role/R ACTIONS_ID_TOKEN_REQUEST_TOKEN="$oidc_token" \
	ACTIONS_ID_TOKEN_REQUEST_URL="https://127.0.0.1:9/token?key=$oidc_query" AWS_MAX_ATTEMPTS=1 "$SMPIPE" plan
for container in "$url/creds" http://127.0.0.1:9/creds http://169.254.1.1/creds; do
	say $without AWS_CONTAINER_CREDENTIALS_FULL_URI="$container" AWS_CONTAINER_AUTHORIZATION_TOKEN="$container_token" "$SMPIPE" plan
	say $without AWS_CONTAINER_CREDENTIALS_FULL_URI="$container" AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE="$T/container-token" \
		"$SMPIPE" doctor
done
say $without AWS_CONTAINER_CREDENTIALS_FULL_URI="$url/creds" \
	AWS_CONTAINER_AUTHORIZATION_TOKEN="$container_token$(printf '\r\nx: y')" "$SMPIPE" plan

# What cannot be used is quoted in the refusal: but not what is secret in it.
keys="AWS_ACCESS_KEY_ID=AKIAENV AWS_SECRET_ACCESS_KEY=$env_key AWS_SESSION_TOKEN=$env_token AWS_MAX_ATTEMPTS=1"
# shellcheck disable=SC2086
{
	say env $keys AWS_ENDPOINT_URL="$endpoint_url" "$SMPIPE" doctor
	say env $keys AWS_ENDPOINT_URL_STS="$endpoint_url" "$SMPIPE" plan
	say env $keys AWS_ENDPOINT_URL="${endpoint_url#https://}" "$SMPIPE" plan
	say env $keys AWS_ENDPOINT_URL="http${endpoint_url#https}" "$SMPIPE" plan
	say env $keys AWS_ENDPOINT_URL=https://sts.example.invalid HTTPS_PROXY="$https_proxy_url" https_proxy="$https_proxy_url" \
		"$SMPIPE" doctor
	say env $keys DOCKER_HOST="$docker_host" "$SMPIPE" doctor
	say env DOCKER_HOST="$docker_host" "$SMPIPE" release --local --again
	say env $keys AWS_SECRET_ACCESS_KEY="$env_key$(printf '\a')" "$SMPIPE" plan
	say env $keys AWS_SESSION_TOKEN="$env_token$(printf '\r\n')x" "$SMPIPE" plan
	say env -u AWS_ACCESS_KEY_ID AWS_SECRET_ACCESS_KEY="$env_key" "$SMPIPE" plan
}
printf '[default]\naws_secret_access_key %s\n' "$malformed" > "$T/malformed"
say env -u AWS_ACCESS_KEY_ID AWS_SHARED_CREDENTIALS_FILE="$T/malformed" "$SMPIPE" plan
printf '[default\naws_secret_access_key = %s\n' "$malformed" > "$T/malformed"
say env -u AWS_ACCESS_KEY_ID AWS_SHARED_CREDENTIALS_FILE="$T/malformed" "$SMPIPE" doctor
printf '%s\n[default]\n' "$malformed" > "$T/malformed"
say env -u AWS_ACCESS_KEY_ID AWS_SHARED_CREDENTIALS_FILE="$T/malformed" "$SMPIPE" doctor

# --- everything that smpipe wrote, in one folder ---
mkdir "$T/wrote"
cp -r .smpipe "$T/wrote/state"
rm -f "$T/wrote/state/local/cloud.json" # the one place of the cloud's key, mode 0600
rm -f "$T/wrote/state/local/ecr/passwords.json" # and of the registry's
cp "$T/said" "$T/environ" "$T/cmdline" "$T/execve" "$T/wrote/"
git cat-file --batch-all-objects --batch-check='%(objectname)' | sort | comm -13 "$T/objects.before" - |
	git cat-file --batch > "$T/wrote/git-objects"
git for-each-ref > "$T/wrote/git-refs"
engine GET /images/json |
	jq -r '.[] | select(.Labels."smpipe.build-key") | .Id' | while read -r id; do
	engine GET "/images/$id/json"
	engine GET "/images/$id/history"
	engine GET "/images/$id/get"
done > "$T/wrote/images"

# Plain, within base64 at any offset, percent-encoded (nothing to encode), hexadecimal, inside of gzip.
cat > "$T/search.py" <<'END'
import base64, os, sys, zlib
canaries = [line.rstrip("\n").split(" ", 1) for line in open(sys.argv[1])]
needles = []
for secret, name in canaries:
    s = secret.encode()
    forms = {s, s[::-1], s.hex().encode()}
    for offset in range(3):
        encoded = base64.b64encode(b"\0" * offset + s)
        forms.add(encoded[4 if offset else 0:-4])
    needles.append((name, forms))
def inflate(data):
    start = 0
    while True:
        start = data.find(b"\x1f\x8b\x08", start)
        if start < 0:
            return
        try:
            yield zlib.decompressobj(31).decompress(data[start:], 1 << 26)
        except zlib.error:
            pass
        start += 3
found = {}
files = size = 0
for folder, _, names in os.walk(sys.argv[2]):
    for file in names:
        path = os.path.join(folder, file)
        if not os.path.isfile(path):
            continue
        data = open(path, "rb").read()
        files += 1
        size += len(data)
        for text in [data, *inflate(data)]:
            for name, forms in needles:
                if any(form in text for form in forms):
                    found.setdefault(name, path)
for name, path in sorted(found.items()):
    print(f"{name}: {os.path.relpath(path, sys.argv[2])}")
print(f"{files} files, {size} bytes, {len(canaries)} canaries", file=sys.stderr)
END
search() { /usr/bin/python3 "$T/search.py" "$T/canaries" "$1" 2> "$T/searched"; }

[ "$planted" -ge 40 ]
ok $? "there are $planted secrets"
same "$(cut -d ' ' -f 1 "$T/canaries" | awk 'length < 16' | wc -l)" 0 'each long enough to be told from chance'
search "$T/wrote" > "$T/found"
same "$(cat "$T/found")" '' "none of them is in what smpipe wrote: $(cat "$T/searched"), $runs runs"

# The search finds each of them where it is, in every disguise.
mkdir "$T/control"
cut -d ' ' -f 1 "$T/canaries" | gzip > "$T/control/plain.gz"
same "$(search "$T/control" | wc -l)" "$planted" 'the search would have found each, in gzip'
rm "$T/control/plain.gz"
cut -d ' ' -f 1 "$T/canaries" | while read -r secret; do printf 'AWS:%s' "$secret" | base64 -w 0; done > "$T/control/base64"
same "$(search "$T/control" | wc -l)" "$planted" 'and in base64'
# And it looked where the job, the records and the words of failures are.
same "$(grep -rlq 'TRAINING_JOB_NAME' "$T/wrote/state" && grep -lq "$job" "$T/wrote/git-objects" && grep -q 'hint:' "$T/wrote/said" &&
	echo yes)" yes 'it looked into logs, git objects and failures'

finish
