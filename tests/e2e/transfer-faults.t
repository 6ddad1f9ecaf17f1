#!/bin/sh
# `smpipe put`, `get` and `data push` when S3 misbehaves: each operation × each fault × the first, middle and last request,
# and some that do not pass. Every cell ends in success or in one clear line with nothing half there, passing faults in success; and the
# next run, undisturbed, finishes it and leaves no part behind.
#
# All cells take minutes: one in $CELLS is run, 1 for all of them.
. "$(dirname "$0")/lib.sh"

# What transfers, and what its requests are: fault-cell has the rest.
operations='
put ListMultipartUploads
put CreateMultipartUpload
put UploadPart
put CompleteMultipartUpload
many PutObject
get HeadObject
get GetObject
getmany ListObjects
getmany GetObject
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
'
faults='reset-before reset-body reset-after reset-answer stall=300 trickle=5 500 503 expired-token error-200 wrong-etag
	wrong-checksum truncate skew'
# Every request of the operation, or from the second on.
forever='reset-before 503 expired-token error-200 skew'
# What cannot be told from a good answer, has nothing to break, or takes hours: a HEAD and a range have no XML, a list no
# checksum; 16 MiB a byte at a time.
senseless='.* HeadObject:.*:(error-200|truncate|reset-answer)
.* List.*:.*:wrong-.*
.* (UploadPart|PutObject):.*:truncate
.* CreateMultipartUpload:.*:wrong-.*
.* GetObject:.*:truncate
get GetObject:.*:trickle.*'

# What is transferred. The last of three parts is short.
head -c 33554632 /dev/urandom > "$T/large"
mkdir "$T/many"
for i in $(seq 19); do head -c $((i * 40)) /dev/urandom > "$T/many/$i"; done
head -c 70000 /dev/urandom > "$T/many/20"
new_project seed
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
	awk -v every="${CELLS:-$([ -n "${SAN:-}" ] && echo 40 || echo 6)}" 'NR % every == 0' "$list" > some && mv some "$list"
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

finish
