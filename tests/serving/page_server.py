"""A server that gives the page and plays recorded streams: what is asked is the name of one."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

from tests.serving.page_recordings import DOMAIN, STREAMS

PAGE = Path(__file__).parents[2] / "forge_assets" / "serving" / "page.html"
NONCE = "n0nce"
POLICY = (
    f"default-src 'none'; script-src 'nonce-{NONCE}'; style-src 'nonce-{NONCE}'; connect-src 'self'; "
    "base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
)
ERRORS = {
    "too long": (413, {"message": "The question has 100000 bytes; at most 2000.", "type": "invalid", "param": None}),
    "busy": (429, {"message": "All 4 places are taken: ask again in a moment.", "type": "busy", "param": None}),
    "bad field": (400, {"message": "Employees cannot be below 0.", "type": "invalid", "param": "facts.employees"}),
    "stopped": (503, {"message": "The model is starting.", "type": "unavailable", "param": None}),
}


class PageServer(ThreadingHTTPServer):
    """Keeps what was posted in `asked`."""

    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.asked: list[dict[str, Any]] = []
        self.gone = False

    def vanish(self) -> None:
        """Be gone, also to whoever has connected already."""
        self.gone = True
        self.shutdown()
        self.server_close()

    @property
    def address(self) -> str:
        return f"http://127.0.0.1:{self.server_port}/"


class _Handler(BaseHTTPRequestHandler):
    server: PageServer

    def do_GET(self) -> None:
        if self.path == "/":
            page = PAGE.read_text("utf-8").replace("{{nonce}}", NONCE)
            self._send(200, page.encode(), "text/html; charset=utf-8")
        elif self.path == "/domain":
            self._send(200, json.dumps(DOMAIN).encode(), "application/json")
        else:
            self._send(404, b"", "text/plain")

    def do_POST(self) -> None:
        if self.server.gone:
            self.connection.close()
            return
        body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        self.server.asked.append(body)
        if found := ERRORS.get(body["question"]):
            self._send(found[0], json.dumps({"error": found[1]}).encode(), "application/json")
            return
        self.send_response(200)
        self.send_header("Content-Type", "text/event-stream; charset=utf-8")
        self.end_headers()
        for name, data in STREAMS.get(body["question"], STREAMS["good"]):
            # cut where a network may cut: within a letter
            event = f"event: {name}\ndata: {json.dumps(data, ensure_ascii=False)}\n\n".encode()
            for at in range(0, len(event), 37):
                self.wfile.write(event[at : at + 37])
                self.wfile.flush()
            time.sleep(0.5 if body["question"] == "slow" else 0.002)

    def log_message(self, *_: object) -> None:
        """Say nothing."""

    def _send(self, status: int, body: bytes, kind: str) -> None:
        self.send_response(status)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Security-Policy", POLICY)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)


@contextmanager
def page_server() -> Iterator[PageServer]:
    """Run one until the block ends."""
    server = PageServer()
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05})
    thread.start()
    try:
        yield server
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
