"""A stand-in of GitHub's API: a real HTTP server on 127.0.0.1 that keeps the comments of one pull request."""

from __future__ import annotations

import json
import threading
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING, Any, ClassVar

if TYPE_CHECKING:
    from collections.abc import Generator


class GitHub(BaseHTTPRequestHandler):
    """A stand-in of the API: the comments of pull request 7, of which the first are other people's."""

    comments: ClassVar[list[dict[str, Any]]] = []
    read_only: ClassVar[bool] = False
    calls: ClassVar[list[tuple[str, str, str | None]]] = []

    def do_GET(self) -> None:
        page = int(self.path.rpartition("page=")[2])
        self.answer(200, self.comments[(page - 1) * 100 : page * 100])

    def do_POST(self) -> None:
        self.write({"id": 1000 + len(self.comments), **self.body()})

    def do_PATCH(self) -> None:
        self.write({"id": int(self.path.rpartition("/")[2]), **self.body()})

    def write(self, comment: dict[str, Any]) -> None:
        if self.read_only:
            self.answer(403, {"message": "Resource not accessible by integration"})
            return
        self.comments[:] = [other for other in self.comments if other["id"] != comment["id"]] + [comment]
        self.answer(200, comment)

    def body(self) -> dict[str, Any]:
        return json.loads(self.rfile.read(int(self.headers["Content-Length"])))

    def answer(self, status: int, value: object) -> None:
        self.calls.append((self.command, self.path, self.headers["Authorization"]))
        text = json.dumps(value).encode()
        self.send_response(status)
        self.send_header("Content-Length", str(len(text)))
        self.end_headers()
        self.wfile.write(text)

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 (the base class's name)
        """Write nothing."""


@contextmanager
def served(other_comments: int) -> Generator[str]:
    """Yield the address of the API, whose pull request has that many comments of other people."""
    server = ThreadingHTTPServer(("127.0.0.1", 0), GitHub)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    GitHub.comments[:] = [{"id": number, "body": "well done"} for number in range(other_comments)]
    GitHub.calls.clear()
    GitHub.read_only = False
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    thread.join()
    server.server_close()
