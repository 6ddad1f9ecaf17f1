#!/bin/sh
# Debian's docker-registry takes what smpipe pushes, and skopeo reads it back. Smpipe itself pushes to ECR only, so
# tests/probe/registry calls the same code.
. "$(dirname "$0")/lib.sh"

if ! command -v docker-registry > /dev/null; then
	skip 'docker-registry is not installed'
	finish
fi
build=$(cd "$(dirname "$SMPIPE")" && pwd)
probe=$build/tests/probe/registry
[ -x "$probe" ] || make --no-print-directory -C "$ROOT" BUILD="$build" "$probe" > /dev/null
export PASSWORD='p&ss "word"'
cd "$T" || exit 1

# --- a registry with one user, on a free port that it names in its log ---
/usr/bin/python3 -W ignore -c '
import crypt, os
print("judge:" + crypt.crypt(os.environ["PASSWORD"], crypt.mksalt(crypt.METHOD_BLOWFISH, rounds=16)))' > htpasswd
cat > registry.yml << END
version: 0.1
log: {level: info}
storage: {filesystem: {rootdirectory: $T/store}}
http: {addr: 127.0.0.1:0}
auth: {htpasswd: {realm: judge, path: $T/htpasswd}}
END
docker-registry serve registry.yml > registry.log 2>&1 &
registry=$!
trap 'kill $registry 2> /dev/null' EXIT
host=
tries=0
while [ -z "$host" ] && [ $tries -lt 200 ]; do
	sleep 0.05
	host=$(sed -n 's/.*listening on \(127.0.0.1:[0-9]*\).*/\1/p' registry.log)
	tries=$((tries + 1))
done
[ -n "$host" ]
ok $? 'docker-registry runs'

# --- push ---
run "$probe" push "$host" judge team/probe v1
expect 0 'it takes a push'
digest=$(cat out)
same "$(skopeo inspect --raw --tls-verify=false --creds "judge:$PASSWORD" "docker://$host/team/probe:v1" | sha256sum | cut -d ' ' -f 1)" \
	"${digest#sha256:}" 'skopeo finds the manifest of the digest that the push gave'
run skopeo inspect --tls-verify=false --creds "judge:$PASSWORD" "docker://$host/team/probe@$digest"
same "$(json '"\(.Labels["smpipe.build-key"]) \(.Layers | length)"')" 'probe & <judge> 1' 'with the label and the layer'
run skopeo copy -q --insecure-policy --src-tls-verify=false --src-creds "judge:$PASSWORD" "docker://$host/team/probe@$digest" dir:pulled
expect 0 'skopeo copies it out, checking every digest'
layer=$(jq -r '.layers[0].digest | split(":")[1]' pulled/manifest.json)
same "$(tar -xzOf "pulled/$layer" hello)" hello 'the layer has the file'

# --- read ---
run "$probe" get "$host" judge team/probe v1
expect 0 'smpipe reads it by tag'
same "$(json '.digest + " " + .label')" "$digest probe & <judge>" 'the same digest and label'
run "$probe" get "$host" judge team/probe "$digest"
same "$(json .digest)" "$digest" 'and by digest'
skopeo copy -q --insecure-policy --format oci --src-tls-verify=false --src-creds "judge:$PASSWORD" \
	"docker://$host/team/probe:v1" oci:layout:one
skopeo copy -q --insecure-policy --dest-tls-verify=false --dest-creds "judge:$PASSWORD" oci:layout:one "docker://$host/team/probe:oci"
run "$probe" get "$host" judge team/probe oci
same "$(json '.media_type + " " + .label')" 'application/vnd.oci.image.manifest.v1+json probe & <judge>' "and an image in OCI's form"

# --- an index of several platforms, as buildx pushes it ---
jq -c '{schemaVersion, mediaType: "application/vnd.oci.image.index.v1+json",
	manifests: [.manifests[0] | del(.annotations) | .platform = ({os: "linux"} + {architecture: ("amd64", "arm64")})]}' layout/index.json > index
index=$(sha256sum < index | cut -d ' ' -f 1)
cp index "layout/blobs/sha256/$index"
jq -n --arg digest "sha256:$index" --argjson size "$(wc -c < index)" '{schemaVersion: 2, manifests:
	[{mediaType: "application/vnd.oci.image.index.v1+json", $digest, $size}]}' > layout/index.json
run skopeo copy -q --all --insecure-policy --dest-tls-verify=false --dest-creds "judge:$PASSWORD" oci:layout "docker://$host/team/probe:many"
expect 0 'skopeo pushes an index'
run "$probe" get "$host" judge team/probe many
expect 1 'smpipe refuses it'
err_has 'it is an index of several images' 'it says what it is'

# --- refusals ---
run "$probe" get "$host" judge team/probe absent
expect 1 'an absent tag'
err_has absent 'is named'
PASSWORD=wrong
run "$probe" push "$host" judge team/probe v2
expect 5 'a push with a wrong password'
run "$probe" get "$host" judge team/probe v1
expect 5 'a read with a wrong password'
PASSWORD='p&ss "word"'
run "$probe" get "$host" judge team/probe v2
expect 1 'nothing was pushed'

finish
