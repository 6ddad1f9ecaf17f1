#!/bin/sh
# The source archive: the same bytes on every machine, read by everybody else's tar; what is left out, and what is refused.
. "$(dirname "$0")/lib.sh"

project() {
	mkdir -p "$T/$1/src/pkg/sub" "$T/$1/libs/features"
	cd "$T/$1" || exit 1
	cat > smpipe.yaml << 'END'
version: 1
name: packed
role: arn:aws:iam::123456789012:role/x
image: {uri: "registry.example/x@sha256:0000000000000000000000000000000000000000000000000000000000000000"}
source: {source_dir: src, entry_point: train.py, dependencies: [libs/features]}
estimator: {instance_type: ml.m5.large}
END
	echo 'print(1)' > src/train.py
	printf '#!/bin/sh\n' > src/run.sh
	chmod +x src/run.sh
	: > src/pkg/__init__.py
	echo features > libs/features/__init__.py
	git init -q
}
# keys TEXT: the mapping `source` gets these keys more; commits.
keys() {
	sed -i "s|^source: .*|source: {source_dir: src, entry_point: train.py, dependencies: [libs/features], $1}|" smpipe.yaml
	commit keys
}
plan() { run "$SMPIPE" plan --offline --account 123456789012 --region us-east-1 "$@"; }
names() { "$SMPIPE" source list --json | jq -r '.files[].path'; }

# --- one hundred packs of one commit ---
project home
# Several pieces of the compressor; a name that ustar cannot say, one of other letters, a link.
seq 1 200000 > src/pkg/numbers.txt
openssl enc -aes-128-ctr -K 0 -iv 0 -in /bin/busybox -out src/pkg/noise.bin 2> /dev/null
long=src/$(printf 'a%.0s' $(seq 120))/$(printf 'b%.0s' $(seq 130))
mkdir -p "$long"
echo long > "$long/$(printf 'c%.0s' $(seq 200)).py"
echo letters > 'src/ä €.txt'
ln -s ../train.py src/pkg/link.py
git add -A
git -c user.name=a -c user.email=a@example.org commit -qm Start
run "$SMPIPE" source pack -o "$T/first.tar.gz"
expect 0 'source pack'
digest=$(sha256sum < "$T/first.tar.gz")
out_has "sha256 ${digest%% *}" 'it says the digest of the archive'
tree=$(sed -n 's/.*tree //p' "$T/out")
run "$SMPIPE" source pack --json -o "$T/first.tar.gz"
expect 0 'source pack over a file, for programs'
same "$(json '"\(.path) \(.sha256) \(.tree)"')" "$T/first.tar.gz ${digest%% *} $tree" 'says the same'
mkfifo "$T/pipe"
timeout 20 sha256sum "$T/pipe" > "$T/read" &
run timeout 20 "$SMPIPE" source pack -o "$T/pipe"
expect 0 'source pack into a pipe'
wait $!
same "$(cut -d ' ' -f 1 "$T/read")" "${digest%% *}" 'whose reader gets the same bytes'
[ -p "$T/pipe" ]
ok $? 'and which is not replaced'
same "$(names | LC_ALL=C sort | tr '\n' ' ')" "$(names | tr '\n' ' ')" 'the files are sorted by their bytes'

# A file system that gives files in the order of their creation, which others do not.
clones=$(mktemp -d -p "$([ -w /dev/shm ] && echo /dev/shm || echo "$T")" smpipe-pack.XXXXXX)
trap 'rm -rf "$clones"' EXIT
chmod a+rx "$clones"
# clone N: the same commit elsewhere, its files created in another order, with other times and modes that git does not see.
clone() {
	rm -rf "$clones/clone"
	git clone -q --no-checkout "$T/home" "$clones/clone"
	git -C "$clones/clone" ls-files -z --with-tree=HEAD | shuf -z |
		(cd "$clones/clone" && if [ $(($1 % 2)) -eq 0 ]; then git checkout -q; else
			xargs -0 -n 2 git checkout -q HEAD --
		fi)
	find "$clones/clone/src" -type f -exec touch -d "200$(($1 % 10))-0$(($1 % 9 + 1))-11 12:00" {} +
	find "$clones/clone/src" -type f -exec chmod "$([ $(($1 % 2)) -eq 0 ] && echo g+w,o+w || echo g-w,o-w)" {} +
	(cd "$clones/clone" && git update-index -q --refresh)
	[ $(($1 % 3)) -ne 0 ] || git -C "$clones/clone" gc -q
	chmod -R a+rX "$clones/clone"
	find "$clones/clone/src" -printf '%f ' > "$T/order.$1"
	find "$clones/clone/src" -name train.py -printf '%m %TY\n' >> "$T/seen"
}
# One in which letters have another order than bytes, and i is not the small I.
localedef -i tr_TR -f UTF-8 "$T/tr_TR.UTF-8" > "$T/out" 2> "$T/err"
export LOCPATH="$T"
same "$(printf 'a\nB\n' | LC_ALL=tr_TR.UTF-8 sort | tr -d '\n')$(TZ=Asia/Kolkata date +%z)" 'aB+0530' 'there are other locales and zones'
as_user='env'
if [ "$(id -u)" -eq 0 ] && command -v setpriv > /dev/null; then
	as_user='setpriv --reuid=65534 --regid=65534 --clear-groups'
	git config --global safe.directory '*'
	chmod a+rx "$T" "$HOME"
	chmod a+r "$HOME/.gitconfig"
fi
mkdir -m 1777 "$T/drop"
i=0
different=0
for round in 1 2 3 4 5; do
	clone $round
	for zone in UTC Asia/Kolkata Pacific/Kiritimati America/St_Johns Europe/Lisbon; do
		for mask in 022 077; do
			for cpus in 0 0-63; do
				i=$((i + 1))
				locale=$(printf 'C\nC.UTF-8\ntr_TR.UTF-8\nPOSIX\n' | sed -n "$((i % 4 + 1))p")
				who=$as_user
				[ $((i % 3)) -eq 0 ] || who=env
				out=$T/drop/$i.tar.gz
				(cd "$clones/clone" && umask $mask && $who env TZ=$zone LC_ALL="$locale" LANG="$locale" taskset -c $cpus \
					"$SMPIPE" source pack -o "$out" > "$T/out" 2> "$T/err") || cat "$T/err"
				[ "$(sha256sum < "$out")" = "$digest" ] || different=$((different + 1))
				grep -q "tree $tree" "$T/out" || different=$((different + 1))
				rm -f "$out"
			done
		done
	done
done
same "$i $different" '100 0' 'one hundred packs by other zones, locales, masks, users, orders, times and processors give one digest'
[ "$(sort -u "$T"/order.* | wc -l)" -ge 3 ] && [ "$(sort -u "$T/seen" | wc -l)" -ge 5 ]
ok $? 'and orders, modes and times did differ'
unset LOCPATH

# --- readers ---
cd "$T/home" || exit 1
mkdir "$T/want"
cp -r src/. "$T/want"
cp -r libs/features "$T/want"
find "$T/want" -type d -empty -delete
for reader in 'tar -xzf' 'busybox tar -xzf'; do
	rm -rf "$T/got"
	mkdir "$T/got"
	(cd "$T/got" && $reader "$T/first.tar.gz") > "$T/out" 2> "$T/err" && diff -r "$T/want" "$T/got" > "$T/out"
	ok $? "$reader"
done
cat > "$T/read.py" << 'END'
import sys, tarfile
for mode in "r:gz", "r|gz", "r:*", "r|*":
    with tarfile.open(name=sys.argv[1], mode=mode) as t:
        members = [(m.name, m.mode, m.mtime, m.uid, m.gid, m.uname, m.gname, m.type, t.extractfile(m).read() if m.isfile() else m.linkname) for m in t]
    assert [m[0] for m in members] == sorted((m[0] for m in members), key=lambda n: n.encode()), mode
    for name, mode_, mtime, uid, gid, uname, gname, kind, content in members:
        assert (mtime, uid, gid, uname, gname) == (946684800, 0, 0, "", ""), (mode, name)
        assert mode_ == (0o777 if kind == tarfile.SYMTYPE else 0o755 if name == "run.sh" else 0o644), (mode, name)
        if kind == tarfile.REGTYPE:
            assert content == open(sys.argv[2] + "/" + name, "rb").read(), (mode, name)
with tarfile.open(name=sys.argv[1], mode="r:gz") as t:  # as sagemaker-training unpacks it
    t.extractall(path=sys.argv[3])
print(len(members), sum(1 for m in tarfile.open(sys.argv[1]) if m.pax_headers))
END
rm -rf "$T/got"
run /usr/bin/python3 "$T/read.py" "$T/first.tar.gz" "$T/want" "$T/got"
expect 0 "Python's tarfile in every mode, unpacked as sagemaker-training does it"
same "$(cat "$T/out")" "$(names | wc -l) 2" 'pax headers only for the long name and the one of other letters'
diff -r "$T/want" "$T/got" > "$T/out"
ok $? 'with the same files'
[ $(($(stat -c %s "$T/first.tar.gz") * 100)) -le $(($(zcat "$T/first.tar.gz" | gzip -6 | wc -c) * 102)) ]
ok $? 'at most 2 % larger than gzip -6'

# --- the plan, and the command ---
plan
expect 0 'plan'
same "$(grep -A1 '^  source' "$T/out" | tail -n 1 | sed 's/^ *//')" "$(stat -c %s src/pkg/noise.bin src/pkg/numbers.txt | sort -n | tail -n 1 |
	awk '{ printf "%.1f MiB", $1 / 1048576 }')  pkg/n$([ "$(stat -c %s src/pkg/noise.bin)" -gt "$(stat -c %s src/pkg/numbers.txt)" ] && echo oise.bin || echo umbers.txt)" \
	'it shows the biggest file first'
run "$SMPIPE" source
expect 0 'source'
out_has " features/__init__\.py$" 'lists a dependency beside the entry point'
out_has "tree $tree\$" 'and the tree digest'
echo 'print(2)' > src/train.py
echo new > src/new.py
run "$SMPIPE" source list
out_has '^M .* train\.py$' 'what differs from the commit is marked'
! grep -q new.py "$T/out"
ok $? 'what git does not track is left out'
run sh -c "'$SMPIPE' source pack -o - | tar -xzOf - train.py"
out_has 'print\(2\)' 'pack -o - writes to standard output'
git checkout -q src
rm src/new.py
mkfifo "$T/pipe"
ln -s linked.tar.gz "$T/link.tar.gz"
tar -tzf - < "$T/pipe" > "$T/through" &
reader=$!
run timeout 20 "$SMPIPE" source pack -o "$T/pipe"
expect 0 'to a pipe'
wait $reader
grep -qx train.py "$T/through"
ok $? 'it writes into the pipe'
run "$SMPIPE" source pack -o "$T/link.tar.gz"
expect 0 'to a link'
[ -p "$T/pipe" ] && [ -h "$T/link.tar.gz" ] && [ -s "$T/linked.tar.gz" ]
ok $? 'and replaces neither'
run "$SMPIPE" source pack -o "$T/absent/x.tar.gz"
expect 1 'a folder that is not there'
run "$SMPIPE" source unpack
expect 2 'another verb'
[ ! -e sourcedir.tar.gz ]
ok $? 'nothing was left behind'

# --- what is left out ---
project chosen
mkdir -p src/tests src/pkg/tests src/built
echo t > src/tests/a.py
echo t > src/pkg/tests/b.py
echo keep > src/tests/data.json
echo '*' > src/built/.gitignore
git add -f src/built/.gitignore
echo b > src/built/b.so
head -c 2097152 /dev/zero > src/pkg/weights.bin
keys 'exclude: ["**/tests", "!**/tests/*.json", "src/pkg/*.bin"]'
same "$(names | tr '\n' ' ')" 'built/.gitignore features/__init__.py pkg/__init__.py run.sh tests/data.json train.py ' 'exclude leaves out by pattern'
keys 'exclude: ["**/tests", "src/pkg"], include: [src/built, src/pkg/tests/b.py]'
same "$(names | tr '\n' ' ')" 'built/.gitignore built/b.so features/__init__.py pkg/tests/b.py run.sh train.py ' 'include wins'
run "$SMPIPE" source list
out_has '^\? .* built/b\.so$' 'what git does not track is marked'
keys 'exclude: [src/train.py]'
run "$SMPIPE" source list
expect 2 'the entry point excluded'
said "'src/train.py' is not among the files" 'is named'

# --- what is refused ---
keys 'max_size: 1'
for command in 'plan --offline --account 123456789012 --region us-east-1' 'source pack'; do
	# shellcheck disable=SC2086
	run "$SMPIPE" $command
	expect 2 "$command above max_size"
	said "2\.0 MiB, more than source.max_size \(1\.0 MiB\); biggest: 'pkg/weights\.bin' 2\.0 MiB" 'it names the biggest file'
	err_has '^hint: .*source\.exclude.*source\.max_size' 'and what to do'
done
keys 'max_size: 1, exclude: ["*/*/weights.bin"]'
run "$SMPIPE" source list
expect 0 'without it'
mkdir -p other/features
echo o > other/features/x.py
sed -i 's|dependencies: .*|dependencies: [libs/features, other/features], max_size: 8}|' smpipe.yaml
commit twice
run "$SMPIPE" source list
expect 2 'two dependencies of one name'
said "'libs/features' and the dependency 'other/features' would both be 'features'" 'both are named'
sed -i 's|dependencies: .*|files: all}|' smpipe.yaml
commit all
mkfifo src/pipe
run timeout 10 "$SMPIPE" source list
[ "$status" -ne 0 ] && [ "$status" -ne 124 ]
ok $? 'a FIFO'
said "src/pipe'" 'is named'
rm src/pipe
echo x > "src/$(printf 'new\nline')"
run "$SMPIPE" source list
expect 2 'a name with a line break'
said "'new.?line'" 'is shown'
rm src/new*
echo x > "src/$(printf 'latin\344')"
run "$SMPIPE" source list
expect 2 'a name that is not UTF-8'
said "'latin" 'is shown'
err_has '^hint: .*source.exclude' 'with a hint'
rm src/latin*
sed -i 's|^source: .*|source: {source_dir: "s3://bucket/code/sourcedir.tar.gz", entry_point: train.py}|' smpipe.yaml
run "$SMPIPE" source list
expect 2 'code that lies in S3'
said 'packs no code' 'is not packed'
plan
out_has '^  source  use       s3://bucket/code/sourcedir\.tar\.gz$' 'the plan uses it as it is'
finish
