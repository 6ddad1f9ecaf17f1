#!/bin/sh
# Debian's botocore as judge: both sign the same random requests.
set -eu

BUILD=${BUILD:-build}
PYTHON=/usr/bin/python3

if ! "$PYTHON" -c 'import botocore.auth' 2>/dev/null; then
	echo '1..0 # SKIP botocore is not installed'
	exit 0
fi
make --no-print-directory BUILD="$BUILD" "$BUILD/tests/vectors/sign_requests" >&2

exec "$PYTHON" - "$BUILD/tests/vectors/sign_requests" <<'EOF'
import calendar, datetime, hashlib, json, random, string, subprocess, sys, types
from urllib.parse import quote

import botocore.auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials

N = 400
SEED = 20231123
rng = random.Random(SEED)
now = datetime.datetime(2023, 11, 23, 1, 38, 54)

class StoppedClock(datetime.datetime):
    @classmethod
    def utcnow(cls):
        return now

botocore.auth.datetime = types.SimpleNamespace(datetime=StoppedClock)

ALPHABET = string.ascii_letters + string.digits + "-._~ /!$&'()*+,;=:@%#?äß東"

def text(most, alphabet=ALPHABET):
    return "".join(rng.choice(alphabet) for _ in range(rng.randint(0, most)))

def random_path(is_s3):
    parts = [text(8).replace("/", "") for _ in range(rng.randint(0, 5))]
    if rng.random() < 0.3:
        parts.insert(rng.randint(0, len(parts)), rng.choice([".", "..", ""]))
    return "/" + quote("/".join(parts), safe="/~")

def random_query():
    pairs = []
    for _ in range(rng.randint(0, 5)):
        pairs.append(quote(text(6) or "k", safe="~") + rng.choice(["=" + quote(text(9), safe="~"), "="]))
    return "&".join(pairs)

def random_headers():
    headers = []
    for i in range(rng.randint(0, 5)):
        value = " ".join(text(6, string.ascii_letters + "  \"=/;") for _ in range(3)).strip() or "v"
        headers.append((rng.choice(["X-Amz-Meta-%d", "x-custom-%d", "Content-Type%d"]) % i, value))
    return headers

def random_case():
    service = rng.choice(["s3", "sagemaker", "ecr", "sts", "logs"])
    return {
        "service": service,
        "method": rng.choice(["GET", "PUT", "POST", "DELETE", "HEAD"]),
        "host": rng.choice(["b.example.com", "127.0.0.1:4566", "api.example.cn"]),
        "path": random_path(service == "s3"),
        "query": random_query(),
        "headers": random_headers(),
        "region": rng.choice(["us-east-1", "cn-north-1", "eusc-de-east-1"]),
        "time": calendar.timegm(now.timetuple()),
        "access_key_id": "AKIDEXAMPLE",
        "secret_access_key": text(40, string.ascii_letters + "+/") or "s",
        "session_token": rng.choice([None, "AQoDYXdz+/=="]),
    }

def judge(case, body):
    request = AWSRequest(method=case["method"], url="http://" + case["host"] + case["path"] +
                         ("?" + case["query"] if case["query"] else ""), data=body)
    for name, value in case["headers"]:
        request.headers[name] = value
    keys = Credentials(case["access_key_id"], case["secret_access_key"], case["session_token"])
    signer = botocore.auth.S3SigV4Auth if case["service"] == "s3" else botocore.auth.SigV4Auth
    signer(keys, case["service"], case["region"]).add_auth(request)
    return request.headers["Authorization"]

cases, expected = [], []
for _ in range(N):
    case, body = random_case(), text(50).encode()
    case["payload_hash"] = hashlib.sha256(body).hexdigest()
    cases.append(case)
    expected.append(judge(case, body))

lines = "".join(json.dumps(c) + "\n" for c in cases)
actual = subprocess.run([sys.argv[1]], input=lines, capture_output=True, text=True, check=True).stdout.splitlines()
differing = [i for i in range(N) if i >= len(actual) or actual[i] != expected[i]]
for i in differing[:3]:
    print("#", json.dumps(cases[i]), "\n# botocore:", expected[i], "\n# smpipe:  ", actual[i] if i < len(actual) else None)
print("1..1")
print("%s 1 - %d random requests are signed as botocore signs them" % ("not ok" if differing else "ok", N))
EOF
