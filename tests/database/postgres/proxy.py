"""A TCP proxy before a server, which cuts one connection at a chosen moment: a network that fails when it hurts."""

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
    """Forwards to a Unix socket; cuts, once, the connection that says `word` after it said `first`.

    `when` is `before` (the word is not forwarded), `within` (half of its message is), `after` (it is, and the answer is
    lost once the server has given it), or `never`.
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
        said = b""
        with suppress(OSError), client, upstream:
            while sent := client.recv(BUFFER):
                said += sent
                if not self.cuts and self.when != "never" and self.first in said and self.word in sent:
                    self.cuts += 1
                    self._cut(client, upstream, sent)
                    return
                upstream.sendall(sent)

    def _cut(self, client: socket.socket, upstream: socket.socket, sent: bytes) -> None:
        """Leave the client alone at the chosen moment, and the server too."""
        client.shutdown(socket.SHUT_RD)
        if self.when == "within":
            upstream.sendall(sent[: len(sent) // 2])
        elif self.when == "after":
            answered = threading.Event()
            self._answered = answered
            self._muted = client
            upstream.sendall(sent)
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
