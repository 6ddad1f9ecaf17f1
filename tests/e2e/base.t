#!/bin/sh
# An image that starts from another one: its digest is pinned in smpipe.lock, and a tag that moved is noticed.
. "$(dirname "$0")/lib.sh"

docker() {
	/usr/bin/docker --host "$DOCKER_HOST" "$@"
}
name="smpipe-base-$$:1"

# make_base WORDS: import a root file system of one static shell under the same name.
make_base() {
	mkdir -p "$T/root/bin"
	cp /bin/busybox "$T/root/bin/sh"
	echo "$1" > "$T/root/words"
	tar -C "$T/root" -c . | docker import - "$name" > /dev/null
}

make_base one
mkdir "$T/based" && cd "$T/based" || exit 1
clouds="$T/based"
git init -q
cat > train.sh <<'END'
echo train_loss=0.25
read -r words < /words
echo "$words" > /opt/ml/model/words
END
cat > Dockerfile <<END
ARG BASE=$name
FROM \$BASE
COPY train.sh /train.sh
ENTRYPOINT ["/bin/sh", "/train.sh"]
END
cat > smpipe.yaml <<'END'
version: 1
name: based
image: {dockerfile: Dockerfile}
estimator:
  instance_type: ml.m5.large
  metric_definitions:
    - {name: Train Loss, regex: 'train_loss=([-+0-9.eE]+|nan)'}
END
commit Start

run "$SMPIPE" release --local --json
expect 0 "a release on a base image"
same "$(json .metrics.\"Train\ Loss\")" 0.25 "its metric is read"
first=$(json .image)
job=$(json .job)
[ -f smpipe.lock ]
ok $? "smpipe.lock is written"
digest=$(jq -r ".bases.\"$name\"" smpipe.lock)
same "$digest" "$(docker image inspect -f '{{.Id}}' "$name")" "it pins the base by its digest"
git notes --ref=smpipe show | grep -q "${digest#sha256:}"
ok $? "the record names the base's digest"

run "$SMPIPE" release --local --json
same "$(json .existed.image) $(json .existed.job)" "true true" "the lock does not change what is released"
commit 'Lock the base'
run "$SMPIPE" release --local --json
same "$(json .image) $(json .job)" "$first $job" "nor does its commit"

make_base two
run "$SMPIPE" plan --local --json
expect 0 "a plan goes by the lock when the tag has moved"
echo '# another line' >> train.sh
commit 'Change the image'
run "$SMPIPE" release --local
expect 1 "a build on a tag that moved is refused"
err_has "base image '$name' is not the one of smpipe.lock" "it names the base"
err_has '^hint: .*smpipe.lock' "the hint says what to do"

rm smpipe.lock
commit 'Take the new base'
run "$SMPIPE" release --local --json
expect 0 "without the old line the new base is taken"
[ "$(json .image)" != "$first" ]
ok $? "and gives another image"

echo '{"version": 1, "bases": {"x": "sha256:zz"}}' > smpipe.lock
run "$SMPIPE" plan --local
expect 2 "a broken smpipe.lock is refused"
err_has "smpipe.lock.*'x'" "it names the entry"

docker image rm -f "$name" > /dev/null 2>&1
finish
