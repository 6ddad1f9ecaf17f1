#!/bin/sh
# A release whose S3 misbehaves: each operation × each fault × the first, middle and last request. Every cell ends in
# success or in one clear line; no manifest vouches for what is not there; and the next release, undisturbed, goes through.
. "$(dirname "$0")/lib.sh"

# What a cell does, what its requests are, and which faults they meet. A new kind of transfer is a line here, and a
# make_ and do_ function below.
operations='
snapshot PutObject
snapshot HeadObject
'
# What cannot be told from a good answer: a HEAD has no body that could be an error or break off.
senseless='HeadObject:.*:(error-200|truncate|reset-answer)'
faults='reset-before reset-body reset-after reset-answer stall=300 trickle=5 500 503 expired-token error-200 wrong-etag
	wrong-checksum truncate skew'
# Some that do not pass: every request of the operation from the second on.
forever='reset-before 500 503 expired-token error-200 skew'

# A released project, with an image and its objects; in each cell the data are other ones.
new_channel_project base
for i in 1 2 3 4 5 6; do echo "$i" > "data/train/more$i.txt"; done
commit Data
run "$SMPIPE" release --local --no-logs
expect 0 'the project is released once'
"$SMPIPE" local down > /dev/null 2>&1
cd "$T" || exit 1

# make_snapshot NAME: a cell's work tree, with data that no cell had before; its cloud does not run yet.
make_snapshot() {
	cp -a "$T/base" "$T/$1"
	cd "$T/$1" || exit 1
	for f in data/train/more*.txt; do echo "$1" >> "$f"; done
	commit "$1" > /dev/null
}
do_snapshot() {
	timeout 120 "$SMPIPE" release --local --no-logs
}

# vouched: what the manifests of the working folder's cloud name and its S3 has not, or has otherwise.
vouched() {
	find .smpipe/local/s3/*/objects -path '*/data/*' -name '*.json' | while read -r manifest; do
		jq -r '.files[] | "\(.sha256)  \(.path)"' "$manifest" > .smpipe/sums || echo "$manifest is no manifest"
		(cd "${manifest%.json}" 2> /dev/null && sha256sum -c --quiet --strict) < .smpipe/sums 2>&1 |
			sed "s|^|vouched for: |"
	done
}

# A job that was launched before the release failed runs to its end.
end_cloud() {
	url=$("$SMPIPE" local env 2> /dev/null | sed -n 's/^export AWS_ENDPOINT_URL=//p')
	eventually '[ "$(curl -s "$url/_smpipe/health" | jq .running_jobs)" = 0 ]'
	"$SMPIPE" local down > /dev/null 2>&1
}

# judge NAME KIND RULE: words about what is wrong.
judge() {
	SMPIPE_LOCAL_FAULTS=$3 "$SMPIPE" local up > /dev/null 2>&1
	status=0
	"do_$2" > .smpipe/out 2> .smpipe/err || status=$?
	vouched
	[ "$status" -ne 124 ] || echo 'it hangs'
	[ "$status" -lt 126 ] || echo "it ended with $status"
	[ "$status" -eq 0 ] || [ "$(grep -c '^smpipe: ' .smpipe/err)" = 1 ] || echo 'not one line'
	end_cloud
	"do_$2" > .smpipe/out2 2> .smpipe/err2 || echo "then: $(grep '^smpipe: ' .smpipe/err2)"
	"$SMPIPE" verify --local > .smpipe/verify 2>&1 || sed 's/^/verify: /' .smpipe/verify
	"$SMPIPE" local down > /dev/null 2>&1
	return "$status"
}

cells=''
# cell KIND OPERATION WHEN FAULT
cell() {
	name=$(echo "$1-$2-$3-$4" | tr '=+' '__')
	rule=$2:$3:$4
	echo "$rule" | grep -Eqx "$senseless" && return
	(
		"make_$1" "$name"
		judge "$name" "$1" "$rule" > "$T/bad.$name"
		printf '%s exit %d: %s\n' "$rule" "$?" "$(grep -m 1 '^smpipe: ' .smpipe/err)" > "$T/end.$name"
		cd "$T" && [ -s "bad.$name" ] && [ -n "${KEEP:-}" ] || rm -rf "${T:?}/$name"
	) &
	cells="$cells $name"
	[ $(($(echo "$cells" | wc -w) % 4)) -ne 0 ] || wait
}

# requests_of KIND OPERATION: how many a release without faults makes of it.
requests_of() {
	(
		make_"$1" "count-$2"
		SMPIPE_LOCAL_FAULTS="$2:0:500" "$SMPIPE" local up > /dev/null 2>&1
		"do_$1" > /dev/null 2>&1
		eval "$("$SMPIPE" local env)"
		curl -s "$AWS_ENDPOINT_URL/_smpipe/health" | jq '.faults[0].seen'
		"$SMPIPE" local down > /dev/null 2>&1
		rm -rf "$T/count-$2"
	)
}

echo "$operations" | grep . > "$T/operations"
while read -r kind operation; do
	n=$(requests_of "$kind" "$operation")
	[ "$n" -gt 0 ]
	ok $? "a $kind makes $n requests of $operation"
	for fault in $faults; do
		for when in $(printf '%s\n' 1 $(((n + 1) / 2)) "$n" | sort -nu); do
			cell "$kind" "$operation" "$when" "$fault"
		done
	done
	for fault in $forever; do
		cell "$kind" "$operation" 2+ "$fault"
	done
done < "$T/operations"
wait

for name in $cells; do
	: > "$T/out"
	cp "$T/bad.$name" "$T/err"
	end=$(cat "$T/end.$name" 2> /dev/null || echo "$name has no end")
	[ ! -s "$T/bad.$name" ] && [ -f "$T/end.$name" ]
	ok $? "$end"
done

# --- the switch itself ---
new_channel_project switch
run env SMPIPE_LOCAL_FAULTS='PutObject:1:nonsense' "$SMPIPE" local up
[ "$status" -ne 0 ]
ok $? 'a rule that is none ends the cloud before it begins'
said "SMPIPE_LOCAL_FAULTS: 'PutObject:1:nonsense'" 'and is named'
use_cloud
run curl -s -H 'SMPIPE_LOCAL_FAULTS: *:1+:500' "$AWS_ENDPOINT_URL/_smpipe/health?faults=*:1%2B:500"
same "$(json .faults)" null 'no request switches a fault on'

finish
