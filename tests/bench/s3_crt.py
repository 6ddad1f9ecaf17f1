# Send a file, or each file of a folder, with AWS's C client through Debian's python3-awscrt. It cannot name a port: the
# sink must be at 80 or 443.
#
#   s3_crt.py http|https CA_FILE PATH
import os, sys, threading
from awscrt import auth, http, io, s3

scheme, ca_file, path = sys.argv[1:]
is_tls = scheme == 'https'
bootstrap = io.ClientBootstrap(io.EventLoopGroup(0), io.DefaultHostResolver(io.EventLoopGroup(1)))
options = None
if is_tls:
    context = io.TlsContextOptions()
    context.override_default_trust_store_from_path(None, ca_file)
    options = io.ClientTlsContext(context).new_connection_options()
client = s3.S3Client(bootstrap=bootstrap, region='us-east-1', part_size=16 << 20, throughput_target_gbps=10,
                     credential_provider=auth.AwsCredentialsProvider.new_static('AKIDEXAMPLE', 'secret'),
                     tls_mode=s3.S3RequestTlsMode.ENABLED if is_tls else s3.S3RequestTlsMode.DISABLED,
                     tls_connection_options=options)
files = [path] if os.path.isfile(path) else sorted(entry.path for entry in os.scandir(path))
room = threading.Semaphore(256)  # requests that are not done
failed = []

def done(error=None, **_):
    if error:
        failed.append(error)
    room.release()

requests = []
for name in files:
    room.acquire()
    headers = http.HttpHeaders([('host', 'localhost'), ('content-length', str(os.path.getsize(name))),
                                ('content-type', 'application/octet-stream')])
    request = http.HttpRequest('PUT', '/bench/' + os.path.basename(name), headers)
    requests.append(client.make_request(request=request, type=s3.S3RequestType.PUT_OBJECT, send_filepath=name,
                                        on_done=done))
for request in requests:
    request.finished_future.result()
if failed:
    sys.exit(str(failed[0]))
