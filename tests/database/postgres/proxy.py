"""A TCP proxy for a server, which cuts one connection at a chosen moment."""

from __future__ import annotations

import socket
import threading
from contextlib import suppress
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from types import TracebackType

    from typing_extensions import Self

BUFFER = 65536
ANSWER_SECONDS = 5


class Proxy:
    """Forwards to a Unix socket, and cuts once the connection that sends `word` after it sent `first`.

    `when` is `before` (the word is not forwarded), `within` (half of its message is), `after` (all of it is, and the
    connection is cut when the server answers, without forwarding the answer), or `never`.
    """

    def __init__(self, server: str, *, when: str, word: bytes, first: bytes = b"") -> None:
        self.server = server
        self.when = when
        self.word = word
        self.first = first
        self.cuts = 0
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port: int = self._listener.getsockname()[1]
        self._thread = threading.Thread(target=self._accept, daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self, _type: type[BaseException] | None, _error: BaseException | None, _trace: TracebackType | None
    ) -> None:
        self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        self._thread.join()

    def _accept(self) -> None:
        with suppress(OSError):
            while True:
                client, _ = self._listener.accept()
                upstream = socket.socket(socket.AF_UNIX)
                upstream.connect(self.server)
                threading.Thread(target=self._forward, args=(client, upstream), daemon=True).start()
                threading.Thread(target=self._back, args=(upstream, client), daemon=True).start()

    def _forward(self, client: socket.socket, upstream: socket.socket) -> None:
        received = b""
        with suppress(OSError), client, upstream:
            while data := client.recv(BUFFER):
                received += data
                if not self.cuts and self.when != "never" and self.first in received and self.word in data:
                    self.cuts += 1
                    self._cut(client, upstream, data)
                    return
                upstream.sendall(data)

    def _cut(self, client: socket.socket, upstream: socket.socket, data: bytes) -> None:
        """Cut the connection at the chosen moment, on both sides."""
        client.shutdown(socket.SHUT_RD)
        if self.when == "within":
            upstream.sendall(data[: len(data) // 2])
        elif self.when == "after":
            answered = threading.Event()
            self._answered = answered
            self._muted = client
            upstream.sendall(data)
            answered.wait(ANSWER_SECONDS)
        client.shutdown(socket.SHUT_RDWR)
        upstream.shutdown(socket.SHUT_RDWR)

    _answered: threading.Event | None = None
    _muted: socket.socket | None = None

    def _back(self, upstream: socket.socket, client: socket.socket) -> None:
        with suppress(OSError):
            while answer := upstream.recv(BUFFER):
                if self._muted is client and self._answered:
                    self._answered.set()
                    return
                client.sendall(answer)
