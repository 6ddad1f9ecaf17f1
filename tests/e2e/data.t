#!/bin/sh
# Data snapshots: what the folder holds, what lies in S3, and what others read there.
. "$(dirname "$0")/lib.sh"

new_project data
sed -i 's|^  train: .*|  train: {path: ../set, exclude: ["*.tmp"]}|' smpipe.yaml
commit Data
use_cloud
for verb in 'data list train' 'data verify' gc; do
	# shellcheck disable=SC2086
	run "$SMPIPE" $verb --local
	expect 0 "$verb before there is a bucket"
	err_has 'there are no snapshots yet|0 snapshots' 'says that there is nothing'
done
run "$SMPIPE" data diff val --local
said "channel 'val' has no snapshot yet" 'so does data diff'
bucket=sagemaker-us-east-1-000000000000
push() { run "$SMPIPE" data push --local --json; expect 0 "$1"; uri=$(json '.[] | select(.channel == "train").uri'); }
# The current snapshot of train: its digest, and its manifest as $T/manifest.
manifest() {
	digest=$(basename "$uri")
	aws s3 cp --quiet "${uri%/}.json" "$T/manifest"
}
# older NAME DAYS: objects and manifests of that name as if they had been stored so long ago.
older() {
	at=$(($(date +%s) - $2 * 86400))
	find .smpipe/local/s3 -path "*/objects/*$1*" -type f | while IFS= read -r object; do
		meta=$(printf '%s\n.' "$object" | sed 's,/objects/,/meta/,'); meta=${meta%??}%m
		touch -d "@$at" "$object"
		jq -c ".mtime_ns = $at * 1000000000" "$meta" > "$T/meta" && cp "$T/meta" "$meta"
	done
}

# data_of_record: the snapshot of train that the release just made has in its record.
data_of_record() { basename "$(aws s3 cp "$(json .record)" - | jq -r '.subject[] | select(.name == "data/train").uri')" .json; }
objects() { find .smpipe/local/s3 -path '*/objects/*' -type f | sort; }

run "$SMPIPE" data verify --local
expect 0 'there is nothing to verify'
err_has 'there are no snapshots yet' 'which is said'

# --- names ---------------------------------------------------------------------------------------------------------
mkdir -p "$T/set/sub dir/deep" "$T/set/none/at all"
cd "$T/set" || exit 1
for name in plain 'with space' 'a+b' 'per%20cent' 'ä ö' 'q"uote' "apo'strophe" '*?[x]' '-dash' 'back\slash' "$(printf 'new\nline')" \
	"$(printf 'tab\there')" "$(printf 'esc\033[31m')" '&amp;<x>' '#hash' 'sub dir/deep/file'; do
	printf '%s\n' "content of $name" > "./$name"
done
: > empty
ln -s plain link
echo no > 'sub dir/left.tmp'
head -c 40000000 /dev/urandom > big.bin
cd "$T/data" || exit 1
push 'a folder of odd names is sent'
manifest
same "$(jq '.files | length' "$T/manifest")" 20 'its manifest names every file and the empty folder'
same "$(jq -r '.files[] | select(.path | endswith("/")).path' "$T/manifest")" 'none/at all/' 'which stands as a folder'
same "$(jq -r '.files[] | select(.composite).path' "$T/manifest")" big.bin 'the large file is named by its parts'

# What lies there, without what smpipe leaves out, folders that S3 has not, and with links as files.
mkdir "$T/want" && cp -rL "$T/set/." "$T/want" && rm -r "$T/want/sub dir/left.tmp" "$T/want/none"
run aws s3 cp --quiet --recursive "$uri" "$T/by-aws"
expect 0 'awscli reads it back'
run diff -r "$T/want" "$T/by-aws"
expect 0 'every byte and every name'
if command -v rclone > /dev/null; then
	export RCLONE_CONFIG=/dev/null RCLONE_S3_PROVIDER=Other RCLONE_S3_ENDPOINT="$AWS_ENDPOINT_URL" RCLONE_S3_ENV_AUTH=true
	export RCLONE_S3_REGION=us-east-1 RCLONE_S3_LIST_URL_ENCODE=true RCLONE_S3_ENCODING=Slash,InvalidUtf8
	export RCLONE_LOCAL_ENCODING=Slash,InvalidUtf8
	run env -u AWS_CA_BUNDLE rclone copy ":s3:${uri#s3://}" "$T/by-rclone"
	expect 0 'rclone reads it back'
	run diff -r "$T/want" "$T/by-rclone"
	expect 0 'every byte and every name'
else
	skip 'no rclone'
fi

run "$SMPIPE" get --local "$uri" "$T/by-get"
expect 0 'smpipe get reads it back'
run diff -r "$T/want" "$T/by-get"
expect 0 'every byte and every name'

# --- the recipes of the README ---------------------------------------------------------------------------------------
recipe() { sed -n "/^<!-- $1 -->\$/,/^\$/p" "$ROOT/README.md" | sed -n 's/^    \$ //p; s/^    > //p'; }
cp "$T/manifest" "$T/by-aws/manifest.json"
cd "$T/by-aws" || exit 1
recipe sha256sum > "$T/recipe"
run bash -eu "$T/recipe"
expect 0 'sha256sum checks a copy against the manifest'
same "$(grep -c ': OK$' "$T/out")" 18 'each file of one part'
recipe composite > "$T/recipe"
run bash -eu "$T/recipe"
expect 0 'split and sha256sum check the others'
out_has '^OK  big.bin$' 'the large file'
printf X | dd of=big.bin bs=1 seek=20000000 conv=notrunc 2> /dev/null
run bash -u "$T/recipe"
out_has '^BAD  big.bin$' 'and notice a changed byte'
cd "$T/data" || exit 1

# --- nothing twice ---------------------------------------------------------------------------------------------------
first=$digest
push 'the same again'
err_has "train exists, $(echo "$first" | cut -c1-12)" 'sends nothing'
older "$first" 3
echo more > "$T/set/plain"
rm "$T/set/empty"
echo new > "$T/set/new"
run "$SMPIPE" data diff train --local
expect 0 'data diff'
same "$(sort "$T/out")" 'added     new  (4 B)
changed   link  (17 B → 5 B)
changed   plain  (17 B → 5 B)
removed   empty  (0 B)' 'names what a push would change'
rm "$T/set/$(printf 'esc\033[31m')"
run "$SMPIPE" data diff train --local
out_has '^removed   esc.x1b.31m' 'no escape sequence reaches the terminal'
echo "content of $(printf 'esc\033[31m')" > "$T/set/$(printf 'esc\033[31m')"
push 'a changed folder'
err_has 'train uploaded .* 3 files, [0-9]* B, 16 copied from another snapshot' 'what did not change is copied inside S3'
manifest
second=$digest
run "$SMPIPE" data list train --local
same "$(awk '{ print $2, $NF }' "$T/out")" "$(echo "$second" | cut -c1-12) now)
$(echo "$first" | cut -c1-12) train" 'data list has both, and knows which is the folder'
run "$SMPIPE" data list --local --json
same "$(json '[.[] | select(.channel == "train" and .whole)] | map("\(.files) \(.current)") | join(",")')" '19 true,19 false' 'as JSON'
run "$SMPIPE" data diff train "$(echo "$first" | cut -c1-8)" "$(echo "$second" | cut -c1-8)" --local --json
same "$(json '[(.added, .removed, .changed | map(.path) | join("+"))] | join(" ")')" 'new empty link+plain' 'two snapshots are compared'
run "$SMPIPE" data diff train 0000 --local
expect 1 'a digest that is none'
said "there is no snapshot '0000'" 'is said'
err_has '^hint: `smpipe data list train --local` shows them' 'with the command that shows those that are'

# --- one channel of several ------------------------------------------------------------------------------------------
cp data/test/iris.csv "$T/test" && cp data/val/iris.csv "$T/val" && echo 1,1,1,1,0 | tee -a data/test/iris.csv >> data/val/iris.csv
run "$SMPIPE" data push val --local --json
expect 0 'data push of one channel'
same "$(json 'map(.channel) | join(" ")')" val 'sends that one'
run "$SMPIPE" data list --local --json
same "$(json 'map(select(.current).channel) | join(" ")')" 'train val' 'and no other'
run "$SMPIPE" data push nosuch --local
expect 2 'a channel that is not there'
said "'nosuch' is no channel of a local folder in smpipe.yaml" 'is said'
cp "$T/test" data/test/iris.csv && cp "$T/val" data/val/iris.csv
cp smpipe.yaml "$T/smpipe.yaml" && sed -i '/^inputs:/,/^$/d' smpipe.yaml
run "$SMPIPE" data push --local
expect 0 'a push with nothing to send'
err_has 'no channel of smpipe.yaml has a local path: nothing to send' 'says so'
cp "$T/smpipe.yaml" smpipe.yaml
mv .smpipe/index "$T/index" && : > .smpipe/index
run "$SMPIPE" data push --local
expect 0 'a push whose index cannot be kept'
err_has 'the next run reads all data again: .*\.smpipe/index' 'says what that means'
rm .smpipe/index && mv "$T/index" .smpipe/index

# --- verify ----------------------------------------------------------------------------------------------------------
run "$SMPIPE" data verify --local
expect 0 'data verify'
same "$(grep -c '^ok ' "$T/out")" "$(wc -l < "$T/out")" 'all are what they were'
run "$SMPIPE" data verify train --deep --local
expect 0 'data verify --deep'
aws s3 cp --quiet "$T/manifest" "${uri}plain"
run "$SMPIPE" data verify train "$second" --local --json
expect 1 'an object that was overwritten'
same "$(json '.[0].ok')" false 'is found'
err_has '^hint: .*manifest .* is deleted, `smpipe data push --local` of the same folder mends it' 'with what can be done'
aws s3 rm --quiet "${uri%/}.json"
push 'a push when that was done'
run "$SMPIPE" data verify train "$second" --deep --local
expect 0 'has mended it'
rm -r "$T/set" && mkdir "$T/set" && echo one > "$T/set/one"
push 'another folder'
third=$(basename "$uri")
object=$(find .smpipe/local/s3 -path "*/objects/*$third/one")
touch -r "$object" "$T/time" && echo two > "$object" && touch -r "$T/time" "$object"
run "$SMPIPE" data verify train "$third" --local
expect 0 'a disk that forgets: S3 still says what it stored'
run "$SMPIPE" data verify train "$third" --deep --local
expect 1 'but --deep reads the bytes'

# --- gc --------------------------------------------------------------------------------------------------------------
aws s3 cp --quiet "$T/manifest" "s3://$bucket/data/data/train/$(printf %064d 0)/half"
aws s3api create-multipart-upload --bucket "$bucket" --key "data/data/train/$(printf %064d 1)/x" > /dev/null
echo mine > "$T/mine" && aws s3 cp --quiet "$T/mine" "s3://$bucket/data/data/train/NOTES.txt"
aws s3 cp --quiet "$T/mine" "s3://$bucket/data/data/train/$third/stray"
run "$SMPIPE" gc --local
expect 0 'gc'
same "$(awk '{ print $1 }' "$T/out")" unused 'takes what no record names, but nothing that is younger than a day'
out_has "^unused  .*/$first/ " 'and never the newest'
older "$(printf %064d 0)" 2
before=$(objects)
older "$second" 2
older stray 2
grep -rl '"initiated":' .smpipe/local/s3 | xargs -d '\n' sed -i 's/"initiated":[0-9]*/"initiated":1700000000/'
run "$SMPIPE" gc --local --json
same "$(json '[.items[].reason] | sort | join(" ")')" 'stray unfinished unused unused upload' 'later more of it'
same "$(objects)" "$before" 'it deletes nothing unasked'
run "$SMPIPE" gc --yes --local
expect 0 'gc --yes'
same "$(aws s3 ls --recursive "s3://$bucket/data/data/train/" | awk '{ print $4 }')" "data/data/train/$third.json
data/data/train/$third/one
data/data/train/NOTES.txt" 'what is of use stays, and what is not ours'
run "$SMPIPE" gc --local
same "$(cat "$T/out")" '' 'a second time there is nothing left'
same "$(aws s3api list-multipart-uploads --bucket "$bucket" --query 'Uploads[].Key' --output text)" None 'not even an upload'

# --- CRC64NVME -------------------------------------------------------------------------------------------------------
sed -i '2s/^/checksum: crc64nvme\n/' smpipe.yaml
rm -r "$T/set" && mkdir "$T/set" && echo one > "$T/set/one" && head -c 70000 /dev/urandom > "$T/set/two"
head -c 40000000 /dev/urandom > "$T/set/big"
commit CRC
run "$SMPIPE" plan --local
out_has 'train → .*, CRC64NVME' 'the plan says which checksum S3 is to keep'
push 'a snapshot with CRC64NVME'
fourth=$(basename "$uri")
kept() { aws s3api head-object --bucket "$bucket" --key "data/data/train/$1" --checksum-mode ENABLED | jq -r '.ChecksumSHA256 // "none"'; }
same "$(kept "$fourth/one") $(kept "$fourth/big")" 'none none' 'S3 keeps no SHA-256 of it'
run "$SMPIPE" data verify train "$fourth" --local
expect 1 'without reading there is no proof'
out_has "^\?    $(echo "$fourth" | cut -c1-12)  train: .*S3 keeps no SHA-256 of 3 of 3 objects, .*--deep" 'which is said'
run "$SMPIPE" data verify train "$fourth" --deep --local
expect 0 'the bytes are right'
# What an earlier run sent is found by its CRC: as if the manifest had not been written any more.
stored_at() { find .smpipe/local/s3 -path "*/objects/*$fourth/*" -type f -printf '%T@ %p\n' | sort; }
before=$(stored_at)
aws s3 rm --quiet "${uri%/}.json"
push 'the same after an interruption'
err_has 'train uploaded .*, 0 files, 0 B' 'sends nothing'
same "$(stored_at)" "$before" 'really'
aws s3 rm --quiet "${uri%/}.json"
aws s3 cp --quiet "$T/set/two" "${uri}two"
head -c 70000 /dev/urandom > "$T/noise" && aws s3 cp --quiet "$T/noise" "${uri}two"
push 'after something else came in between'
err_has 'train uploaded .*, 1 file, 68' 'sends that'
echo more > "$T/set/three"
push 'a changed folder'
err_has 'train uploaded .*, 1 file, 5 B, 3 copied from another snapshot' 'what has a CRC only is copied inside S3, large or small'
run "$SMPIPE" data verify train "$(basename "$uri")" --deep --local
expect 0 'and is right'
same "$(kept "$(basename "$uri")/big" | tail -c 3)" -3 'S3 has computed the SHA-256 of what it copied'
# An index that vouches for what the file is not, as when the kernel hides a change.
python3 - .smpipe/index/train-* "$T/set/big" <<-'END'
	import hashlib, struct, sys
	def sha(b): return hashlib.sha256(b).digest()
	index, big = (open(name, 'rb').read() for name in sys.argv[1:])
	digest = sha(b''.join(sha(big[i:i + (16 << 20)]) for i in range(0, len(big), 16 << 20)))
	assert digest in index
	later = struct.pack('=q', struct.unpack_from('=q', index, 24)[0] + 10 ** 10)
	index = (index[:24] + later + index[32:-32]).replace(digest, digest[::-1])
	open(sys.argv[1], 'wb').write(index + sha(index))
END
run "$SMPIPE" data push --local
expect 1 'an index with a wrong digest'
said "upload channel 'train' .*set/big' changed while it was read$" 'puts no bytes under a name that is not theirs'
push 'the next push'
err_has 'train exists' 'reads what the index was wrong about'
rm "$T/set/big" "$T/set/two" "$T/set/three"
sed -i 2d smpipe.yaml

# --- what cannot be sent ---------------------------------------------------------------------------------------------
ln -s /etc/passwd "$T/set/out"
run "$SMPIPE" data push --local
expect 2 'a link out of the folder'
said "the link 'out' leads out of the data folder" 'is refused in one line'
err_has '^hint: `symlinks: skip` leaves links out' 'with what can be done about it'
sed -i 's|exclude: .*}|symlinks: skip}|' smpipe.yaml
push 'or left out'
: > "$T/set/$(printf 'bad\377name')"
run "$SMPIPE" data push --local
expect 2 'a name that is not UTF-8'
said "the name 'bad.xffname' in" 'is shown'
rm "$T/set/bad"*
: > "$T/set/ONE"
run "$SMPIPE" data push --local
expect 0 'names that differ in case only'
err_has "'ONE' and 'one' differ only in case" 'are a warning'
run "$SMPIPE" data nonsense
expect 2 'an unknown verb'
sed -i 's|symlinks: skip}|include: ["!x"]}|' smpipe.yaml
run "$SMPIPE" data push --local
expect 2 'a pattern that is none'
said "smpipe.yaml:[0-9]+:[0-9]+: the pattern '!x'" 'is shown where it stands'
sed -i 's|include: ."!x".}|symlinks: skip}|' smpipe.yaml

# --- gc and records --------------------------------------------------------------------------------------------------
cat >> smpipe.yaml <<'YAML'
environments:
  shared: {bucket: smpipe-shared-records, data_location: sagemaker-us-east-1-000000000000}
  other: {account: "111111111111", data_location: s3://smpipe-of-others/data}
YAML
line=data/val/$(printf 'new\nline\033[31m')
cp data/val/*.csv "$line"
commit Environments
echo more >> "$line"
run "$SMPIPE" release --local
expect 2 'a change of a tracked file whose name has a line break'
said "differs from commit [0-9a-f]{12}: 'data/val/new.nline.x1b.31m'$" 'is told in one line'
git checkout -q .
run "$SMPIPE" release --local --no-wait --json
expect 0 'a release'
released=$(data_of_record)
echo two > "$T/set/two"
run "$SMPIPE" release -e shared --local --no-wait --json
expect 0 'another one, whose records lie in another bucket'
shared=$(data_of_record)
echo three > "$T/set/three"
push 'a snapshot without a release'
older data/data/ 3
git for-each-ref --format='%(refname)' refs/smpipe | xargs -n 1 git update-ref -d
run "$SMPIPE" gc --local
expect 0 'gc in a clone that knows of no job'
same "$(grep -c -e "$released" -e "$shared" "$T/out")" 0 'keeps what records name, in the bucket of any environment'
out_has "^unused  .*/$third/" 'and nothing else'
record=$(aws s3 ls --recursive s3://smpipe-shared-records/data/records/ | awk '{ print $4 }')
echo broken | aws s3 cp --quiet - "s3://smpipe-shared-records/$record"
run "$SMPIPE" gc --yes --local
[ "$status" -ne 0 ]
ok $? 'a record that cannot be read'
err_has "records of environment 'shared'" 'ends it'
run "$SMPIPE" data verify train "$third" --local
expect 0 'before anything is deleted'
finish
