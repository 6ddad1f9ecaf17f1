#!/bin/sh
# What a network and a service do on a bad day to smpipe put and get, at the first request of each operation and at a later
# one: every cell ends with the right bytes in place, or in one clear error and nothing in place.
. "$(dirname "$0")/lib.sh"

cd "$T" || exit 1
mkdir data
head -c 40000000 /dev/urandom > data/parts
head -c 300000 /dev/urandom > data/whole
for i in 1 2 3 4; do echo "$i" > "data/small$i"; done
sums() { (cd "$1" && sha256sum -- * | sort); }
wanted=$(sums data)

start_cloud() {
	SMPIPE_LOCAL_FAULTS=$1 "$SMPIPE" local up --dir "$T/c/.smpipe/local" > /dev/null 2>&1
	eval "$("$SMPIPE" local env --dir "$T/c/.smpipe/local")"
}
stop_cloud() {
	"$SMPIPE" local down --dir "$T/c/.smpipe/local" > /dev/null 2>&1
}
clouds="$clouds $T/c"

start_cloud ''
/usr/bin/aws --endpoint-url "$AWS_ENDPOINT_URL" s3 mb s3://bucket-1 > /dev/null
"$SMPIPE" put data s3://bucket-1/source/ > /dev/null 2>&1
stop_cloud

# judge CELL: the last put or get and what is there now.
judge() {
	rm -rf judge
	/usr/bin/timeout 60 "$SMPIPE" get "s3://bucket-1/$to/" judge > /dev/null 2>&1
	if [ "$status" -eq 0 ]; then
		same "$(sums judge)" "$wanted" "$1: done"
	else
		lines=$(grep -c '^smpipe: ' "$T/err")
		same "$lines" 1 "$1: one error (exit $status)"
	fi
}

for fault in reset-before reset-body reset-after reset-answer 500 503 error-200 wrong-checksum truncate skew expired-token; do
	for operation in PutObject CreateMultipartUpload UploadPart CompleteMultipartUpload; do
		for at in 1 2; do
			[ "$at" = 1 ] || [ "$operation" = PutObject ] || [ "$operation" = UploadPart ] || continue
			to=t/$operation-$at-$fault
			start_cloud "$operation:$at:$fault"
			run timeout 60 "$SMPIPE" put data "s3://bucket-1/$to/"
			stop_cloud
			start_cloud ''
			judge "put, $operation $at, $fault"
			stop_cloud
		done
	done
	for operation in HeadObject GetObject ListObjectsV2; do
		start_cloud "$operation:1:$fault"
		rm -rf back
		run timeout 60 "$SMPIPE" get s3://bucket-1/source/ back
		if [ "$status" -eq 0 ]; then
			same "$(sums back)" "$wanted" "get, $operation, $fault: done"
		else
			same "$(grep -c '^smpipe: ' "$T/err")" 1 "get, $operation, $fault: one error (exit $status)"
		fi
		stop_cloud
	done
done

# A storm: half of all requests are refused for a while.
start_cloud 'seed=7;PutObject:40%:503;UploadPart:40%:503'
to=t/storm
run timeout 120 "$SMPIPE" put data "s3://bucket-1/$to/"
expect 0 'a storm of SlowDown is sat out'
stop_cloud
start_cloud ''
judge 'a storm'

finish
