#!/bin/sh
# Whole runs of ./train in folders laid out as SageMaker lays out /opt/ml.
set -eu
cd "$(dirname "$0")/.."
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
n_failed=0

check() {
	what=$1
	shift
	if ! "$@"; then
		echo "not as expected: $what"
		n_failed=$((n_failed + 1))
	fi
}

# layout NAME HYPERPARAMETERS: a job's folder as it is before the container starts.
layout() {
	base=$work/$1
	mkdir -p "$base/input/config" "$base/input/data" "$base/model" "$base/output/data"
	cp -R data/train data/val data/test "$base/input/data"
	printf '%s' "$2" >"$base/input/config/hyperparameters.json"
}

run() {
	status=0
	SAGEMAKER_BASE_DIR=$base ./train train >"$base/log" 2>"$base/errors" || status=$?
}

# at_least LOWEST NAME: the last value that the log has for NAME.
at_least() { awk -v low="$1" -v name="$2=" '
	{ for (i = 1; i <= NF; i++) if (index($i, name) == 1) value = substr($i, length(name) + 1) }
	END { exit !(value != "" && value + 0 >= low) }' "$base/log"; }

has_line() { grep -Eq -- "$1" "$2"; }

# The class of the highest score, worked out from model.txt as src/model.h describes it, without the program.
accuracy() {
	awk -F '[ ,]' '
		FILENAME ~ /model.txt$/ && $1 == "feature" { mean[++n] = $2; deviation[n] = $3 }
		FILENAME ~ /model.txt$/ && $1 == "class" {
			name[++classes] = $NF
			for (i = 0; i <= n; i++) w[classes, i] = $(2 + i)
		}
		FILENAME ~ /csv$/ && FNR > 1 {
			best = 0
			for (k = 1; k <= classes; k++) {
				score = w[k, 0]
				for (i = 1; i <= n; i++) score += w[k, i] * ($i - mean[i]) / deviation[i]
				if (!best || score > highest) { best = k; highest = score }
			}
			rows++; hits += name[best] == $NF
		}
		END { exit !(rows == 30 && hits / rows >= 0.9) }' "$base/model/model.txt" "$base/input/data/test/iris.csv"
}

# fails REASON: the run ended with 1 and said why, in both places.
fails() {
	[ "$status" = 1 ] && [ "$(cat "$base/output/failure")" = "$1" ] && [ "$(cat "$base/errors")" = "$1" ] &&
		[ ! -e "$base/model/model.txt" ]
}

layout good '{"lr": "0.5", "epochs": "40", "batch_size": "16", "l2": "0.0001", "seed": "7", "sagemaker_job_name": "\"x\""}'
run
check 'a good run' [ "$status" = 0 ]
check 'nothing on stderr' [ ! -s "$base/errors" ]
number='[-+0-9.eE]+'
line="^epoch=[0-9]+ train_loss=$number val_loss=$number f1_score/val=$number auroc/val=$number$"
check 'a line for each epoch' [ "$(grep -Ec "$line" "$base/log")" = 40 ]
check 'F1 on val' at_least 0.9 f1_score/val
check 'AUROC on val' at_least 0.95 auroc/val
check 'F1 on test' at_least 0.9 f1_score/test
check 'the model file says what the program does' accuracy
check 'a row for each epoch' [ "$(wc -l <"$base/output/data/metrics.csv")" = 41 ]
check 'no failure file' [ ! -e "$base/output/failure" ]
cp "$base/model/model.txt" "$work/model.txt"

run
check 'the same again' cmp -s "$work/model.txt" "$base/model/model.txt"

layout seed '{"seed": "8"}'
run
check 'another seed, another model' sh -c '! cmp -s "$1" "$2"' - "$work/model.txt" "$base/model/model.txt"

layout batch '{"batch_size": "100000", "lr": "0.5", "epochs": "200"}'
run
check 'full-batch descent' at_least 0.9 f1_score/val

layout bare ''
rm -r "$base/input/config" "$base/input/data/test" "$base/model" "$base/output"
run
check 'defaults, without a test channel or folders for output' cmp -s "$work/model.txt" "$base/model/model.txt"
check 'no test, no score of it' sh -c '! grep -q /test= "$1"' - "$base/log"

layout unknown '{"momentum": "0.9"}'
run
check 'an unknown hyperparameter' fails "hyperparameter 'momentum' is unknown: there are lr, epochs, batch_size, l2, seed"

layout value '{"epochs": "many"}'
run
check 'a bad value' fails "hyperparameter 'epochs': 'many' is not a number"

layout json '{"epochs": 30}'
run
check 'a value that is no string' fails "read '$base/input/config/hyperparameters.json': a value in quotes expected at byte 11"

layout empty '{}'
rm "$base/input/data/train/iris.csv"
run
check 'no training file' fails "no .csv file in '$base/input/data/train'"

layout channel '{}'
rm -r "$base/input/data/val"
run
check 'no val channel' fails "read folder '$base/input/data/val': No such file or directory"

layout cell '{}'
sed -i '3s/^[^,]*/wide/' "$base/input/data/val/iris.csv"
run
check 'a cell that is no number' fails "$base/input/data/val/iris.csv:3: not a number: 'wide'"

layout class '{}'
sed -i '2s/[^,]*$/rosa/' "$base/input/data/test/iris.csv"
run
check 'a class never trained' fails "$base/input/data/test/iris.csv:2: a class that is not in the training data: 'rosa'"

layout divergence '{"lr": "100", "l2": "100", "epochs": "1000"}'
run
check 'a run that diverges' sh -c '[ "$1" = 1 ] && grep -q "no longer finite" "$2"' - "$status" "$base/output/failure"

layout stop '{"epochs": "1000000000"}'
mkfifo "$base/pipe"
SAGEMAKER_BASE_DIR=$base ./train train >"$base/pipe" 2>"$base/errors" &
pid=$!
# The third epoch's line is the sign that it trains; the rest of the output is read to its end.
{
	while read -r line; do
		echo "$line"
		case $line in 'epoch=3 '*) kill -TERM $pid ;; esac
	done
} <"$base/pipe" >"$base/log"
status=0
wait $pid || status=$?
check 'SIGTERM ends it well' [ "$status" = 0 ]
check 'and it says so' has_line '^stopped by SIGTERM after epoch [0-9]+ of 1000000000$' "$base/log"
check 'and the model is there' [ "$(grep -c '^class ' "$base/model/model.txt")" = 3 ]
check 'with nothing unfinished beside it' [ -z "$(find "$base" -name '*.new')" ]

[ $n_failed = 0 ] && echo 'runs: ok'
