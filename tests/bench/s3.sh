#!/bin/bash
# Uploads raced: smpipe put and its peers, one after the other in each round, against the same sink (tests/bench/s3_sink.c),
# from a warm page cache. Medians of wall time, CPU seconds (user + system) and peak memory of the client, and how many times
# as long as `smpipe put` a peer took in the same round. rclone runs as it is typed (it hashes by MD5; --s3-no-head only because the
# sink keeps nothing that could be looked at), and as rclone-unchecked without its checks.
#
#   ROUNDS=3  SCENES="big small middle"  PEERS="smpipe …"  SCHEMES="http https"  BIG_GIB=4  tests/bench/s3.sh
#
# Peers are Debian's; what is not installed is skipped by name. AWS's C client knows no port but 80 and 443: the race is run
# in a network namespace of its own, which takes root.
set -eu

SMPIPE=${SMPIPE:-$PWD/build/smpipe}
SINK=${SINK:-$PWD/build/tests/bench/s3_sink}
HERE=$(cd "$(dirname "$0")" && pwd)
ROUNDS=${ROUNDS:-3}
SCENES=${SCENES:-big small middle}
SCHEMES=${SCHEMES:-http https}
PEERS=${PEERS:-smpipe smpipe-crc64 curl awscrt rclone rclone-unchecked awscli s3cmd}
BIG_GIB=${BIG_GIB:-4}

if [ -z "${IN_NAMESPACE:-}" ]; then
	[ "$(id -u)" = 0 ] || { echo 'bench-s3: needs root, for a network namespace with the ports 80 and 443' >&2; exit 1; }
	[ -x /usr/bin/time ] || { echo 'bench-s3: needs the package time' >&2; exit 1; }
	IN_NAMESPACE=1 exec unshare --net -- "$0" "$@"
fi
ip link set lo up

T=$(mktemp -d "${TMPDIR:-/tmp}/smpipe-bench.XXXXXX")
sinks=
trap 'kill $sinks 2> /dev/null || :; rm -rf "$T"' EXIT
mkdir "$T/home" "$T/small" "$T/middle" "$T/big"
export HOME=$T/home LC_ALL=C.UTF-8 AWS_ACCESS_KEY_ID=AKIDEXAMPLE AWS_SECRET_ACCESS_KEY=secret AWS_REGION=us-east-1 \
	AWS_DEFAULT_REGION=us-east-1 AWS_EC2_METADATA_DISABLED=true AWS_CA_BUNDLE=$T/ca.pem
unset AWS_PROFILE AWS_ENDPOINT_URL AWS_SESSION_TOKEN

openssl req -x509 -newkey rsa:2048 -nodes -keyout "$T/key.pem" -out "$T/ca.pem" -days 2 -subj /CN=localhost \
	-addext subjectAltName=DNS:localhost,IP:127.0.0.1 2> /dev/null
mkfifo "$T/hold"
exec 8<> "$T/hold" # the sinks live as long as somebody could write to it
"$SINK" -p 80 < "$T/hold" > /dev/null 8>&- & sinks="$sinks $!"
"$SINK" -p 443 -c "$T/ca.pem" -k "$T/key.pem" < "$T/hold" > /dev/null 8>&- & sinks="$sinks $!"

# Contents that do not compress, and differ.
make_scene() {
	case $1 in
	big) head -c $((BIG_GIB * 1024 * 1024 * 1024)) /dev/urandom > "$T/big/file" ;;
	small) head -c $((10000 * 4096)) /dev/urandom | (cd "$T/small" && split -b 4096 -a 5 -d) ;;
	middle) head -c $((100 * 16 * 1024 * 1024)) /dev/urandom | (cd "$T/middle" && split -b 16777216 -a 3 -d) ;;
	esac
}
words() {
	case $1 in
	big) echo "one file of $BIG_GIB GiB" ;;
	small) echo '10,000 files of 4 KiB' ;;
	middle) echo '100 files of 16 MiB' ;;
	esac
}

has() {
	case $1 in
	smpipe*) [ -x "$SMPIPE" ] ;;
	awscrt) /usr/bin/python3 -c 'import awscrt.s3' 2> /dev/null ;;
	awscli) [ -x /usr/bin/aws ] ;;
	rclone*) command -v rclone > /dev/null ;;
	*) command -v "$1" > /dev/null ;;
	esac
}

# race PEER SCENE SCHEME: the command that a user types.
race() {
	local path=$T/$2
	[ "$2" != big ] || path=$T/big/file
	case $1 in
	smpipe) AWS_ENDPOINT_URL=$3://localhost "$SMPIPE" put "$path" s3://bench/x/ ;;
	smpipe-crc64) AWS_ENDPOINT_URL=$3://localhost "$SMPIPE" put --checksum crc64nvme "$path" s3://bench/x/ ;;
	curl)
		if [ "$2" = big ]; then
			curl -sS --cacert "$T/ca.pem" -H Expect: -T "$path" "$3://localhost/bench/file"
		else
			curl -sS --cacert "$T/ca.pem" -H Expect: -Z --parallel-max 8 -K "$T/curl.$2.$3"
		fi
		;;
	awscrt) /usr/bin/python3 "$HERE/s3_crt.py" "$3" "$T/ca.pem" "$path" ;;
	rclone*)
		[ "$1" = rclone ] || set -- "$@" --s3-no-check-bucket --no-check-dest --ignore-checksum
		env -u AWS_CA_BUNDLE SSL_CERT_FILE="$T/ca.pem" rclone --config /dev/null --s3-provider Other --s3-env-auth \
			--s3-endpoint "$3://localhost" --s3-no-head "${@:4}" copy "$path" :s3:bench/x
		;;
	awscli)
		if [ "$2" = big ]; then
			/usr/bin/aws --endpoint-url "$3://localhost" s3 cp --quiet "$path" s3://bench/x/file
		else
			/usr/bin/aws --endpoint-url "$3://localhost" s3 cp --quiet --recursive "$path" s3://bench/x/
		fi
		;;
	s3cmd)
		s3cmd --config=/dev/null --access_key=AKIDEXAMPLE --secret_key=secret --host=localhost --host-bucket=localhost \
			--ca-certs="$T/ca.pem" $([ "$3" = https ] && echo --ssl || echo --no-ssl) --no-progress -q --recursive put \
			"$path$([ "$2" = big ] || echo /)" s3://bench/x/
		;;
	esac
}
export -f race

# ratio RUNS BASE: the median of how many times as long as BASE's run.
ratio() {
	[ -f "$2" ] && [ ! -f "$2.failed" ] || return 0
	paste "$1" "$2" | awk '{ print $1 / $4 }' | sort -n | awk '{ v[NR] = $1 } END { printf "%.2f ×", v[int((NR + 1) / 2)] }'
}
export T SMPIPE HERE

for scene in $SCENES; do
	make_scene "$scene"
	for scheme in $SCHEMES; do
		for f in "$T/$scene"/*; do
			printf 'url = "%s://localhost/bench/%s"\nupload-file = "%s"\n' "$scheme" "${f##*/}" "$f"
		done > "$T/curl.$scene.$scheme"
	done
done

for scene in $SCENES; do
	for scheme in $SCHEMES; do
		for ((i = 0; i < ROUNDS; i++)); do
			for peer in $PEERS; do
				has "$peer" || continue
				cat "$T/$scene"/* > /dev/null
				if ! timeout 300 /usr/bin/time -q -o "$T/time" -f '%e %U %S %M' bash -c 'race "$@"' - "$peer" "$scene" "$scheme" \
					> "$T/out" 2>&1; then
					echo "$peer failed: $(tail -n 1 "$T/out")" > "$T/$scene.$scheme.$peer.failed"
					continue
				fi
				awk '{ print $1, $2 + $3, $4 / 1024 }' "$T/time" >> "$T/$scene.$scheme.$peer"
			done
		done
		echo "$(words "$scene") over $scheme, median of $ROUNDS"
		for peer in $PEERS; do
			file=$T/$scene.$scheme.$peer
			if ! has "$peer"; then
				echo "  $peer: not installed"
			elif [ -f "$file.failed" ]; then
				echo "  $(cat "$file.failed")"
			else
				for column in 1 2 3; do
					sort -n -k "$column,$column" "$file" |
						awk -v c="$column" '{ v[NR] = $c } END { printf "%s ", v[int((NR + 1) / 2)] }'
				done | awk -v p="$peer" -v r="$(ratio "$file" "$T/$scene.$scheme.smpipe")" \
					'{ printf "  %-16s %7.2f s  %6.2f s CPU  %5.0f MiB  %s\n", p, $1, $2, $3, r }'
			fi
		done
	done
done
