#!/usr/bin/python3
"""A single-node OpenStack Swift with its S3 API on loopback: an S3 server that checks signatures and is not ours.

    swift.py DIR     run until SIGTERM or SIGINT; DIR/endpoint appears, whole, when it answers

Access key `test:tester`, secret `testing`, region us-east-1; everything lies below DIR. Needs Debian's swift-proxy,
swift-account, swift-container and swift-object, and a file system with extended attributes.
"""

import os
import signal
import socket
import subprocess
import sys
import time
import urllib.request

SWIFT_CONF = """[swift-hash]
swift_hash_path_suffix = smpipe
[storage-policy:0]
name = only
default = yes
[swift-constraints]
max_file_size = 5368709122
"""

PROXY_CONF = """[DEFAULT]
bind_ip = 127.0.0.1
bind_port = {port}
workers = 0
swift_dir = {dir}
user = root
log_level = WARNING
log_address = {dir}/no-syslog
[pipeline:main]
pipeline = catch_errors gatekeeper cache listing_formats bulk s3api tempauth copy slo proxy-server
[app:proxy-server]
use = egg:swift#proxy
account_autocreate = true
[filter:catch_errors]
use = egg:swift#catch_errors
[filter:gatekeeper]
use = egg:swift#gatekeeper
[filter:cache]
use = egg:swift#memcache
memcache_servers = 127.0.0.1:9
[filter:listing_formats]
use = egg:swift#listing_formats
[filter:bulk]
use = egg:swift#bulk
[filter:s3api]
use = egg:swift#s3api
location = us-east-1
storage_domain = localhost
s3_acl = false
[filter:tempauth]
use = egg:swift#tempauth
user_test_tester = testing .admin
[filter:copy]
use = egg:swift#copy
[filter:slo]
use = egg:swift#slo
minimum_segment_size = 1
"""

STORAGE_CONF = """[DEFAULT]
bind_ip = 127.0.0.1
bind_port = {port}
workers = 0
swift_dir = {dir}
devices = {dir}/devices
mount_check = false
user = root
log_level = WARNING
log_address = {dir}/no-syslog
fallocate_reserve = 0
[pipeline:main]
pipeline = {kind}-server
[app:{kind}-server]
use = egg:swift#{kind}
"""

# The path of swift.conf is fixed in Swift; this process is told another one before anything reads it.
RUN = """
import sys
from swift.common import utils
utils.SWIFT_CONF_FILE = sys.argv[1]
utils.DEFAULT_RECON_CACHE_PATH = sys.argv[4]
from swift.common.wsgi import run_wsgi
sys.exit(run_wsgi(sys.argv[2], sys.argv[3]))
"""


def free_port():
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        return s.getsockname()[1]


def write(path, text):
    with open(path, "w", encoding="utf-8") as f:
        f.write(text)


def make_ring(folder, kind, port):
    builder = f"{folder}/{kind}.builder"
    for words in (["create", "4", "1", "1"], ["add", f"r1z1-127.0.0.1:{port}/d1", "1"], ["rebalance"]):
        # Exit 1 is a warning.
        done = subprocess.run(["swift-ring-builder", builder, *words], stdout=subprocess.PIPE,
                              stderr=subprocess.STDOUT, check=False)
        if done.returncode > 1:
            sys.exit(f"swift-ring-builder: {done.stdout.decode()}")


def start(folder, kind, conf, log):
    write(f"{folder}/{kind}.conf", conf)
    return subprocess.Popen(["/usr/bin/python3", "-c", RUN, f"{folder}/swift.conf", f"{folder}/{kind}.conf",
                             f"{kind}-server", folder], stdin=subprocess.DEVNULL, stdout=log, stderr=log)


def wait_until_it_answers(port, servers):
    for _ in range(600):
        if any(s.poll() is not None for s in servers):
            return False
        try:
            urllib.request.urlopen(f"http://127.0.0.1:{port}/", timeout=1)
        except urllib.error.HTTPError:
            return True
        except OSError:
            time.sleep(0.1)
    return False


def main():
    folder = os.path.abspath(sys.argv[1])
    os.makedirs(f"{folder}/devices/d1", exist_ok=True)
    write(f"{folder}/swift.conf", SWIFT_CONF)
    ports = {kind: free_port() for kind in ("account", "container", "object", "proxy")}
    servers = []
    # An exception, so that the servers end too.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
    with open(f"{folder}/log", "wb") as log:
        try:
            for kind in ("account", "container", "object"):
                make_ring(folder, kind, ports[kind])
                servers.append(start(folder, kind,
                                     STORAGE_CONF.format(kind=kind, port=ports[kind], dir=folder), log))
            servers.append(start(folder, "proxy", PROXY_CONF.format(port=ports["proxy"], dir=folder), log))
            if not wait_until_it_answers(ports["proxy"], servers):
                sys.exit("Swift does not answer")
            write(f"{folder}/endpoint.new", f"http://127.0.0.1:{ports['proxy']}\n")
            os.rename(f"{folder}/endpoint.new", f"{folder}/endpoint")
            servers[-1].wait()
        finally:
            for s in servers:
                s.terminate()
            for s in servers:
                s.wait()


main()
