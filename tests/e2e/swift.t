#!/bin/sh
# OpenStack Swift as an S3-compatible store: a server that is not ours, checks signatures and payload hashes, keeps no
# checksums and has no accounts. Debian's aws reads everything back.
. "$(dirname "$0")/lib.sh"

if ! command -v swift-ring-builder > /dev/null; then
	skip 'swift-proxy and its servers are not installed'
	finish
fi
/usr/bin/python3 "$ROOT/tests/e2e/swift.py" "$T/swift" > "$T/swift.log" 2>&1 &
swift=$!
trap 'kill $swift 2> /dev/null; wait $swift' EXIT
for try in $(seq 600); do
	[ -e "$T/swift/endpoint" ] && break
	kill -0 $swift 2> /dev/null || break
	sleep 0.1
done
if [ ! -e "$T/swift/endpoint" ]; then
	sed 's/^/# /' "$T/swift.log"
	ok 1 'Swift starts'
	finish
fi
endpoint=$(cat "$T/swift/endpoint")
port=${endpoint##*:}
export AWS_ENDPOINT_URL_S3="$endpoint" AWS_REGION=us-east-1 AWS_ACCESS_KEY_ID=test:tester AWS_SECRET_ACCESS_KEY=testing \
	AWS_EC2_METADATA_DISABLED=true
# Whoever asks another service meets nobody.
export HTTPS_PROXY=http://127.0.0.1:9
aws() { /usr/bin/aws --endpoint-url "$endpoint" "$@"; }
cd "$T" || exit 1
aws s3 mb s3://bucket > /dev/null

# --- put: many, odd names, in parts ---
mkdir -p many odd/sub
for i in $(seq 200); do echo "file $i" > many/$i; done
head -c 41943040 /dev/urandom > large
: > odd/empty
echo 1 > 'odd/a b+c%20&=;?#"x'
echo 2 > "odd/sub/~!*()'"
echo 3 > odd/日本
echo 4 > 'odd/sub/@:,$[]{}|^`\'
run "$SMPIPE" put many s3://bucket/many/
expect 0 '200 small files'
run "$SMPIPE" put odd s3://bucket/odd/
expect 0 'odd names'
run "$SMPIPE" put large s3://bucket/large --json
expect 0 '40 MiB in parts'
err_lacks 'retry' 'at the first try'
sha256=$(json '.objects[0].sha256')
same "${sha256##*-}" 3 'of three'
aws s3 cp --quiet --recursive s3://bucket/ judge
same "$(diff -r many judge/many && diff -r odd judge/odd && cmp large judge/large && echo same)" same 'aws reads back the same'
same "$(aws s3api list-multipart-uploads --bucket bucket | jq '.Uploads // [] | length' | grep . || echo 0)" 0 'no upload is left open'

# --- nothing proves what arrives ---
run "$SMPIPE" put many/1 s3://bucket/crc --checksum crc64nvme
expect 1 'a CRC64NVME that the store does not keep'
said "PutObject 's3://bucket/crc': the store keeps no CRC64NVME, so nothing proves" 'is refused in one line'
run "$SMPIPE" put large s3://bucket/crc --checksum crc64nvme
expect 1 'nor of parts'
said "UploadPart 's3://bucket/crc': the store keeps no CRC64NVME" 'in one line'
err_has '^hint: with sha256' 'and what does'
run "$SMPIPE" put large s3://bucket/crc
expect 0 'then it goes'
same "$(aws s3api list-multipart-uploads --bucket bucket | jq '.Uploads // [] | length' | grep . || echo 0)" 0 'and no upload is left open'

# --- get ---
run "$SMPIPE" get s3://bucket/many/ back/many
expect 0 '200 small files come back'
run "$SMPIPE" get s3://bucket/odd/ back/odd
expect 0 'odd names too'
run "$SMPIPE" get s3://bucket/large back/
expect 0 'and 40 MiB'
same "$(diff -r many back/many && diff -r odd back/odd && cmp large back/large && echo same)" same 'all the same'
aws s3 cp --quiet large s3://bucket/theirs
run "$SMPIPE" get s3://bucket/theirs
expect 0 'what aws has sent'
cmp -s large theirs
ok $? 'is the same'
echo changed > many/1
run "$SMPIPE" put many s3://bucket/many/
expect 0 'it is sent again'
run "$SMPIPE" get s3://bucket/many/1
same "$(cat 1)" changed 'and replaced'

# --- a snapshot ---
mkdir project
cd project || exit 1
git init -q
cat > smpipe.yaml <<-END
	version: 1
	name: swifts
	account: "123456789012"
	bucket: snapshots
	inputs:
	  train: ../many
	  val: ../large
	image: {uri: "127.0.0.1:9/x@sha256:$(printf '%064d' 0)"}
	estimator: {instance_type: ml.m5.large}
	END
commit Start
run "$SMPIPE" data push
expect 1 'a snapshot into no bucket'
said "bucket 'snapshots' does not exist" 'said in one line'
aws s3 mb s3://snapshots > /dev/null
run "$SMPIPE" data push --json
expect 0 'snapshots are sent'
train=$(json '.[] | select(.channel == "train").uri')
aws s3 cp --quiet --recursive "$train" judge
same "$(diff -r ../many judge && echo same)" same 'aws reads back the same'
before=$(aws s3api list-objects-v2 --bucket snapshots | jq -c '[.Contents[] | [.Key, .LastModified]]')
run "$SMPIPE" data push
expect 0 'sent once more'
same "$(aws s3api list-objects-v2 --bucket snapshots | jq -c '[.Contents[] | [.Key, .LastModified]]')" "$before" 'nothing is'
run "$SMPIPE" data verify
expect 1 'a store that keeps no checksums cannot vouch for them'
out_has '^\?    [0-9a-f]{12}  train: .*S3 keeps no SHA-256 of 200 of 200 objects, .[0-9]+. for one: .*--deep' 'which is said, once a snapshot'
same "$(grep -c '^?' "$T/out") $(grep -c -e ^BAD -e ^ok "$T/out")" '2 0' 'and nothing else'
said 'whether 2 snapshots are what the manifest says cannot be told' 'in one line'
run "$SMPIPE" data verify train --json
same "$(json '.[0].ok')" null 'as JSON it is neither true nor false'
run "$SMPIPE" data verify --deep
expect 0 'their bytes can'
echo other > other
aws s3 cp --quiet other "${train}7"
run "$SMPIPE" data verify --deep
expect 1 'bytes that are others'
out_has "/7' has 6 bytes instead of 7" 'are found'
sed -i '2s/^/checksum: crc64nvme\n/' smpipe.yaml
commit CRC
echo another > ../many/201
head -c 20000000 /dev/urandom | cat ../large - > ../larger && sed -i 's,\.\./large$,../larger,' smpipe.yaml
run "$SMPIPE" data push --json
expect 0 'a snapshot with CRC64NVME, which the store does not keep'
train=$(json '.[] | select(.channel == "train").uri')
val=$(json '.[] | select(.channel == "val").uri')
aws s3 cp --quiet --recursive "$train" judge-crc
aws s3 cp --quiet --recursive "$val" judge-val
same "$(diff -r ../many judge-crc && cmp ../larger judge-val/larger && echo same)" same 'aws reads back the same: the bytes were signed'
run "$SMPIPE" data verify val "$(basename "$val")" --deep
expect 0 'and so does smpipe'
cd "$T" || exit 1

# --- refusals ---
AWS_SECRET_ACCESS_KEY=wrong run "$SMPIPE" put large s3://bucket/x
expect 5 'a wrong secret, in parts'
said "CreateMultipartUpload 's3://bucket/x': 403 SignatureDoesNotMatch" 'in one line'
AWS_SECRET_ACCESS_KEY=wrong run "$SMPIPE" put many/1 s3://bucket/x
expect 5 'a wrong secret'
said "PutObject 's3://bucket/x': 403 SignatureDoesNotMatch" 'in one line'
AWS_SECRET_ACCESS_KEY=wrong run "$SMPIPE" get s3://bucket/large x
expect 5 'a wrong secret for what is fetched'
said "HeadObject 's3://bucket/large': 403: the credentials are not valid here" 'in one line'
[ ! -e x ]
ok $? 'no file'
AWS_ACCESS_KEY_ID=nobody run "$SMPIPE" put many/1 s3://bucket/x
expect 5 'an unknown key'
said '403 SignatureDoesNotMatch' 'in one line'
run "$SMPIPE" put many s3://nowhere/x
expect 1 'no such bucket'
said '404 NoSuchBucket' 'in one line'
run "$SMPIPE" get s3://bucket/none
expect 1 'no such object'
said "HeadObject 's3://bucket/none': 404" 'in one line'
[ ! -e none ]
ok $? 'no file'
same "$(aws s3api list-objects-v2 --bucket bucket --prefix x | jq '.Contents // [] | length' | grep . || echo 0)" 0 'nothing came of it'

# --- where the store is, and how it is addressed ---
AWS_REGION=eu-west-1 run "$SMPIPE" put many/1 s3://bucket/region
expect 0 "the store's own region is found"
run "$SMPIPE" put many/1 s3://bucket/owned --account 123456789012
expect 0 'an account may be named'
mkdir -p "$HOME/.aws"
for style in path virtual auto; do
	printf '[default]\ns3 =\n  addressing_style = %s\n' $style > "$HOME/.aws/config"
	AWS_ENDPOINT_URL_S3=http://localhost:$port run "$SMPIPE" put large s3://bucket/style/$style
	expect 0 "addressing_style = $style"
	AWS_ENDPOINT_URL_S3=http://localhost:9 run timeout 2 "$SMPIPE" get s3://bucket/style/x
	case $style in virtual) where=bucket.localhost:9/style ;; *) where=localhost:9/bucket/style ;; esac
	err_has "http://$where" "goes to $where"
done
printf '[default]\ns3 =\n  addressing_style = sideways\n' > "$HOME/.aws/config"
run "$SMPIPE" put large s3://bucket/x
expect 2 'an addressing_style that there is not'
said "addressing_style of profile 'default' is 'sideways'" 'in one line'

finish
