"""What an instance of AWS has besides a system: the command ``aws``, and what AWS tells it of itself.

Both are files of a container. ``aws`` copies from the folder /bucket, gives every secret the same value, and notes what
it is asked to log. What AWS tells are files below /told.
"""

from __future__ import annotations

AWS = """\
#!/usr/bin/python3
import pathlib, shutil, sys

words = [each for each in sys.argv[1:] if each != "--only-show-errors"]
if words[:2] == ["s3", "cp"]:
    source = pathlib.Path("/bucket", words[2].split("/", 3)[3])
    if words[3] == "-":
        sys.stdout.buffer.write(source.read_bytes())
    else:
        shutil.copy(source, words[3])
elif words[:2] == ["secretsmanager", "get-secret-value"]:
    print("0123456789abcdef0123456789abcdef")
elif words[:2] == ["logs", "put-log-events"]:
    with open("/logged", "a") as log:
        print(words[-1], file=log)
elif words[:2] != ["logs", "create-log-stream"]:
    sys.exit(f"unknown: {words}")
"""
METADATA = """\
import http.server, pathlib

class Answers(http.server.BaseHTTPRequestHandler):
    def do_PUT(self):
        self.answer(200, "a-token")

    def do_GET(self):
        if not any(each.lower().endswith("metadata-token") for each in self.headers):
            return self.answer(401, "")  # as IMDSv2
        path = pathlib.Path("/told" + self.path.removeprefix("/latest/meta-data"))
        self.answer(200, path.read_text()) if path.is_file() else self.answer(404, "")

    def answer(self, code, text):
        self.send_response(code)
        self.end_headers()
        self.wfile.write(text.encode())

http.server.ThreadingHTTPServer(("169.254.169.254", 80), Answers).serve_forever()
"""
#: Starts it once systemd is there, in a container that may change its network.
START = (
    "until [ -S /run/systemd/private ]; do sleep 0.2; done; ip address add 169.254.169.254/32 dev lo && "
    "systemd-run --unit=metadata python3 /usr/local/lib/metadata.py"
)
