#!/usr/bin/python3
"""A service that answers what no honest one would: STS, SageMaker and S3 at one port of the loopback, IPv6 where there is one.

    hostile.py FILE     run until SIGTERM; FILE appears with the URL when it answers
"""

import http.server
import json
import os
import socket
import sys
import urllib.parse

# By prefix: the keys that are listed.
LISTS = {
    "outside/": ["etc/evil"],
    "short/": ["sh"],
    "twice/": ["twice/a", "twice/b", "twice/a"],
    "encoded/": ["encoded/%2E%2E/%2E%2E/evil"],
}
# By job: where its model is said to be.
MODELS = {
    "up": "s3://bucket/model/..",
    "absolute": "/etc/passwd",
    "other": "https://evil.example/model.tar.gz",
    "line": "s3://bucket/a\nb",
}
ARN = "arn:aws:sagemaker:us-east-1:123456789012:training-job/"
IDENTITY = ("<GetCallerIdentityResponse><GetCallerIdentityResult><Arn>arn:aws:iam::123456789012:user/u</Arn>"
            "<UserId>u</UserId><Account>123456789012</Account></GetCallerIdentityResult></GetCallerIdentityResponse>")


class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def log_message(self, *_):
        pass

    def answer(self, status, text, **headers):
        body = text.encode()
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name.replace("_", "-"), value)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(body)

    def do_POST(self):
        body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
        if "X-Amz-Target" not in self.headers:
            self.answer(200, IDENTITY, Content_Type="text/xml")
            return
        job = json.loads(body)["TrainingJobName"]
        self.answer(200, json.dumps({"TrainingJobName": job, "TrainingJobArn": ARN + job, "TrainingJobStatus": "Completed",
                                     "ModelArtifacts": {"S3ModelArtifacts": MODELS[job]}}))

    def do_GET(self):
        url = urllib.parse.urlparse(self.path)
        query = urllib.parse.parse_qs(url.query)
        if "prefix" in query:
            keys = LISTS[query["prefix"][0]]
            rows = "".join(f"<Contents><Key>{k}</Key><Size>4</Size></Contents>" for k in keys)
            self.answer(200, "<ListBucketResult><EncodingType>url</EncodingType>"
                             f"<IsTruncated>false</IsTruncated>{rows}</ListBucketResult>")
        elif url.path.endswith("/moved"):
            self.answer(301, "", Location="http://127.0.0.1:9/evil", x_amz_bucket_region="evil.example/x?")
        else:
            self.answer(200, "evil", ETag='"e"')

    do_HEAD = do_GET


class Server(http.server.ThreadingHTTPServer):
    daemon_threads = True

    def server_bind(self):
        # The parent asks the resolver for a name.
        self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        self.socket.bind(self.server_address)
        self.server_name, self.server_port = self.socket.getsockname()[:2]


def listen():
    try:
        Server.address_family = socket.AF_INET6
        return Server(("::1", 0), Handler), "[::1]"
    except OSError:
        Server.address_family = socket.AF_INET
        return Server(("127.0.0.1", 0), Handler), "127.0.0.1"


server, host = listen()
with open(f"{sys.argv[1]}.new", "w", encoding="utf-8") as f:
    f.write(f"http://{host}:{server.server_port}\n")
os.rename(f"{sys.argv[1]}.new", sys.argv[1])
server.serve_forever()
