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
from botocore.config import Config
from botocore.credentials import Credentials

N = 10000
SEED = 20231123
rng = random.Random(SEED)
now = datetime.datetime(2023, 11, 23, 1, 38, 54)

class StoppedClock(datetime.datetime):
    @classmethod
    def utcnow(cls):
        return now

botocore.auth.datetime = types.SimpleNamespace(datetime=StoppedClock)

ALPHABET = string.ascii_letters + string.digits + "-._~ /!$&'()*+,;=:@%#?\"<>[]\\^`{|}äß東𝄞\u00a0\u0301"
HEADER = string.ascii_letters + string.digits + "  \t\"=/;,()ü"

def text(most, alphabet=ALPHABET):
    return "".join(rng.choice(alphabet) for _ in range(rng.randint(0, most)))

def random_path():
    parts = [text(8).replace("/", "") for _ in range(rng.randint(0, 5))]
    while rng.random() < 0.3:
        parts.insert(rng.randint(0, len(parts)), rng.choice([".", "..", "", "", "...", ".a", "%2e", "%2F", "a%20b"]))
    return "/" + quote("/".join(parts), safe=rng.choice(["/~", "/~", "/~=:@!$'()*,;+"]))

def random_query(has_repeats):
    pairs = []
    for _ in range(rng.randint(0, 6)):
        name = rng.choice([text(6) or "k", "k", "K", "a-b", "a", "list-type", "prefix", "X-Amz-Meta"])
        if not has_repeats and name in (known for known, _ in pairs):
            continue
        pairs.append((name, rng.choice([quote(text(9), safe="~"), quote(text(3), safe="~"), ""])))
    return "&".join(quote(name, safe="~") + "=" + value for name, value in pairs)

def random_headers():
    headers = []
    for i in range(rng.randint(0, 5)):
        value = " ".join(text(6, HEADER) for _ in range(3)).strip() or "v"
        headers.append((rng.choice(["X-Amz-Meta-%d", "x-custom-%d", "Content-Type%d", "X-AMZ-%d-Z"]) % i, value))
    while headers and rng.random() < 0.3:
        name = rng.choice(headers)[0]
        headers.insert(rng.randint(0, len(headers)), (rng.choice([name, name.upper()]), text(4, HEADER).strip() or "w"))
    return headers

def random_case():
    service = rng.choice(["s3", "s3", "sagemaker", "ecr", "sts", "logs", "iam"])
    expires_s = rng.choice([0, 0, 0, 1, 3600, 604800])
    return {
        "service": service,
        "method": rng.choice(["GET", "PUT", "POST", "DELETE", "HEAD", "PATCH", "OPTIONS"]),
        "host": rng.choice(["b.example.com", "127.0.0.1:4566", "api.example.cn", "b-1.s3.example.com:8443"]),
        "path": random_path(),
        "query": random_query(has_repeats=not expires_s),
        "headers": random_headers(),
        "region": rng.choice(["us-east-1", "cn-north-1", "eusc-de-east-1"]),
        "time": calendar.timegm(now.timetuple()),
        "access_key_id": "AKIDEXAMPLE",
        "secret_access_key": text(40, string.ascii_letters + "+/") or "s",
        "session_token": rng.choice([None, "AQoDYXdz+/=="]),
        "expires_s": expires_s,
    }

def signer_of(case):
    keys = Credentials(case["access_key_id"], case["secret_access_key"], case["session_token"])
    where = (keys, case["service"], case["region"])
    if case["expires_s"] and case["service"] == "s3":
        return botocore.auth.S3SigV4QueryAuth(*where, expires=case["expires_s"])
    if case["expires_s"]:
        return botocore.auth.SigV4QueryAuth(*where, expires=case["expires_s"])
    return botocore.auth.S3SigV4Auth(*where) if case["service"] == "s3" else botocore.auth.SigV4Auth(*where)

def judge(case, body):
    is_unsigned = case["service"] == "s3" and (case["expires_s"] or rng.random() < 0.3)
    case["payload_hash"] = "UNSIGNED-PAYLOAD" if is_unsigned else hashlib.sha256(body).hexdigest()
    request = AWSRequest(method=case["method"], url="https://" + case["host"] + case["path"] +
                         ("?" + case["query"] if case["query"] else ""), data=body)
    for name, value in case["headers"]:
        request.headers.add_header(name, value)
    request.context["client_config"] = Config(s3={"payload_signing_enabled": not is_unsigned})
    signer_of(case).add_auth(request)
    if case["expires_s"]:
        return request.url[request.url.index("&X-Amz-Signature="):]
    return request.headers["Authorization"]

def differences(expected, actual):
    return [i for i in range(N) if i >= len(actual) or actual[i] != expected[i]]

cases, expected = [], []
for _ in range(N):
    # botocore's query form keeps one value of a name, and moves the body into the query.
    case = random_case()
    body = b"" if case["expires_s"] else text(50).encode()
    expected.append(judge(case, body))
    cases.append(case)

lines = "".join(json.dumps(c) + "\n" for c in cases)
actual = subprocess.run([sys.argv[1]], input=lines, capture_output=True, text=True, check=True).stdout.splitlines()
differing = differences(expected, actual)
for i in differing[:3]:
    print("#", json.dumps(cases[i]), "\n# botocore:", expected[i], "\n# smpipe:  ", actual[i] if i < len(actual) else None)
doctored = expected[:N // 2] + [expected[N // 2] + "0"] + expected[N // 2 + 1:]
is_noticed = len(differences(doctored, actual)) == len(differing) + 1
print("1..1")
print("%s 1 - sigv4, botocore as judge: %d/%d random requests (%d presigned, %d of unsigned payload, %d with duplicate "
      "headers) are equal; one changed value is %s" %
      ("not ok" if differing or not is_noticed else "ok", N - len(differing), N,
       sum(c["expires_s"] > 0 for c in cases), sum(c["payload_hash"] == "UNSIGNED-PAYLOAD" for c in cases),
       sum(len({n.lower() for n, _ in c["headers"]}) < len(c["headers"]) for c in cases),
       "noticed" if is_noticed else "NOT noticed"))
EOF
