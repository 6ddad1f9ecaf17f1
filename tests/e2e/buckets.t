#!/bin/sh
# Buckets that are elsewhere, another's or not there, what cannot be sent, and keys that want to lead out of the target:
# each gets one line and its exit code, and nothing is half there.
. "$(dirname "$0")/lib.sh"

use_empty_cloud
cd "$T" || exit 1
aws s3 mb s3://near-by > /dev/null
aws s3 mb s3://far-away --region eu-west-1 > /dev/null

# count_keys BUCKET
count_keys() { aws s3api list-objects-v2 --bucket "$1" | jq '.Contents // [] | length' | grep . || echo 0; }

# --- another region ---
mkdir many
for i in $(seq 40); do echo "file $i" > many/$i; done
head -c 20000000 /dev/urandom > many/large
run "$SMPIPE" put many s3://far-away/many/
expect 0 'a bucket in another region is found'
aws s3 cp --quiet --recursive s3://far-away/many judge
same "$(diff -r many judge && echo same)" same 'aws reads back the same'
run "$SMPIPE" get s3://far-away/many/ back
expect 0 'and all is fetched from there'
same "$(diff -r many back && echo same)" same 'the same'
AWS_REGION=cn-north-1 AWS_DEFAULT_REGION=cn-north-1 run "$SMPIPE" put many/1 s3://far-away/x
expect 2 'it is not followed into another partition'
said "bucket 'far-away' is in region 'eu-west-1', not in 'cn-north-1'" 'in one line'

# --- another account, no bucket, wrong credentials ---
run "$SMPIPE" put many s3://near-by/x --account 999999999999
expect 5 'a bucket of another account'
said "s3:PutObject on arn:aws:s3:::near-by/x/[0-9a-z]+ is not allowed, or bucket 'near-by' belongs to another account than 999999999999: .* 403 AccessDenied" \
	'in one line that names the permission'
mkdir denied
echo x > "denied/$(printf 'new\nli\033[31mne')"
run "$SMPIPE" put denied s3://near-by/x --account 999999999999
said "s3:PutObject on arn:aws:s3:::near-by/x/new.li..31mne is not allowed, .*another account than 999999999999" \
	'in one line, even where a name has two'
same "$(wc -l < "$T/err")" 2 'that and a hint'
err_has '^hint: .* --account of put' 'that says how'
run "$SMPIPE" get s3://far-away/many/1 x --account 999999999999
expect 5 'nor is it read'
said "s3:GetObject on arn:aws:s3:::far-away/many/1 is not allowed, or there is no such object and s3:ListBucket is not allowed, or .* another account than 999999999999" \
	'in one line'
same "$(ls -A | grep -c '^\.*x')" 0 'no file, nor the beginning of one'
run "$SMPIPE" get s3://far-away/many/large x/ --account 999999999999
expect 5 'nor a large one'
same "$(ls -A x | wc -l)" 0 'without a trace'
run "$SMPIPE" get s3://far-away/many/none
expect 1 'an object that is not there'
said "there is no such object, or no such bucket: HeadObject 's3://far-away/many/none': 404" 'in one line'
mkfifo pipe
ln -s /dev/full link
for target in pipe link; do
	run "$SMPIPE" get s3://far-away/many/1 $target
	expect 2 "a target that is no file: $target"
	said "'$target' exists, and is no file that could be replaced" 'in one line'
done
[ -p pipe ] && [ -h link ]
ok $? 'stays what it is'
run "$SMPIPE" get s3://near-by/many/ y --account 999999999999
expect 5 'nor listed'
said 's3:ListBucket on arn:aws:s3:::near-by is not allowed' 'in one line'
same "$(count_keys near-by)" 0 'nothing is there'
run "$SMPIPE" put many s3://near-by/x --account 99
expect 2 'an account has twelve digits'
run "$SMPIPE" put many/1 s3://not-there/x
expect 1 'no such bucket'
said "PutObject 's3://not-there/x': 404 NoSuchBucket" 'in one line'
AWS_SECRET_ACCESS_KEY=wrong run "$SMPIPE" put many/1 s3://near-by/x
expect 5 'a wrong secret'
said 'SignatureDoesNotMatch' 'in one line'

# --- the bucket of a project ---
new_project iris
cat > "$T/iris/data/val/more" < /dev/null
standard=sagemaker-us-east-1-$(aws sts get-caller-identity | jq -r .Account)
run "$SMPIPE" data push
expect 1 'the default bucket is not made in silence'
said "bucket '$standard' does not exist" 'in one line'
err_has '^hint: .*create_bucket: true' 'with a hint'
run aws s3api head-bucket --bucket "$standard"
[ "$status" -ne 0 ]
ok $? 'and is not there'
cp smpipe.yaml "$T/yaml"
echo 'bucket: far-away' >> smpipe.yaml
echo 'role: arn:aws:iam::000000000000:role/Trainer' >> smpipe.yaml
run "$SMPIPE" release --allow-dirty
expect 2 'a job reads no bucket of another region'
said "bucket 'far-away' is in region 'eu-west-1', and a job in 'us-east-1' reads and writes only buckets of its own" \
	'in one line'
err_has '^hint: name a bucket of .us-east-1., or set .region: eu-west-1.' 'with what to do'
same "$(aws s3 ls s3://far-away/iris/ | wc -l)" 0 'and nothing was sent'
run "$SMPIPE" data push
expect 0 'data alone go to where the bucket is'
err_has "bucket 'far-away' is in region 'eu-west-1', and a job in 'us-east-1' reads" 'with a warning'
run "$SMPIPE" data verify --deep
expect 0 'and are there'
AWS_REGION=cn-north-1 AWS_DEFAULT_REGION=cn-north-1 run "$SMPIPE" data push
expect 2 'but not in another partition'
said "bucket 'far-away' is in region 'eu-west-1', not in 'cn-north-1'" 'in one line'
cp "$T/yaml" smpipe.yaml
echo 'create_bucket: true' >> smpipe.yaml
run "$SMPIPE" data push
expect 0 'the default bucket is made when that is allowed'
run aws s3api get-public-access-block --bucket "$standard"
same "$(json '.PublicAccessBlockConfiguration | to_entries | map(.value) | unique | tostring') $(json '.PublicAccessBlockConfiguration | length')" \
	'[true] 4' 'closed to the public'
run aws s3api get-bucket-encryption --bucket "$standard"
same "$(json '.ServerSideEncryptionConfiguration.Rules[0].ApplyServerSideEncryptionByDefault.SSEAlgorithm')" AES256 'and encrypted'
before=$(count_keys "$standard")
printf 'bucket_owner: "999999999999"\n' >> smpipe.yaml
echo new > data/val/more
run "$SMPIPE" data push
expect 5 "the default bucket counts only if it is ours"
said "s3:ListBucket on arn:aws:s3:::$standard is not allowed, or bucket '$standard' belongs to another account than 999999999999" 'in one line'
same "$(count_keys "$standard")" "$before" 'nothing is sent'
cd "$T" || exit 1

# --- what cannot be sent ---
# unsent STATUS PATTERN WORDS PATH: put ends so, in one line, and has sent nothing.
unsent() {
	run "$SMPIPE" put "$4" s3://near-by/bad/
	expect "$1" "$3"
	said "$2" "$3: in one line"
	same "$(count_keys near-by)" 0 "$3: nothing is sent"
}
mkdir bad
unsent 2 "'bad' holds no file" 'an empty folder' bad
echo good > bad/good
unsent 2 "'none' does not exist" 'no such path' none
mkfifo bad/pipe
unsent 2 "'pipe'.* neither a file nor a folder" 'a FIFO in a folder' bad
unsent 2 "pipe'.* neither a file nor a folder" 'a FIFO' bad/pipe
rm bad/pipe
unsent 2 "/dev/null'.* neither a file nor a folder" 'a device' /dev/null
ln -s /etc/passwd bad/link
unsent 2 "link 'link' leads out of" 'a link out of the folder' bad
rm bad/link
ln -s . bad/loop
unsent 2 "'loop" 'a loop of folders' bad
rm bad/loop
ln -s self bad/self
unsent 2 "'self'" 'a link to itself' bad
rm bad/self
: > "bad/$(printf 'a\377b')"
unsent 2 'a\\xffb|a\\377b' 'a name that is no UTF-8' bad
rm bad/a*
deep=bad/$(printf '%0200d/%0200d/%0200d/%0200d/%0200d' 1 2 3 4 5)
mkdir -p "$deep"
echo x > "$deep/0123456789012345678901"
unsent 2 "the name '.*/0123456789012345678901' in 'bad' is too long for S3" 'a key that is too long' bad
rm -r bad/0*
deep=bad/$(printf '%0200d/%0200d' 1 2)
mkdir -p "$deep"
echo x > "$deep/0123456789012345678901"
run "$SMPIPE" put bad "s3://near-by/$(printf '%0200d/%0200d/%0200d' 1 2 3)/"
expect 2 'a key that its prefix makes too long'
said "would be longer than S3's 1024 bytes" 'in one line'
same "$(count_keys near-by)" 0 'nothing is sent'
rm -r bad/0*
run "$SMPIPE" put bad/good "s3://near-by/$(printf '%01025d' 1)"
expect 2 'a key that is too long by itself'
said 'the key is longer than 1024 bytes' 'in one line'
if [ "$(id -u)" = 0 ] && command -v setpriv > /dev/null; then
	echo secret > bad/mine
	chmod 0600 bad/mine
	mkdir bad/closed home2
	chmod 0700 bad/closed
	chmod 0755 "$T"
	chown 65534 home2
	as_nobody() { HOME=$T/home2 run setpriv --reuid 65534 --regid 65534 --clear-groups "$@"; }
	as_nobody "$SMPIPE" put bad s3://near-by/bad/
	[ "$status" -ne 0 ]
	ok $? 'a folder that may not be read'
	said "closed'?.*Permission denied" 'in one line'
	rmdir bad/closed
	as_nobody "$SMPIPE" put bad s3://near-by/bad/
	[ "$status" -ne 0 ]
	ok $? 'a file that may not be read'
	said "mine'?.*Permission denied" 'in one line'
	rm bad/mine
else
	skip 'a file that may not be read needs root and setpriv'
fi

# --- keys that are no files ---
aws s3 mb s3://hostile > /dev/null
# refused_key PATTERN WORDS KEY …: `get` of a prefix with these keys fetches nothing, in one line.
refused_key() {
	pattern=$1
	words=$2
	shift 2
	for key in "$@"; do
		aws s3api put-object --bucket hostile --key "in/$key" --body bad/good > "$T/out" 2> "$T/err" || ok 1 "$words: the key is there"
	done
	mkdir -p target/below
	run "$SMPIPE" get s3://hostile/in/ target/below
	expect 1 "$words"
	said "$pattern" "$words: in one line"
	same "$(find target -type f | wc -l) $(find . -name evil ! -path './cloud/*' | wc -l)" '0 0' "$words: nothing is fetched"
	aws s3 rm --quiet --recursive s3://hostile/in
	rm -rf target
}
unsafe='no name that a file can have'
refused_key "$unsafe" 'a key with ..' ../evil good
refused_key "$unsafe" 'a key with .. in it' good a/../../../evil
refused_key "$unsafe" 'an absolute key' /tmp/evil
refused_key "$unsafe" 'an empty part' a//evil
refused_key "key 'a' is a file and a folder" 'a file that is a folder' a a-b a/evil a0
refused_key "key 'a/b' is a file and a folder" 'a file that is a folder, deeper' a/b a/b.c a/b/c/evil

esc=$(printf '\033')
for key in a A b/ b/c 'x y+%' ä "c$esc[31m"; do
	aws s3api put-object --bucket hostile --key "in/$key" --body bad/good > "$T/out"
done
aws s3api put-object --bucket hostile --key in/ > "$T/out"
run "$SMPIPE" get s3://hostile/in/ twins
expect 0 'twins in case, markers of folders and odd names are fetched'
same "$(find twins -type f | LC_ALL=C sort | tr '\n' ' ')" "twins/A twins/a twins/b/c twins/c$esc[31m twins/x y+% twins/ä " \
	'each as a file of its own'
run "$SMPIPE" get "s3://hostile/in/" twins --json
! grep -q "$esc" "$T/out" "$T/err"
ok $? 'no escape sequence reaches the terminal'
refused_key "file and a folder" 'control characters in a refusal' "c$esc[31m/x" "c$esc[31m"
! grep -q "$esc" "$T/err"
ok $? 'nor by a refusal'
aws s3api put-object --bucket hostile --key 'up/..' --body bad/good > "$T/out"
run "$SMPIPE" get s3://hostile/up/..
expect 2 'a key is no name by itself'
aws s3api put-object --bucket hostile --key 'up/../x' --body bad/good > "$T/out"
run "$SMPIPE" get s3://hostile/up/../
expect 2 'nor a prefix'
[ ! -e ../x ]
ok $? 'nothing is outside'

# --- what is not what it was ---
run "$SMPIPE" put many s3://hostile/sum/
for name in 7 large; do
	stored=$local/s3/hostile/objects/sum/$name
	touch -r "$stored" stamp
	printf X | dd of="$stored" bs=1 seek=3 conv=notrunc 2> /dev/null
	touch -r stamp "$stored"
	run "$SMPIPE" get "s3://hostile/sum/$name" "got-$name"
	expect 1 'bytes with another checksum than the stored one'
	said "GetObject 's3://hostile/sum/$name': the bytes do not have the checksum that S3 stored" 'in one line'
	same "$(find . -maxdepth 1 -name "*got-$name*" | wc -l)" 0 'no file'
done

# --- a service that lies ---
/usr/bin/python3 "$ROOT/tests/e2e/hostile.py" "$T/hostile-url" > "$T/hostile.log" 2>&1 &
hostile=$!
trap 'kill $hostile 2> /dev/null' EXIT
wait_for "$T/hostile-url" http
AWS_ENDPOINT_URL=$(cat "$T/hostile-url")
mkdir lies
cd lies || exit 1
# lied STATUS PATTERN OPERAND WORDS: get ends so, in one line, and writes no file.
lied() {
	run "$SMPIPE" get "$3"
	expect "$1" "$4"
	said "$2" "$4: in one line"
	same "$(find "$T/lies" -type f | wc -l) $(find "$T" -name evil ! -path "$T/cloud/*" | wc -l)" '0 0' "$4: no file"
}
lied 1 "list 's3://bucket/outside/': an entry of the list has no proper key" s3://bucket/outside/ 'a listed key that was not asked for'
lied 1 "list 's3://bucket/short/': an entry of the list has no proper key" s3://bucket/short/ 'one that is shorter than the prefix'
lied 1 "the key 'a' is listed twice" s3://bucket/twice/ 'a key twice'
lied 1 'no name that a file can have' s3://bucket/encoded/ 'dots that are encoded'
lied 2 "'\.\.' is no name for a file" up 'a model above its place'
lied 2 "'/etc/passwd' is no S3 URI" absolute 'a model that is a path'
lied 2 "'https://evil.example/model.tar.gz' is no S3 URI" other 'a model elsewhere'
lied 2 'control character in the key' line 'a model with a line break'
lied 2 "bucket 'bucket' is in region 'evil.example/x\?', not in 'us-east-1'" s3://bucket/moved 'a redirect to no region'
cd "$T" || exit 1

finish
