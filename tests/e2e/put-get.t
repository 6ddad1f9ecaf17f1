#!/bin/sh
# What put and get are asked to do by people who try things: outside a project, onto what is no file, without a bucket.
. "$(dirname "$0")/lib.sh"

mkdir "$T/here" && cd "$T/here" || exit 1
clouds=" $T/here"
echo words > file

# --- outside a project -----------------------------------------------------------------------------------------------
run "$SMPIPE" put --local file s3://bucket/key
expect 1 'outside a project the local cloud is that of the folder'
said "404 NoSuchBucket: .*'bucket'" 'which has no bucket yet'
err_has '^hint: put makes no bucket' 'and put does not make it'
use_cloud
aws s3 mb s3://bucket > "$T/mb"
run "$SMPIPE" put --local file s3://bucket/key
expect 0 'a file is sent to it'
run "$SMPIPE" get --local s3://bucket/key back
expect 0 'and fetched'
same "$(cat back)" words 'as it was'
run "$SMPIPE" local up --dir .smpipe/local
err_has 'eval "..smpipe local env --dir .smpipe/local."' 'what other clients are told names the same cloud'

# --- a name that is no object ----------------------------------------------------------------------------------------
mkdir -p tree/below && echo 1 > tree/one && echo 2 > tree/below/two
run "$SMPIPE" put tree s3://bucket/tree
expect 0 'a folder is sent'
run "$SMPIPE" get s3://bucket/tree copy
expect 1 'the name of a folder is no key'
said "there is no object 's3://bucket/tree', or no such bucket" 'and the error says what is missing'
err_has "^hint: .*: s3://bucket/tree/\$" 'and how a folder is named'
run "$SMPIPE" get s3://bucket/tree
expect 2 'nor is a folder of that name replaced'
err_has "^hint: .*: s3://bucket/tree/\$" 'and the hint is the same'
run "$SMPIPE" get s3://bucket/tree/ fetched
expect 0 'so all below it is fetched'
run diff -r tree fetched
expect 0 'whole'

# --- two at once to one key ------------------------------------------------------------------------------------------
for i in 1 2; do
	head -c 67108864 /dev/urandom > "big$i"
done
for i in 1 2 3; do
	"$SMPIPE" put big1 s3://bucket/big 2> "$T/first.err" &
	first=$!
	run "$SMPIPE" put big2 s3://bucket/big
	expect 0 'of two files on their way to one key the second arrives'
	wait $first
	ok $? 'and so does the first'
	"$SMPIPE" get s3://bucket/big fetched-big 2> "$T/get.err"
	cmp -s fetched-big big1 || cmp -s fetched-big big2
	ok $? 'and there is one of them, whole'
	rm -f fetched-big
done
same "$(aws s3api list-multipart-uploads --bucket bucket --query 'Uploads[].Key' --output text)" None 'no parts stay'

# --- a path that is none ---------------------------------------------------------------------------------------------
run "$SMPIPE" put file/ s3://bucket/key
expect 2 'a file is no folder'
said "the data path 'file/': 'file' is a file, not a folder" 'which is said'
run "$SMPIPE" put '~/file' s3://bucket/key
expect 2 'nobody but a shell knows ~'
err_has '^hint: only a shell makes the home folder of `~`' 'which the hint says'

# --- checksums ------------------------------------------------------------------------------------------------------
head -c 20000000 /dev/urandom > parts
aws s3 cp --no-progress file s3://bucket/aws/one > "$T/cp" && aws s3 cp --no-progress parts s3://bucket/aws/parts > "$T/cp" &&
	aws s3 cp --no-progress s3://bucket/aws/parts s3://bucket/aws/copy > "$T/cp"
run "$SMPIPE" get s3://bucket/aws/ of-aws
expect 0 'what awscli put without a checksum, in one piece, in parts or copied, is fetched'
err_lacks 'could not be checked' 'and checked: S3 makes one unasked'
id=$(aws s3api create-multipart-upload --bucket bucket --key other --checksum-algorithm SHA256 --query UploadId --output text)
head -c 20971520 big1 > part1 && tail -c 10485760 big1 > part2
for i in 1 2; do
	aws s3api upload-part --bucket bucket --key other --upload-id "$id" --part-number $i --body part$i \
		--checksum-algorithm SHA256 | jq -c "{PartNumber: $i, ETag, ChecksumSHA256}"
done | jq -s '{Parts: .}' > parts.json
aws s3api complete-multipart-upload --bucket bucket --key other --upload-id "$id" --multipart-upload file://parts.json > "$T/complete"
run "$SMPIPE" get s3://bucket/other
expect 0 'what another put in as many parts, but others, is fetched'
err_has '1 of 1 files could not be checked' 'and that it cannot be checked is told'
cat part1 part2 | cmp -s - other
ok $? 'whole'
rm .smpipe/local/s3/bucket/meta/aws/one*
run "$SMPIPE" get s3://bucket/aws/ of-aws
err_has '1 of 3 files could not be checked' 'what it keeps none of is told'

# --- what a get that was cut off left, put ---
left=".smpipe-get-$(printf big | sha256sum | cut -c 1-16)"
for folder in leftover leftover/below; do
	mkdir -p "$folder" && echo big > "$folder/big" && echo other > "$folder/$left"
	run "$SMPIPE" put leftover s3://bucket/leftover/
	run "$SMPIPE" get s3://bucket/leftover/ from-leftover
	expect 1 "an object with the name of another's temporary file is not fetched beside that"
	said "the key 'leftover/.*$left' has a name that get gives to what it has not finished" 'which is said'
	err_has '^hint: delete that object' 'with what can be done'
	[ ! -e from-leftover ]
	ok $? 'and nothing is fetched'
	aws s3 rm --quiet "s3://bucket/$folder/$left" && rm "$folder/$left"
done
run "$SMPIPE" get s3://bucket/leftover/ from-leftover
expect 0 'without it the others are'

# --- links -----------------------------------------------------------------------------------------------------------
ln -s ../file tree/out
run "$SMPIPE" put tree s3://bucket/links/
expect 2 'a link out of the folder is not followed'
err_has '^hint: `--symlinks skip` leaves links out' 'and there is a way round it'
run "$SMPIPE" put --symlinks skip tree s3://bucket/links/
expect 0 'which sends the rest'
same "$(aws s3 ls --recursive s3://bucket/links/ | awk '{ print $4 }' | tr '\n' ' ')" 'links/below/two links/one ' 'and no more'
run "$SMPIPE" put --symlinks follow tree s3://bucket/links/
expect 2 'there is no other'
said "symlinks is inside, skip or error, not 'follow'" 'which is said'

# --- two at once, and a name of 255 bytes ----------------------------------------------------------------------------
long=$(printf 'n%.0s' $(seq 255))
mkdir names && echo long > "names/$long" && echo short > names/short && head -c 90000000 /dev/urandom > names/large
run "$SMPIPE" put names s3://bucket/names/
expect 0 'a name of 255 bytes is sent'
run "$SMPIPE" get s3://bucket/names/ again
expect 0 'and fetched with all beside it'
"$SMPIPE" get s3://bucket/names/ twice > "$T/out.a" 2> "$T/err.a" &
a=$!
run "$SMPIPE" get s3://bucket/names/ twice
wait $a
ends="$? $status"
case $ends in '0 0' | '0 1' | '1 0') true ;; *) false ;; esac
ok $? "of two into one folder one goes through ($ends)"
same "$(cat "$T/err.a" "$T/err" | grep '^smpipe: ' | grep -vc "is being fetched by another process")" 0 'the other says why not'
same "$(diff -r names twice && diff -r names again && echo same)" same 'and all is there, and nothing else'
mkfifo held.go
: > "again/.smpipe-get-$(printf short | sha256sum | cut -c 1-16)"
flock "again/.smpipe-get-$(printf short | sha256sum | cut -c 1-16)" sh -c 'echo > held.go; cat held.go > /dev/null' &
cat held.go > /dev/null
run "$SMPIPE" get s3://bucket/names/short again/short
expect 1 'what another process fetches is left alone'
said "^smpipe: 'again/short' is being fetched by another process\$" 'in one line'
echo > held.go
wait $!
run "$SMPIPE" get s3://bucket/names/short again/short
expect 0 'until that one has ended'

# --- a target that is no file ----------------------------------------------------------------------------------------
mkfifo pipe
run "$SMPIPE" get s3://bucket/key pipe
expect 2 'a pipe is no target'
said "'pipe' exists, and is no file" 'which is said before anything is fetched'
[ -p pipe ]
ok $? 'and stays a pipe'
run "$SMPIPE" get s3://bucket/key -
expect 2 'nor is standard output'
[ ! -e ./- ]
ok $? 'and no file of that name appears'
mkdir -p folder/key
run "$SMPIPE" get s3://bucket/key folder
expect 2 'nor is a folder where the file would be'
said "'folder/key' exists, and is no file" 'likewise'

# --- what each verb does ---------------------------------------------------------------------------------------------
for verb in list push diff verify gc; do
	run "$SMPIPE" help data
	out_has "^  $verb " "the help tells what data $verb does"
done
for verb in up env down serve; do
	run "$SMPIPE" local --help
	out_has "^  $verb " "and what local $verb does"
done

finish
