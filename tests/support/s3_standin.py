#!/usr/bin/env python3
"""A bucket with two uploads that nobody finished, for tests that fail allocations. Says its port, and ends with its standard input."""
import http.server
import sys
import threading

UPLOAD = "<Upload><Key>folder/{0}</Key><UploadId>{0}</UploadId><Initiated>2024-01-0{0}T00:00:00Z</Initiated></Upload>"
LISTING = f"<ListMultipartUploadsResult><IsTruncated>false</IsTruncated>{UPLOAD.format(1)}{UPLOAD.format(2)}</ListMultipartUploadsResult>"


class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def answer(self, status, body=b""):
        self.send_response_only(status)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def do_GET(self):
        self.answer(200, LISTING.encode())

    def do_DELETE(self):
        self.answer(204)

    def log_message(self, *_):
        pass


if __name__ == "__main__":
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    print(server.server_port, flush=True)
    sys.stdin.read()
