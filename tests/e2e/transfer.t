#!/bin/sh
# Files to S3 and back: smpipe put and get, with Debian's aws and sha256sum as judges.
. "$(dirname "$0")/lib.sh"

use_empty_cloud
cd "$T" || exit 1
aws s3 mb s3://transfer-bucket > /dev/null

mkdir -p data/sub
head -c 50000001 /dev/urandom > data/large
head -c 16777216 /dev/urandom > data/one-part
head -c 70000 /dev/urandom > 'data/sub/ä b+c%20'
: > data/empty

run "$SMPIPE" put data s3://transfer-bucket/all/ --json
expect 0 'a folder is sent'
same "$(jq -r '.objects | length' "$T/out")" 4 'every file of it'
aws s3 cp --quiet --recursive s3://transfer-bucket/all/ judge
same "$(diff -r data judge && echo same)" same 'aws reads back the same'
composite() {
	for i in 0 1 2; do
		dd if=data/large bs=16777216 skip=$i count=1 2> /dev/null | openssl dgst -sha256 -binary
	done | openssl dgst -sha256 -binary | base64
}
same "$(aws s3api head-object --bucket transfer-bucket --key all/large --checksum-mode ENABLED | jq -r .ChecksumSHA256)" \
	"$(composite)-3" 'S3 keeps the digest of the parts'"'"' digests, as a shell can compute it'

run "$SMPIPE" get s3://transfer-bucket/all/ back
expect 0 'all below a prefix is fetched'
same "$(diff -r data back && echo same)" same 'the same came back'
same "$(find back -name '.smpipe-*' | wc -l)" 0 'nothing else is left'

run "$SMPIPE" put data/large s3://transfer-bucket/crc --checksum crc64nvme
expect 0 'a file is sent with CRC64NVME'
run "$SMPIPE" get s3://transfer-bucket/crc crc
expect 0 'and fetched'
err_lacks 'could not be checked' 'it was checked'
cmp -s data/large crc
ok $? 'it is the same'

# --- how S3 keeps it: options, else the file ---
head_of() { aws s3api head-object --bucket transfer-bucket --key "$1" --checksum-mode ENABLED; }
sse() { head_of "$1" | jq -r '"\(.ServerSideEncryption) \(.SSEKMSKeyId // "") \(.ChecksumSHA256 != null)"'; }
run "$SMPIPE" put data s3://transfer-bucket/kms/ --encryption alias/data
expect 0 'a folder is sent for a KMS key'
same "$(sse kms/large) / $(sse kms/empty)" 'aws:kms alias/data true / aws:kms alias/data true' 'in parts and whole'
upload=$(aws s3api create-multipart-upload --bucket transfer-bucket --key begun --checksum-algorithm SHA256 | jq -r .UploadId)
head -c 16777216 data/large > part
aws s3api upload-part --bucket transfer-bucket --key begun --upload-id "$upload" --part-number 1 --body part \
	--checksum-algorithm SHA256 > /dev/null
run "$SMPIPE" put data/large s3://transfer-bucket/begun --encryption 1234abcd-12ab-34cd-56ef-1234567890ab
expect 0 'a file of which a part lies there otherwise encrypted'
same "$(sse begun)" 'aws:kms 1234abcd-12ab-34cd-56ef-1234567890ab true' 'is encrypted as is asked for'
same "$(aws s3api list-multipart-uploads --bucket transfer-bucket --query 'Uploads[].Key' --output text)" None 'that part is gone'
mkdir filed && cat > filed/smpipe.yaml <<-'END'
	version: 1
	name: filed
	checksum: crc64nvme
	data_encryption: aws:kms
	estimator: {instance_type: ml.m5.large}
	END
(cd filed && "$SMPIPE" put ../data/one-part s3://transfer-bucket/filed && "$SMPIPE" put ../data/one-part s3://transfer-bucket/chosen \
	--checksum sha256 --encryption AES256) > "$T/out" 2> "$T/err"
same "$(sse filed) / $(sse chosen)" 'aws:kms  false / AES256  true' 'as the file says, unless an option does'
run "$SMPIPE" put data s3://transfer-bucket/x --encryption rot13
expect 2 'an encryption that there is not'
said "^smpipe: --encryption: 'rot13' is neither none, AES256, aws:kms nor a KMS key" 'is refused in one line'

aws s3api put-object --bucket transfer-bucket --key plain --body data/one-part > /dev/null
run "$SMPIPE" get s3://transfer-bucket/plain
expect 0 'what another tool has sent is fetched'
cmp -s data/one-part plain
ok $? 'it is the same too'

# Cut off in the middle, again and again, until it is there.
rm -f crc
for i in 1 2 3 4 5 6 7 8; do
	timeout -s KILL 0.0$((i + 2)) "$SMPIPE" get s3://transfer-bucket/all/large crc > /dev/null 2>&1
done
run "$SMPIPE" get s3://transfer-bucket/all/large crc
expect 0 'a download that was cut off is finished'
cmp -s data/large crc
ok $? 'with the right bytes'
for i in 1 2 3 4 5 6 7 8; do
	timeout -s KILL 0.0$((i + 2)) "$SMPIPE" put data/large s3://transfer-bucket/again > /dev/null 2>&1
done
run "$SMPIPE" put data/large s3://transfer-bucket/again
expect 0 'an upload that was cut off is finished'
aws s3 cp --quiet s3://transfer-bucket/again judge2
cmp -s data/large judge2
ok $? 'with the right bytes'

# --- what is left of it ---
uploads() { aws s3api list-multipart-uploads --bucket transfer-bucket | jq -r '.Uploads // [] | map(.Key) | join(" ")'; }
cut_off() {
	for i in $(seq 40); do
		timeout -s INT 0.$(printf %02d $((i + 3))) "$SMPIPE" put data/large "$1" > "$T/out" 2> "$T/err"
		! grep -q 'what was sent' "$T/err" || return 0
	done
}
cut_off 's3://transfer-bucket/left/a b'
err_has "^put +what was sent of 1 large file stays: .* \`smpipe gc 's3://transfer-bucket/left/a b' --yes\` drops it" '^C says so'
said '^smpipe: cancelled$' 'and no more'
run "$SMPIPE" gc s3://transfer-bucket/left/ --yes
expect 0 'gc of what put left'
err_has 'deleted 0; 1 upload is younger than a day' 'leaves alone what may be under way'
same "$(uploads)" 'left/a b' 'really'
aws s3api create-multipart-upload --bucket transfer-bucket --key other > /dev/null
grep -rl '"initiated":' "$T/cloud/.smpipe/local/s3" | xargs -d '\n' sed -i 's/"initiated":[0-9]*/"initiated":1700000000/'
run "$SMPIPE" gc s3://transfer-bucket/left/
out_has '^upload +s3://transfer-bucket/left/a b  \(begun 2023-11-14T22:13:20' 'it lists it when it is older'
err_has 'of no use: 1; `smpipe gc s3://transfer-bucket/left/ --yes` deletes' 'and says how to drop it'
run "$SMPIPE" gc s3://transfer-bucket/left/ --yes --json
same "$(json '"\(.deleted) \(.items | length)"')" 'true 1' 'gc --yes drops it'
same "$(uploads)" other 'and nothing else'
cut_off s3://transfer-bucket/left/b
"$SMPIPE" put data/large s3://transfer-bucket/left/b --checksum crc64nvme > /dev/null 2>&1
run "$SMPIPE" get s3://transfer-bucket/left/b left-b
cmp -s data/large left-b
ok $? 'an upload with another checksum is not continued'
same "$(uploads)" other 'but ends with it'
aws s3api abort-multipart-upload --bucket transfer-bucket --key other --upload-id \
	"$(aws s3api list-multipart-uploads --bucket transfer-bucket | jq -r '.Uploads[0].UploadId')"

run "$SMPIPE" get s3://transfer-bucket/none
expect 1 'an object that is not there'
err_has "HeadObject 's3://transfer-bucket/none': 404" 'is named'
run "$SMPIPE" get no-such-job
expect 1 'a job that is not there'
err_has "no training or tuning job 'no-such-job'" 'is named'
run "$SMPIPE" put none s3://transfer-bucket/x
expect 2 'a path that is not there'
err_has "'none' does not exist" 'is named'
run "$SMPIPE" put data
expect 2 'a place must be given'
run "$SMPIPE" put data s3://transfer-bucket/x --checksum md5
expect 2 'and a checksum that S3 keeps'
mkfifo data/pipe
run "$SMPIPE" put data s3://transfer-bucket/x
expect 2 'a FIFO is no file'

# A data file above one part in a release, and the model of its job.
new_project large
mkdir data/large
cp "$T/data/large" data/large/
echo small > data/large/small
sed -i 's,^  val: .*,&\n  large: data/large,' smpipe.yaml
commit 'Large data'
run "$SMPIPE" release --local
expect 0 'a release with a file of several parts'
job=$(sed -n 's/^job  *//p' "$T/out")
run "$SMPIPE" verify --local
expect 0 'is as its record says'
same "$(jq -r '.files[] | select(.path == "large") | .composite' .smpipe/local/s3/*/objects/*/data/large/*.json)" \
	"$(cd "$T" && composite | base64 -d | od -An -v -tx1 | tr -d ' \n')-3" 'the manifest has the digest of the parts'"'"' digests'
run "$SMPIPE" get "$job" --local model/
expect 0 'the model of the job is fetched'
same "$(tar -tzf model/model.tar.gz | tr '\n' ' ')" 'model.txt ' 'whole'

# The same with CRC64NVME: what was sent has it alone, what was copied in S3 has a SHA-256.
sed -i '2s/^/checksum: crc64nvme\n/' smpipe.yaml
echo other > data/large/small
commit CRC
run "$SMPIPE" release --local
expect 0 'a release with CRC64NVME'
run "$SMPIPE" verify --local
expect 1 'cannot be verified by what S3 keeps'
out_has '^\?    data/large \(objects\): .*S3 keeps no SHA-256 of 1 of 2 objects' 'which is not called wrong'
same "$(grep -c ^BAD "$T/out")" 0 'as nothing is'
err_has '^hint: `smpipe verify --local .* --deep` reads the bytes' 'and what does it is said'
run "$SMPIPE" verify --local --deep
expect 0 'it holds when the bytes are read'
same "$(grep -vc '^ok' "$T/out")" 0 'in every point'

finish
