#!/usr/bin/env python3
"""A bucket for tests that fail allocations or race threads. Says its port, and ends with its standard input.

It has two uploads that nobody finished, and objects of 3,000,000 bytes, each byte the remainder of its offset by 251. The path says how one answers:
`slow` after 0.3 s, `never` not within a minute, `broken` for the second MiB with 403, `gone` with 404.
"""
import http.server
import re
import sys
import threading
import time

UPLOAD = "<Upload><Key>folder/{0}</Key><UploadId>{0}</UploadId><Initiated>2024-01-0{0}T00:00:00Z</Initiated></Upload>"
WHOLE = bytes(i % 251 for i in range(251)) * (3_000_000 // 251 + 1)
WHOLE = WHOLE[:3_000_000]
LISTING = f"<ListMultipartUploadsResult><IsTruncated>false</IsTruncated>{UPLOAD.format(1)}{UPLOAD.format(2)}</ListMultipartUploadsResult>"


class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def answer(self, status, body=b"", **headers):
        self.send_response_only(status)
        for name, value in {"Content-Length": str(len(body)), **headers}.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(body)

    def do_GET(self):
        asked = re.fullmatch(r"bytes=(\d+)-(\d+)", self.headers.get("Range", ""))
        if not asked:
            return self.answer(200, LISTING.encode())
        first, last = map(int, asked.groups())
        time.sleep(60 if "never" in self.path else 0.3 if "slow" in self.path else 0)
        if "gone" in self.path or "broken" in self.path and first >> 20 == 1:
            return self.answer(404 if "gone" in self.path else 403)
        body = WHOLE[first:last + 1]
        return self.answer(206, body, **{"ETag": '"one"', "Content-Range": f"bytes {first}-{first + len(body) - 1}/{len(WHOLE)}"})

    def do_DELETE(self):
        self.answer(204)

    def log_message(self, *_):
        pass


if __name__ == "__main__":
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.handle_error = lambda *_: None  # clients go away early
    threading.Thread(target=server.serve_forever, daemon=True).start()
    print(server.server_port, flush=True)
    sys.stdin.read()
