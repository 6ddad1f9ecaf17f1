#!/bin/sh
# What a user can get wrong, and what the machine can: each gets one line that names the thing, its exit code, and leaves
# nothing half done.
. "$(dirname "$0")/lib.sh"

esc=$(printf '\033')

# refused STATUS PATTERN WORDS [OPTION …]: release --local ends so, and says it in one line. Hints and quoted source lines
# are not counted.
refused() {
	want=$1
	pattern=$2
	words=$3
	shift 3
	run "$SMPIPE" release --local "$@"
	expect "$want" "$words"
	same "$(grep '^smpipe: ' "$T/err" | grep -Ec -- "$pattern")" 1 "$words: said in one line"
	! grep -q "$esc" "$T/err" "$T/out"
	[ $? -eq 0 ] || ok 1 "$words: an escape sequence reaches the terminal"
}

# untouched WORDS: no state, no cloud, no record.
untouched() {
	[ ! -e .smpipe ] && [ -z "$(git for-each-ref refs/smpipe refs/notes 2> /dev/null)" ]
	ok $? "$1: nothing was touched"
}

# wrong STATUS PATTERN WORDS: refused before anything was touched.
wrong() {
	refused "$@"
	untouched "$3"
}

# jobs and tags of the project's cloud.
count_jobs() { find .smpipe/local/jobs -name job.json 2> /dev/null | wc -l | tr -d ' '; }
count_tags() { find .smpipe/local/ecr -path '*/tags/*' 2> /dev/null | wc -l | tr -d ' '; }

# with_yaml SED-SCRIPT …: like wrong, with a changed smpipe.yaml.
with_yaml() {
	cp smpipe.yaml "$T/yaml"
	sed -i "$1" smpipe.yaml
	shift
	wrong "$@"
	cp "$T/yaml" smpipe.yaml
}

mkdir "$T/empty"
cd "$T/empty" || exit 1
wrong 2 'no smpipe.yaml' 'no smpipe.yaml'

new_project iris
with_yaml 's/instance_type/instance_typ/' 2 "smpipe.yaml:[0-9]+:3: unknown key 'instance_typ'.*did you mean 'instance_type'" 'an unknown key'
err_has '^ *\| +\^' 'with a caret under it'
with_yaml 's/instance_count: 1/instance_count: many/' 2 "smpipe.yaml:[0-9]+:19: 'estimator.instance_count' is 'many'; it must be a whole number" 'a wrong type'
with_yaml 's/^name: .*/&\nname: other/' 2 'smpipe.yaml:4:1: .*twice' 'a duplicate key'
with_yaml 's/dockerfile: Dockerfile/dockerfile: Nope/' 2 "smpipe.yaml.*'Nope'|'Nope'" 'a missing Dockerfile'
mkdir data/empty
with_yaml 's,val: data/val,val: data/empty,' 2 "data/empty' holds no file" 'an empty channel folder'
with_yaml 's,val: data/val,val: .,' 2 "channel 'val': the data folder '.' holds the project itself" 'a channel folder with the project in it'
with_yaml 's,val: data/val,val: data/none,' 2 "data/none' does not exist" 'no channel folder'
mkfifo data/empty/pipe
with_yaml 's,val: data/val,val: data/empty,' 2 "'pipe'.* neither a file nor a folder" 'a FIFO among the data'
rm data/empty/pipe
ln -s /etc/passwd data/empty/link
with_yaml 's,val: data/val,val: data/empty,' 2 "link 'link' leads out of" 'a link out of the data'
rm data/empty/link
: > "data/empty/$(printf 'a\377b')"
with_yaml 's,val: data/val,val: data/empty,' 2 "name 'a.xffb' in .* is not UTF-8" 'a data file whose name is not UTF-8'
rm -r data/empty

# YAML's own traps.
with_yaml 's/^name: .*/name: \&a x\nregion: *a/' 2 'smpipe.yaml:[0-9]+:[0-9]+: .*(alias|anchor)' 'an alias'
with_yaml 's/^  dockerfile/\tdockerfile/' 2 'smpipe.yaml:[0-9]+:[0-9]+: .*' 'a tab'
with_yaml 'd' 2 'smpipe.yaml.*empty|smpipe.yaml has no' 'an empty file'
with_yaml 's/^name: .*/name: "a\x00b"/' 2 'NUL' 'a NUL character'
with_yaml 's/^name: .*/name: "a\\0b"/' 2 'NUL' 'an escaped NUL character'
sed -i 's,^  dockerfile.*,  uri: name::latest,' smpipe.yaml
run "$SMPIPE" plan --offline --account 123456789012 --region eu-west-1
expect 2 'an image URI with two colons'
same "$(sed -n '2,3p' "$T/err")" "$(printf '    7 |   uri: name::latest\n      |             ^')" 'has a caret under the second one'
untouched 'an image URI with two colons'
git checkout -q .
cp smpipe.yaml "$T/whole"
head -c 2097152 /dev/zero | tr '\0' '#' >> smpipe.yaml
wrong 2 'smpipe.yaml.*larger than' 'a file of 2 MiB'
{ cat "$T/whole"; echo 'tags:'; i=0; while [ $i -lt 200 ]; do printf '['; i=$((i + 1)); done; echo; } > smpipe.yaml
wrong 2 'smpipe.yaml:[0-9]+:[0-9]+: ' 'a file nested too deeply'
{ sed 's/lr: 0.5/lr: [[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[1]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]/' "$T/whole"; } > smpipe.yaml
wrong 2 'smpipe.yaml:[0-9]+:[0-9]+: .*deep' 'a hyperparameter nested too deeply'
sed 's/$/\r/' "$T/whole" > smpipe.yaml
run "$SMPIPE" config
expect 0 'a file with CR LF is read'
cp "$T/whole" smpipe.yaml

# Git.
echo 'int changed;' >> src/main.c
sed -i 's/include: .*/include: [train, src]/' smpipe.yaml
wrong 2 "differs from commit [0-9a-f]{12}: .*'smpipe.yaml'" 'a dirty work tree'
err_has '^hint: .*--allow-dirty' 'with a hint'
git checkout -q .
mv .git "$T/git"
wrong 2 'lies in no git repository' 'no git repository'
git init -q
wrong 2 'has no commit yet' 'an unborn HEAD'
rm -rf .git
mv "$T/git" .git
if [ "$(id -u)" = 0 ]; then
	chown -R 65534 .
	wrong 2 'belongs to another user' "another user's repository"
	err_has '^hint: .*git config --global --add safe.directory' 'with the command'
	git config --global --add safe.directory "$PWD"
	run "$SMPIPE" plan --offline --account 123456789012 --region eu-west-1 --json
	err_lacks 'another user' 'which helps'
	git config --global --unset-all safe.directory
	chown -R 0 .
else
	skip "another user's repository needs root"
fi

# The image.
cp Dockerfile "$T/Dockerfile"
echo x > model.bin
echo 'COPY model.bin /model.bin' >> Dockerfile
git commit -qam 'Copy what is not tracked'
wrong 2 "'model.bin'" 'a COPY of an untracked file'
err_has '^hint: .*image.include' 'with a hint'
rm model.bin
cp "$T/Dockerfile" Dockerfile
git commit -qam 'As it was'

DOCKER_HOST=unix://$T/none.sock refused 1 "Docker Engine at '.*none.sock'" 'no Docker Engine'
same "$(count_jobs) $(count_tags)" '0 0' 'no Docker Engine: no job, no tag'

printf 'RUN ["/nope", "--now"]\n' >> Dockerfile
git commit -qam 'Cannot be built'
refused 1 '/nope' 'a build that fails'
err_has 'Step [0-9]+/[0-9]+ : RUN \["/nope", "--now"\]' 'the failing step is shown'
same "$(count_jobs) $(count_tags)" '0 0' 'a build that fails: no job, no tag'
cp "$T/Dockerfile" Dockerfile
git commit -qam 'Can be built'

# No user.name, and a subject that would paint the terminal.
git config --global --unset user.name
git config --global --unset user.email
GIT_COMMITTER_NAME=x GIT_COMMITTER_EMAIL=x GIT_AUTHOR_NAME=x GIT_AUTHOR_EMAIL=x \
	git commit -q --allow-empty -m "Red ${esc}[31mpaint"
run "$SMPIPE" release --local
expect 0 'a release without user.name'
same "$(git log -1 --format='%an <%ae>' refs/notes/smpipe)" 'smpipe <smpipe@localhost>' 'has an identity'
for command in show list verify plan; do
	"$SMPIPE" $command --local > "$T/out" 2>&1
	! grep -q "$esc" "$T/out"
	ok $? "$command: no escape sequence reaches the terminal"
done
git config --global user.name 'Test User'
git config --global user.email test@example.org

# The tag of another build key. The cloud's state is plain files.
tags=.smpipe/local/ecr/repositories/iris/tags
old=$(basename "$tags"/*)
echo '# another image' >> Dockerfile
git commit -qam 'Another image'
new=$("$SMPIPE" plan --local --json 2> /dev/null | jq -r .image_tag).tag
cp "$tags/$old" "$tags/$new"
refused 1 "tag '${new%.tag}' of repository 'iris' holds another image" 'a tag of another build key'
same "$(count_jobs)" 1 'a tag of another build key: no job'
rm "$tags/$new"

# A dirty release is recorded with what it was made from.
echo '# not committed' >> Dockerfile
run "$SMPIPE" release --local --allow-dirty --no-wait
expect 0 'a dirty work tree with --allow-dirty'
"$SMPIPE" show --local --json > "$T/out" 2> "$T/err"
same "$(json '.predicate.buildDefinition.internalParameters.git | .dirty, .dirtyFiles[0]' | tr '\n' ' ')" 'true Dockerfile ' 'says so'
same "$(git show "$(json .predicate.buildDefinition.internalParameters.git.snapshotCommit)":Dockerfile | tail -n 1)" \
	'# not committed' 'and keeps a snapshot'
git checkout -q .
finish
