#!/bin/sh
# Clients that others wrote move objects in and out of the local cloud's S3: Debian's awscli, rclone and curl, with
# openssl to do the sums. What one puts the others must find, byte by byte.
. "$(dirname "$0")/lib.sh"

new_project iris
use_cloud
unset AWS_CA_BUNDLE
cd "$T" || exit 1
aws s3 mb s3://bkt > /dev/null
# Bytes that no block repeats, above the size from which each client cuts into parts.
openssl enc -aes-128-ctr -nosalt -K 00 -iv 00 -in /dev/zero 2> /dev/null | head -c 40000000 > big
head -c 6000000 big > part1
tail -c 6000000 big > part2
head -c 100 big > part3
mkdir -p 'tree/a b/c+%' tree/empty
for i in 1 2 3 4 5 6 7 8 9; do echo "$i" > "tree/a b/c+%/file $i"; done
: > tree/nothing
cp part1 tree/six

sum() { openssl dgst -sha256 -binary "$@" | base64; }

# --- awscli: copies in parts ---
run aws s3 cp --no-progress big s3://bkt/big
expect 0 'aws s3 cp sends 40 MB'
run aws s3api head-object --bucket bkt --key big
same "$(json '.ContentLength, .ETag' | tr '\n' ' ')" "40000000 \"$(for i in 0 1 2 3 4; do
	dd if=big bs=8388608 skip=$i count=1 2> /dev/null | openssl dgst -md5 -binary
done | openssl dgst -md5 -r | cut -d ' ' -f 1)-5\" " 'in five parts, whose MD5 make the ETag'
run aws s3 cp --no-progress s3://bkt/big back
cmp -s big back
ok $? 'and reads it back'
run aws s3 cp --no-progress s3://bkt/big s3://bkt/copy
expect 0 'aws s3 cp copies it in parts, at the server'
run aws s3 cp --no-progress s3://bkt/copy back
cmp -s big back
ok $? 'and the copy is the same'
run aws s3 sync --no-progress tree s3://bkt/tree
expect 0 'aws s3 sync sends a tree'
run aws s3 sync --no-progress s3://bkt/tree tree-back
diff -r tree tree-back | grep -v '^Only in tree: empty$' > "$T/out"
same "$(cat "$T/out")" '' 'and brings it back'
run aws s3 sync --no-progress tree s3://bkt/tree
same "$(cat "$T/out")" '' 'a second time there is nothing to do'

# --- awscli: the calls one by one, with SHA-256 and a KMS key ---
run aws s3api create-multipart-upload --bucket bkt --key parts --checksum-algorithm SHA256 --content-type text/x-y \
	--server-side-encryption aws:kms --ssekms-key-id alias/mine --metadata a=b
expect 0 'create-multipart-upload'
id=$(json .UploadId)
for i in 1 2 3; do
	run aws s3api upload-part --bucket bkt --key parts --upload-id "$id" --part-number $i --body part$i --checksum-algorithm SHA256
	same "$(json '.ChecksumSHA256 + " " + .ServerSideEncryption')" "$(sum part$i) aws:kms" "upload-part $i tells its SHA-256"
	jq -c "{PartNumber: $i, ETag, ChecksumSHA256}" "$T/out" >> "$T/parts"
done
jq -s '{Parts: .}' "$T/parts" > "$T/complete.json"
"$SMPIPE" local down --dir "$T/iris/.smpipe/local" > /dev/null 2>&1
"$SMPIPE" local up --dir "$T/iris/.smpipe/local" > /dev/null 2>&1
run aws s3api list-parts --bucket bkt --key parts --upload-id "$id" --page-size 2
same "$(json '[.Parts[] | "\(.PartNumber) \(.Size)"] | join(", ")')" '1 6000000, 2 6000000, 3 100' \
	'list-parts has them in pages, after the cloud has begun anew'
run aws s3api list-multipart-uploads --bucket bkt --prefix par
same "$(json '[.Uploads[] | .Key + " " + .UploadId] | join(", ")')" "parts $id" 'list-multipart-uploads'
jq '.Parts |= reverse' "$T/complete.json" > "$T/wrong.json"
run aws s3api complete-multipart-upload --bucket bkt --key parts --upload-id "$id" --multipart-upload "file://$T/wrong.json"
err_has InvalidPartOrder 'parts in another order are refused'
jq '.Parts[0].ETag = .Parts[1].ETag' "$T/complete.json" > "$T/wrong.json"
run aws s3api complete-multipart-upload --bucket bkt --key parts --upload-id "$id" --multipart-upload "file://$T/wrong.json"
err_has InvalidPart 'so is a part with the ETag of another'
jq '.Parts |= [.[0], .[2]] + [.[1] | .PartNumber = 4]' "$T/complete.json" > "$T/wrong.json"
run aws s3api complete-multipart-upload --bucket bkt --key parts --upload-id "$id" --multipart-upload "file://$T/wrong.json"
err_has InvalidPart 'and a part that is not there'
run aws s3api upload-part --bucket bkt --key parts --upload-id "$id" --part-number 4 --body part3 --checksum-algorithm SHA256
jq -c '.Parts += [{PartNumber: 4} + (.Parts[2] | {ETag, ChecksumSHA256})]' "$T/complete.json" > "$T/wrong.json"
run aws s3api complete-multipart-upload --bucket bkt --key parts --upload-id "$id" --multipart-upload "file://$T/wrong.json"
err_has EntityTooSmall 'a small part that is not the last is refused'
run aws s3api complete-multipart-upload --bucket bkt --key parts --upload-id "$id" --multipart-upload "file://$T/complete.json"
expect 0 'complete-multipart-upload'
composite=$(for i in 1 2 3; do openssl dgst -sha256 -binary part$i; done | openssl dgst -sha256 -binary | base64)
same "$(json .ChecksumSHA256)" "$composite-3" "openssl finds its composite checksum"
run aws s3api head-object --bucket bkt --key parts --checksum-mode ENABLED
same "$(json '[.ChecksumSHA256, .SSEKMSKeyId, .ContentType, .Metadata.a] | join(" ")')" "$composite-3 alias/mine text/x-y b" \
	'head-object has all that create-multipart-upload said'
run aws s3api get-object-attributes --bucket bkt --key parts --object-attributes Checksum ObjectParts ObjectSize
same "$(json '[.Checksum.ChecksumSHA256, .ObjectParts.TotalPartsCount, .ObjectParts.Parts[1].ChecksumSHA256, .ObjectSize] | join(" ")')" \
	"$composite 3 $(sum part2) 12000100" 'get-object-attributes'
run aws s3api get-object --bucket bkt --key parts --part-number 2 back
cmp -s part2 back
ok $? 'get-object brings one part'
run aws s3api complete-multipart-upload --bucket bkt --key parts --upload-id "$id" --multipart-upload "file://$T/complete.json"
err_has NoSuchUpload 'the upload is over'

# --- awscli: copies of ranges, conditions, aborts ---
etag=$(aws s3api head-object --bucket bkt --key big --query ETag --output text)
id=$(aws s3api create-multipart-upload --bucket bkt --key ranges --query UploadId --output text)
run aws s3api upload-part-copy --bucket bkt --key ranges --upload-id "$id" --part-number 1 --copy-source bkt/big \
	--copy-source-range bytes=1000-6000999 --copy-source-if-match "$etag"
same "$(json .CopyPartResult.ETag)" "\"$(tail -c +1001 big | head -c 6000000 | md5sum | cut -d ' ' -f 1)\"" \
	'upload-part-copy takes a range'
run aws s3api upload-part-copy --bucket bkt --key ranges --upload-id "$id" --part-number 1 --copy-source bkt/big \
	--copy-source-if-match '"0123"'
err_has PreconditionFailed 'but only of the object that is meant'
run aws s3api abort-multipart-upload --bucket bkt --key ranges --upload-id "$id"
expect 0 'abort-multipart-upload'
run aws s3api list-multipart-uploads --bucket bkt
same "$(cat "$T/out")" '' 'leaves nothing'
same "$(find "$T/iris/.smpipe/local/s3/bkt/uploads" "$T/iris/.smpipe/local/s3/bkt/tmp" -mindepth 1)" '' 'nor on the disk'
run aws s3api copy-object --bucket bkt --key parts-copy --copy-source bkt/parts --checksum-algorithm SHA256
same "$(json .CopyObjectResult.ChecksumSHA256)" "$(cat part1 part2 part3 | sum)" 'copy-object sums up the whole'
run aws s3api get-object --bucket bkt --key big --if-match '"0123"' back
err_has PreconditionFailed 'get-object --if-match'
run aws s3api head-bucket --bucket bkt --expected-bucket-owner 999999999999
[ "$status" -ne 0 ]
ok $? 'nothing is for the client of another owner'
run aws s3api put-object --bucket bkt --key bad --body part3 --checksum-algorithm SHA256 --checksum-sha256 "$(sum part1)"
err_has BadDigest 'bytes that are not those of the checksum are refused'

# --- rclone ---
if command -v rclone > /dev/null; then
	export RCLONE_CONFIG=/dev/null RCLONE_RETRIES=1 RCLONE_LOW_LEVEL_RETRIES=1 RCLONE_CONFIG_L_TYPE=s3 \
		RCLONE_CONFIG_L_PROVIDER=Minio RCLONE_CONFIG_L_ENV_AUTH=true RCLONE_CONFIG_L_ENDPOINT="$AWS_ENDPOINT_URL"
	cp big tree/big
	run timeout 60 rclone copy tree l:bkt/rclone --s3-upload-cutoff 6M --s3-chunk-size 5M
	expect 0 'rclone copy, in parts'
	run timeout 60 rclone check tree l:bkt/rclone
	expect 0 'rclone check'
	run timeout 60 rclone check --download tree l:bkt/rclone
	expect 0 'and with all the bytes'
	run timeout 60 rclone copy l:bkt/rclone l:bkt/rclone2 --s3-copy-cutoff 6M
	expect 0 'rclone copies at the server'
	run timeout 60 rclone copy l:bkt/rclone2 rclone-back
	rm -rf tree/empty
	diff -r tree rclone-back > "$T/out"
	ok $? 'and brings the copy back'
	run aws s3 cp --no-progress s3://bkt/rclone/big back
	cmp -s big back
	ok $? 'awscli reads what rclone sent'
else
	skip 'rclone is not here'
fi

# --- curl: what these clients do not say ---
# s3 METHOD PATH [CURL'S OPTIONS …]: a signed request; the answer's head goes to $T/head.
s3() {
	method=$1
	target=$AWS_ENDPOINT_URL$2
	shift 2
	curl -s -X "$method" --aws-sigv4 aws:amz:us-east-1:s3 -u "$AWS_ACCESS_KEY_ID:$AWS_SECRET_ACCESS_KEY" -D "$T/head" \
		"$@" "$target"
}
unsigned='x-amz-content-sha256: UNSIGNED-PAYLOAD'
aws s3 cp --no-progress part3 s3://bkt/curl > /dev/null
s3 POST '/bkt/curl?uploads=' -H "$unsigned" -H 'x-amz-checksum-algorithm: CRC64NVME' > "$T/out"
id=$(sed -n 's/.*<UploadId>\(.*\)<\/UploadId>.*/\1/p' "$T/out")
for i in 1 2; do
	s3 PUT "/bkt/curl?partNumber=$i&uploadId=$id" -H "$unsigned" --data-binary @part$i
	etag=$(sed -n 's/^ETag: "\(.*\)".*/\1/p' "$T/head")
	echo "<Part><PartNumber>$i</PartNumber><ETag>$etag</ETag></Part>"
done > parts.xml
echo "<CompleteMultipartUpload>$(cat parts.xml)</CompleteMultipartUpload>" > complete.xml
complete() {
	s3 POST "/bkt/curl?uploadId=$id" -H "$unsigned" --data-binary @complete.xml -H "$1" > "$T/out"
	: > "$T/err"
}
complete 'If-None-Match: *'
out_has '<Code>PreconditionFailed<' 'an upload that must be the first is not, where an object is'
complete 'x-amz-checksum-crc64nvme: AAAAAAAAAAA='
out_has '<Code>BadDigest<' 'another CRC64NVME of the whole is refused'
complete 'x-amz-mp-object-size: 11999999'
out_has '<Code>InvalidRequest<' 'so is another size'
complete 'x-amz-checksum-type: COMPOSITE'
out_has '<Code>InvalidRequest<' 'and another type of checksum'
complete 'x-amz-mp-object-size: 12000000'
out_has '<ChecksumType>FULL_OBJECT<' 'the upload has survived all that, and is completed'
crc=$(sed -n 's/.*<ChecksumCRC64NVME>\(.*\)<\/ChecksumCRC64NVME>.*/\1/p' "$T/out")
cat part1 part2 > both
s3 PUT /bkt/both -H "$unsigned" -H "x-amz-checksum-crc64nvme: $crc" --data-binary @both > "$T/out"
grep -q '^HTTP/1.1 200' "$T/head"
ok $? 'its CRC64NVME, made from those of the parts, is that of the whole'
printf '3\r\nabc\r\n2\r\nde\r\n0\r\nx-amz-checksum-crc32:hYfYZQ==\r\n\r\n' > chunks
send_chunks() {
	s3 PUT /bkt/chunks -H 'x-amz-content-sha256: STREAMING-UNSIGNED-PAYLOAD-TRAILER' -H 'x-amz-decoded-content-length: 5' \
		-H 'Content-Encoding: aws-chunked' -H 'x-amz-trailer: x-amz-checksum-crc32' --data-binary @chunks > "$T/out"
}
send_chunks
same "$(aws s3 cp s3://bkt/chunks -)" abcde 'chunks with a checksum behind them are taken apart'
sed -i s/hYfYZQ/hYfYZA/ chunks
send_chunks
out_has '<Code>BadDigest<' 'and compared with it'

finish
