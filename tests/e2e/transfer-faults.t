#!/bin/sh
# `smpipe put`, `get` and `data push` when S3 misbehaves: each operation × each fault × the first, middle and last request,
# and some that do not pass. Every cell ends in success or in one clear line with nothing half there, passing faults in success; and the
# next run, undisturbed, finishes it and leaves no part behind.
#
# All cells take many minutes: one in $CELLS is run, 1 for all of them. The default is no divisor of the table's rows, so that
# each operation meets other faults.
. "$(dirname "$0")/lib.sh"

# What transfers, and what its requests are: fault-cell has the rest.
operations='
put ListMultipartUploads
put CreateMultipartUpload
put UploadPart
put CompleteMultipartUpload
resume ListMultipartUploads
resume ListParts
resume UploadPart
resume CompleteMultipartUpload
resume AbortMultipartUpload
many PutObject
get HeadObject
get GetObject
getmany ListObjects
getmany GetObject
snap HeadBucket
snap CreateBucket
snap PutBucketConfiguration
snap HeadObject
snap ListObjects
snap PutObject
snap CreateMultipartUpload
snap UploadPart
snap CompleteMultipartUpload
copy HeadObject
copy GetObject
copy ListObjects
copy CopyObject
copy CreateMultipartUpload
copy UploadPartCopy
copy CompleteMultipartUpload
copy PutObject
verify HeadObject
deep ListObjects
deep GetObject
gc ListObjects
gc ListMultipartUploads
gc DeleteObject
gc DeleteObjects
gc AbortMultipartUpload
'
faults='reset-before reset-body reset-after reset-answer stall=300 trickle=5 500 503 expired-token error-200 wrong-etag
	wrong-checksum truncate skew'
# Every request of the operation, or from the second on.
forever='reset-before 503 expired-token error-200 skew'
# What cannot be told from a good answer, has nothing to break, or takes hours: a HEAD and a range have no XML, a list of
# objects and what is done to buckets or deleted no checksum; 16 MiB a byte at a time.
senseless='.* Head.*:.*:(error-200|truncate|reset-answer)
.* (ListObjects|ListMultipartUploads|.*Bucket.*|Delete.*|Abort.*):.*:wrong-.*
.* (CreateBucket|PutBucketConfiguration|DeleteObject|AbortMultipartUpload):.*:(truncate|reset-answer)
.* (UploadPart|PutObject):.*:truncate
.* CreateMultipartUpload:.*:wrong-.*
.* GetObject:.*:truncate
(get|deep) GetObject:.*:trickle.*'

# What is transferred. The last of three parts is short.
head -c 33554632 /dev/urandom > "$T/large"
mkdir "$T/many"
for i in $(seq 19); do head -c $((i * 40)) /dev/urandom > "$T/many/$i"; done
head -c 70000 /dev/urandom > "$T/many/20"
new_project seed
# git would hash the large file in every command of every cell.
git rm -rq --cached data && echo data/ >> .gitignore
rm -rf data/* && ln "$T/large" data/large && for i in 1 2 3 4; do echo "$i" > "data/$i"; done
sed -i -e '/^  val: /d' -e '/^  test: /d' -e 's|^  train: .*|  train: data|' smpipe.yaml
commit Data
use_cloud
aws s3 mb s3://faults-bucket > /dev/null
run "$SMPIPE" put "$T/large" s3://faults-bucket/in/large
expect 0 'a large file is there'
run "$SMPIPE" put "$T/many" s3://faults-bucket/in/many/
expect 0 'small ones too'
"$SMPIPE" local down > /dev/null 2>&1
cp -al "$T/seed" "$T/snapped" && cd "$T/snapped" || exit 1
rm -rf .smpipe && cp -a ../seed/.smpipe .
run "$SMPIPE" data push --local
expect 0 'and a snapshot'
"$SMPIPE" local down > /dev/null 2>&1

# An upload that was cut off after its first part, and an older one that another program began otherwise.
cp -al "$T/seed" "$T/cut" && cd "$T/cut" || exit 1
rm -rf .smpipe && cp -a ../seed/.smpipe .
use_cloud
head -c 16777216 "$T/large" > "$T/first"
aws s3api create-multipart-upload --bucket faults-bucket --key cut/large --checksum-algorithm CRC32 > /dev/null
grep -rl '"initiated":' .smpipe/local/s3 | xargs sed -i 's/"initiated":[0-9]*/"initiated":1700000000/'
upload=$(aws s3api create-multipart-upload --bucket faults-bucket --key cut/large --checksum-algorithm SHA256 --query UploadId --output text)
run aws s3api upload-part --bucket faults-bucket --key cut/large --upload-id "$upload" --part-number 1 --body "$T/first" \
	--checksum-algorithm SHA256
expect 0 'an upload that was cut off'
"$SMPIPE" local down > /dev/null 2>&1

# Two snapshots, the first of which is old; and what else gc takes.
cp -al "$T/snapped" "$T/swept" && cd "$T/swept" || exit 1
rm -rf .smpipe && cp -a ../snapped/.smpipe .
use_cloud
stem=s3://sagemaker-us-east-1-000000000000/seed/data/train
aws s3 cp --quiet data/2 "$stem/$(printf %064d 0)/half"
aws s3 cp --quiet data/2 "$stem/$(printf %064d 0)/$(printf 'control\001')"
aws s3api create-multipart-upload --bucket sagemaker-us-east-1-000000000000 --key seed/data/train/x > /dev/null
grep -rl '"initiated":' .smpipe/local/s3 | xargs sed -i 's/"initiated":[0-9]*/"initiated":1700000000/'
find .smpipe/local/s3/sage*/objects -type f -exec touch -d '3 days ago' {} +
find .smpipe/local/s3/sage*/meta -type f -exec sed -i 's/"mtime_ns":[0-9]*/"mtime_ns":1700000000000000000/' {} +
rm data/1 && echo newer > data/1
run "$SMPIPE" data push --local
expect 0 'and a newer snapshot'
"$SMPIPE" local down > /dev/null 2>&1
[ "$failures" -eq 0 ] || finish
"$SMPIPE" local down > /dev/null 2>&1
cd "$T" || exit 1
export T SMPIPE
cell=$ROOT/tests/e2e/fault-cell
name_of() { echo "$1-$2:$3:$4" | tr ':=+' '-__'; }

# requests_of KIND OPERATION: how many a transfer without faults makes of it.
requests_of() {
	sed -n 's/^seen //p' "bad.$(name_of "$1" "$2" 0 500)"
}

# wanted KIND OPERATION WHEN FAULT: a line for the cell, unless there is no sense in it.
wanted() {
	echo "$1 $2:$3:$4" | grep -Eqx "$senseless" || echo "$*"
}

echo "$operations" | grep . > operations
sed 's/$/ 0 500/' operations | xargs -P 6 -L 1 "$cell"
while read -r kind operation; do
	n=$(requests_of "$kind" "$operation")
	[ "${n:-0}" -gt 0 ]
	ok $? "$kind makes $n requests of $operation"
	[ "${n:-0}" -gt 0 ] || continue
	for fault in $faults; do
		for when in $(printf '%s\n' 1 $(((n + 1) / 2)) "$n" | sort -nu); do
			wanted "$kind" "$operation" "$when" "$fault" >> cells
		done
	done
	for fault in $forever; do
		case $kind:$fault in snap:503 | copy:503 | getmany:503 | *:skew) continue ;; esac
		wanted "$kind" "$operation" "$([ "$n" -gt 1 ] && echo 2+ || echo 1+)" "$fault" >> waiting
	done
done < operations
# The other checksum goes another way only here.
for fault in wrong-checksum error-200 reset-after truncate; do
	wanted crc CompleteMultipartUpload 1 "$fault" >> cells
	wanted crc UploadPart 2 "$fault" >> cells
done
for list in cells waiting; do
	awk -v every="${CELLS:-$([ -n "${SAN:-}" ] && echo 53 || echo 5)}" 'NR % every == 0' "$list" > some && mv some "$list"
done
# Those of the second kind do little but wait.
xargs -P 24 -L 1 "$cell" < waiting &
xargs -P 6 -L 1 "$cell" < cells
wait

while read -r kind operation when fault; do
	name=$(name_of "$kind" "$operation" "$when" "$fault")
	: > "$T/out"
	cp "$T/bad.$name" "$T/err" || echo 'no end' > "$T/err"
	[ ! -s "$T/err" ]
	ok $? "$(cat "$T/end.$name")"
done <<-END
	$(cat cells waiting)
END

# --- a storm ---
# A hundred refusals in a row. tests/unit/test_pump.c looks at the pace itself.
mkdir "$T/storm"
for i in $(seq 200); do echo "$i" > "$T/storm/$i"; done
cd "$T/seed" || exit 1
SMPIPE_LOCAL_FAULTS='PutObject:21-120:503' "$SMPIPE" local up > /dev/null 2>&1
eval "$("$SMPIPE" local env)"
run timeout 300 "$SMPIPE" put "$T/storm" s3://faults-bucket/storm/
expect 0 'a hundred times SlowDown in the middle of 200 files'
same "$(curl -s "$AWS_ENDPOINT_URL/_smpipe/health" | jq '.faults[0].struck')" 100 'each of which struck'
diff -r "$T/storm" .smpipe/local/s3/faults-bucket/objects/storm > "$T/out" 2> "$T/err"
ok $? 'and all are there'

finish
