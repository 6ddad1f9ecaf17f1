#!/bin/sh
# Certificates that are wrong in ten ways, and more that may not happen between us and a service, against servers on this
# machine whose authorities live as long as the test.
set -eu

BUILD=${BUILD:-build}
PYTHON=/usr/bin/python3

for tool in "$PYTHON" openssl; do
	command -v "$tool" > /dev/null || { echo "1..0 # SKIP $tool is not installed"; exit 0; }
done
make --no-print-directory BUILD="$BUILD" "$BUILD/tests/vectors/tls_probe" >&2

exec "$PYTHON" -W ignore - "$BUILD/tests/vectors/tls_probe" <<'EOF'
import http.server, os, shutil, socket, ssl, subprocess, sys, tempfile, threading

PROBE = os.path.abspath(sys.argv[1])
ANSWER = (b"<GetCallerIdentityResponse><GetCallerIdentityResult><Arn>arn:aws:iam::123456789012:user/u</Arn>"
          b"<Account>123456789012</Account></GetCallerIdentityResult></GetCallerIdentityResponse>")
work = tempfile.mkdtemp(prefix="smpipe-tls.")

def path(name):
    return os.path.join(work, name)

def write(name, text):
    with open(path(name), "w") as f:
        f.write(text)
    return path(name)

def openssl(*args):
    subprocess.run(("openssl",) + args, check=True, cwd=work, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)

def new_key(name, bits):
    openssl("genrsa", "-out", name + ".key", str(bits))

# One request and one signature by `openssl ca`, which alone sets both ends of the validity.
def certificate(name, issuer, names, bits=2048, start="20200101000000Z", end="20990101000000Z", digest="sha256", is_ca=False):
    new_key(name, bits)
    write(name + ".ext", "basicConstraints=critical,CA:%s\n%s" % ("TRUE" if is_ca else "FALSE",
                                                                  "subjectAltName=" + names if names else ""))
    openssl("req", "-new", "-key", name + ".key", "-subj", "/CN=" + ("localhost" if not is_ca else name), "-out", name + ".csr")
    write(name + ".idx", "")
    write(name + ".cnf", "[ca]\ndefault_ca=d\n[d]\ndatabase=%s.idx\nnew_certs_dir=.\npolicy=p\nrand_serial=yes\nunique_subject=no\n"
          "default_md=%s\n[p]\ncommonName=supplied\n" % (name, digest))
    own = ("-selfsign", "-keyfile", name + ".key") if issuer is None else ("-cert", issuer + ".crt", "-keyfile", issuer + ".key")
    openssl("ca", "-batch", "-notext", "-config", name + ".cnf", "-in", name + ".csr", "-out", name + ".crt", "-startdate", start,
            "-enddate", end, "-extfile", name + ".ext", *own)

HOST = "DNS:localhost,IP:127.0.0.1"
certificate("root", None, None, is_ca=True)
certificate("other-root", None, None, is_ca=True)
certificate("middle", "root", None, is_ca=True)
certificate("right", "root", HOST)
certificate("expired", "root", HOST, end="20210101000000Z")
certificate("early", "root", HOST, start="20980101000000Z")
certificate("wrong-host", "root", "DNS:other.example")
certificate("self-signed", None, HOST)
certificate("unknown-ca", "other-root", HOST)
certificate("weak-key", "root", HOST, bits=1024)
certificate("sha1", "root", HOST, digest="sha1")
certificate("name-in-cn", "root", None)
certificate("no-chain", "middle", HOST)
certificate("wildcard", "root", "DNS:*")
with open(path("chain.crt"), "w") as f:
    f.write(open(path("no-chain.crt")).read() + open(path("middle.crt")).read())
shutil.copy(path("no-chain.key"), path("chain.key"))

class Handler(http.server.BaseHTTPRequestHandler):
    def do_POST(self):
        self.server.requests.append((self.path, dict(self.headers)))
        self.rfile.read(int(self.headers.get("Content-Length", 0)))
        self.send_response(self.server.status)
        for name, value in self.server.headers:
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(ANSWER)))
        self.end_headers()
        self.wfile.write(ANSWER)
    def do_GET(self):
        self.do_POST()
    def do_CONNECT(self):
        self.server.requests.append((self.path, dict(self.headers)))
        self.send_response(self.server.status)
        self.send_header("Content-Length", "0")
        self.end_headers()
    def log_message(self, *args):
        pass

class Server(http.server.ThreadingHTTPServer):
    daemon_threads = True
    def handle_error(self, request, client_address):
        pass

def serve(cert=None, status=200, headers=(), max_version=None):
    server = Server(("127.0.0.1", 0), Handler)
    server.requests, server.status, server.headers = [], status, headers
    if cert:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.set_ciphers("ALL:@SECLEVEL=0")
        if max_version:
            context.minimum_version, context.maximum_version = ssl.TLSVersion.TLSv1, max_version
        context.load_cert_chain(path(cert + ".crt"), path(cert + ".key"))
        server.socket = context.wrap_socket(server.socket, server_side=True, do_handshake_on_connect=False)
    threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True).start()
    return server

def url(server, scheme="https", host="localhost"):
    return "%s://%s:%d" % (scheme, host, server.server_address[1])

def probe(endpoint, **extra):
    env = {"PATH": os.environ["PATH"], "HOME": work, "AWS_REGION": "eu-west-1", "AWS_MAX_ATTEMPTS": "1",
           "AWS_CA_BUNDLE": path("root.crt"), "AWS_ENDPOINT_URL": endpoint}
    for name in ("ASAN_OPTIONS", "LSAN_OPTIONS", "UBSAN_OPTIONS"):
        if name in os.environ:
            env[name] = os.environ[name]
    env.update(extra)
    done = subprocess.run([PROBE], env={k: v for k, v in env.items() if v is not None}, capture_output=True, text=True, timeout=60)
    return (done.stdout + done.stderr).strip()

n, status = 0, 0
def check(what, is_right, got=""):
    global n, status
    n += 1
    if not is_right:
        status = 1
        print("#", got)
    print("%s %d - %s" % ("ok" if is_right else "not ok", n, what), flush=True)

def refused(what, server, endpoint, words, code="NotTrusted", **extra):
    got = probe(endpoint, **extra)
    check("refused: " + what, got.startswith(code + " ") and words in got and not server.requests, (got, server.requests))

right = serve("right")
check("accepted: the right one, by AWS_CA_BUNDLE", probe(url(right)) == "ok 123456789012", probe(url(right)))
check("accepted: by address", probe(url(right, host="127.0.0.1")) == "ok 123456789012")
write("config", "[default]\nca_bundle = ~/root.crt\n")
in_profile = {"AWS_CA_BUNDLE": None, "AWS_CONFIG_FILE": path("config")}
check("accepted: by the profile's ca_bundle", probe(url(right), **in_profile) == "ok 123456789012")
check("accepted: with its whole chain", probe(url(serve("chain"))) == "ok 123456789012")

for name, what, words in (
        ("expired", "expired", "expired"),
        ("early", "not yet valid", "not yet valid"),
        ("wrong-host", "of another host", "match"),
        ("self-signed", "self-signed", "self-signed"),
        ("unknown-ca", "of an unknown authority", "unable to get local issuer"),
        ("weak-key", "with a key of 1024 bits", "key too weak"),
        ("sha1", "signed with SHA-1", "too weak"),
        ("name-in-cn", "which names its host in the CN only", "ostname mismatch"),
        ("no-chain", "without its chain", "unable to get local issuer"),
        ("wildcard", "for every host", "match")):
    server = serve(name)
    refused("a certificate " + what, server, url(server), words)

fresh = serve("right")
refused("the right one, by another bundle", fresh, url(fresh), "unable to get local issuer", AWS_CA_BUNDLE=path("other-root.crt"))
refused("the right one, by the system's authorities", fresh, url(fresh), "unable to get local issuer", AWS_CA_BUNDLE=None)
refused("a bundle that is not there", fresh, url(fresh), "no-such.crt", AWS_CA_BUNDLE=path("no-such.crt"))
refused("a bundle that is none", fresh, url(fresh), "", AWS_CA_BUNDLE=write("garbage.crt", "garbage"))
old = serve("right", max_version=ssl.TLSVersion.TLSv1_1)
refused("TLS 1.1", old, url(old), "", code="-")
plain = serve()
refused("plain http behind an https URL", plain, url(plain), "speaks no TLS", code="NoTls")
refused("an http URL to another machine", plain, "http://192.0.2.1:%d" % plain.server_address[1], "only https, or http to this machine", code="-")
refused("the switches that other tools have to turn verification off", fresh, url(fresh), "unable to get local issuer",
        AWS_CA_BUNDLE=None, PYTHONHTTPSVERIFY="0", NODE_TLS_REJECT_UNAUTHORIZED="0", CURL_INSECURE="1", GIT_SSL_NO_VERIFY="1",
        CURL_CA_BUNDLE=path("root.crt"), REQUESTS_CA_BUNDLE="", SSL_CERT_FILE=path("other-root.crt"))

check("accepted: plain http on this machine", probe(url(plain, "http")) == "ok 123456789012")

# Who answers with a redirect learns what it was sent; where it points to learns nothing.
for code in (301, 302, 307, 308):
    target = serve("right")
    source = serve("right", status=code, headers=[("Location", url(target) + "/")])
    got = probe(url(source))
    check("a redirect (%d) is not followed" % code, got.startswith("- GetCallerIdentity: %d" % code) and
          len(source.requests) == 1 and not target.requests, (got, target.requests))

# Proxies: asked for hosts elsewhere, by CONNECT, and never for this machine.
proxy = serve(status=403)
through = {"HTTPS_PROXY": "http://user:hunter2@127.0.0.1:%d" % proxy.server_address[1]}
got = probe("https://sts.example", **through)
check("a proxy that refuses CONNECT is named with its answer", got.startswith("ProxyRefused ") and "403 to CONNECT" in got and
      "NO_PROXY" in got and len(proxy.requests) == 1 and proxy.requests[0][0] == "sts.example:443", (got, proxy.requests))
check("its password is not in the message", "hunter2" not in got, got)
check("it sees neither signature nor session token", "a-session-token" not in str(proxy.requests) and "AKID" not in str(proxy.requests),
      proxy.requests)
asking = serve(status=407)
got = probe("https://sts.example", https_proxy="http://127.0.0.1:%d" % asking.server_address[1])
check("a proxy that wants a password is told apart", "407 to CONNECT" in got and "user and password" in got, got)
proxy.requests.clear()
check("loopback is reached without a proxy", probe(url(fresh), **through) == "ok 123456789012" and not proxy.requests)
probe("https://127.0.0.1:1", **through)
probe("https://[::1]:1", **through)
probe("https://sts.localhost:1", **through)
check("nor is a dead port of this machine tried by it", not proxy.requests, proxy.requests)
got = probe("https://0.0.0.0:1", **through)
check("other addresses go by the proxy", "ProxyRefused" in got and len(proxy.requests) == 1, (got, proxy.requests))
proxy.requests.clear()
got = probe("https://0.0.0.0:1", NO_PROXY="0.0.0.0", **through)
check("NO_PROXY is heard", not proxy.requests and "NotConnected" in got, (got, proxy.requests))

print("1..%d" % n)
shutil.rmtree(work)
# Without the interpreter's own end: the servers' threads are still in OpenSSL, and that ends in an abort now and then.
sys.stdout.flush()
os._exit(status)
EOF
