#!/bin/sh
# New repositories, and existing ones that smpipe is added to.
. "$(dirname "$0")/lib.sh"
cd "$T" || exit 1

# --- a new repository ---
run "$SMPIPE" init iris
expect 0 'init'
grep '^wrote ' out | sed 's,^wrote iris/,,' | LC_ALL=C sort > said
(cd iris && find . -path ./.git -prune -o -type f -print | sed 's,^\./,,' | LC_ALL=C sort) > there
cmp -s said there
ok $? 'it names the files that it writes'
(cd "$ROOT" && git ls-files templates/native templates/ci/github | sed -e 's,^templates/native/,,' -e 's,^templates/ci/github/,,') |
	LC_ALL=C sort | cmp -s - there
ok $? 'they are those of the template, and the CI file of GitHub'
! grep -rq '@NAME@' iris
ok $? 'no placeholder is left'
same "$(sed -n 's/^name: *//p' iris/smpipe.yaml | tr -d \"\')" iris "the algorithm has the folder's name"
same "$(git -C iris symbolic-ref HEAD)" refs/heads/main 'it is a git repository'
out_has '^next: cd iris, make, git add ' 'it says what comes next'
run make -C iris test
expect 0 'its own `make test` passes'
git -C iris add -A
same "$(git -C iris status --porcelain | grep -c '^A ')" "$(wc -l < there)" 'what was built is ignored by git'
git -C iris commit -qm Start
(cd iris && run "$SMPIPE" plan --offline --account 123456789012 --region us-east-1 && exit "$status")
[ $? -eq 2 ] && grep -q "has no 'role'" err
ok $? 'on AWS only the role is missing'

sha256sum iris/smpipe.yaml > sums
run "$SMPIPE" init iris
[ "$status" -ne 0 ]
ok $? 'init where files are is refused'
err_has 'iris/' 'it names the first of them'
sha256sum -c --quiet sums
ok $? 'and leaves them as they are'

# --- options ---
for ci in gitlab:.gitlab-ci.yml codebuild:buildspec.yml none:; do
	run "$SMPIPE" init "--ci=${ci%%:*}" "for-${ci%%:*}"
	same "$(cd "for-${ci%%:*}" && find .github .gitlab-ci.yml buildspec.yml -type f 2> /dev/null)" "${ci#*:}" "--ci ${ci%%:*}"
done
for file in iris/.github/workflows/smpipe.yml for-gitlab/.gitlab-ci.yml for-codebuild/buildspec.yml; do
	/usr/bin/python3 -c '
import sys
from ruamel.yaml import YAML
assert isinstance(YAML(typ="safe").load(open(sys.argv[1])), dict)' $file > out 2> err
	ok $? "$file is YAML"
done
run "$SMPIPE" init --ci jenkins elsewhere
expect 2 'another CI'
run "$SMPIPE" init --name spam-filter folder
expect 0 'init --name'
same "$(sed -n 's/^name: *//p' folder/smpipe.yaml | tr -d \"\')" spam-filter 'it is the name'
run "$SMPIPE" init --name 'spam filter' elsewhere
expect 2 'a name with a blank'
run "$SMPIPE" init --template absent elsewhere
expect 2 'an unknown template'
err_has absent 'is named'
[ ! -e elsewhere ]
ok $? 'what is refused leaves nothing behind'
mkdir elsewhere
echo mine > elsewhere/.gitlab-ci.yml
run "$SMPIPE" init --ci gitlab elsewhere
[ "$status" -ne 0 ] && [ "$(ls -A elsewhere)" = .gitlab-ci.yml ]
ok $? 'nor does a CI file that is in the way'
mkdir 'My Model_2'
(cd 'My Model_2' && "$SMPIPE" init --ci none > "$T/out" 2> "$T/err")
same "$(sed -n 's/^name: *//p' 'My Model_2/smpipe.yaml' | tr -d \"\')" My-Model-2 "a folder's name becomes an algorithm's"

# --- adopt ---
mkdir -p old/bin old/data/train old/data/test
cd old || exit 1
clouds="$clouds $T/old"
run "$SMPIPE" init --adopt
expect 2 '--adopt without a Dockerfile'
err_has 'no Dockerfile' 'it says so'
cat > Dockerfile << 'END'
FROM scratch
COPY bin/busybox /bin/
COPY fit.sh /
ENTRYPOINT ["/bin/busybox", "sh", "/fit.sh"]
END
cat > fit.sh << 'END'
echo "lines=$(/bin/busybox wc -l < /opt/ml/input/data/train/lines)"
echo model > /opt/ml/model/model
END
cp /bin/busybox bin/
seq 7 > data/train/lines
seq 3 > data/test/lines
echo /bin/ > .gitignore
git init -q
commit 'As it was'
git rev-parse HEAD > "$T/head"
run "$SMPIPE" init --adopt --name old-one
expect 0 'init --adopt'
same "$(cat "$T/out" | head -n 1)" 'wrote smpipe.yaml' 'it writes smpipe.yaml'
same "$(git status --porcelain)" '?? smpipe.yaml' 'and nothing else'
same "$(grep -E '^(name|inputs|  (include|train|test)):?' smpipe.yaml)" "name: old-one
  include: ['bin/busybox']
inputs:
  train: data/train
  test: data/test" 'with the untracked file that COPY names, and the data'
commit 'Add smpipe'
run "$SMPIPE" release --local
expect 0 'release of the adopted repository'
err_has '^  lines=7$' 'its own program ran on its own data'
run git status --porcelain
same "$(cat "$T/out")" '' 'the work tree is clean'
run "$SMPIPE" init --adopt
expect 1 '--adopt where smpipe.yaml is'

finish
