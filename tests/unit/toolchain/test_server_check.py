"""Whether a server answers, asked without a password."""

from __future__ import annotations

import socket
import threading
from contextlib import contextmanager
from typing import TYPE_CHECKING

import pytest
import server_check

if TYPE_CHECKING:
    from collections.abc import Generator


@contextmanager
def listening(answer: bytes) -> Generator[int]:
    """Listen on a port and give an answer to whoever asks for TLS, or none; yield the port."""

    def serve() -> None:
        client, _ = listener.accept()
        with client:
            client.recv(8)
            client.sendall(answer)
            over.wait()

    over = threading.Event()
    with socket.create_server(("127.0.0.1", 0)) as listener:
        thread = threading.Thread(target=serve)
        thread.start()
        yield listener.getsockname()[1]
        over.set()
        thread.join()


@pytest.mark.parametrize(("answer", "expected"), [(b"N", True), (b"S", True), (b"", False)])
def test_a_server_that_accepts_a_connection_has_to_answer_too(
    monkeypatch: pytest.MonkeyPatch, answer: bytes, *, expected: bool
) -> None:
    """With or without TLS it says so; a paused container's port accepts and is silent."""
    monkeypatch.setattr(server_check, "CONNECT_SECONDS", 0.5)
    with listening(answer) as port:
        assert server_check.answers({"host": "127.0.0.1", "port": port}) is expected


def test_the_first_of_several_hosts_that_answers_is_enough(monkeypatch: pytest.MonkeyPatch) -> None:
    """Hosts and ports are libpq's lists."""
    monkeypatch.setattr(server_check, "CONNECT_SECONDS", 0.5)
    with listening(b"N") as port:
        assert server_check.answers({"host": "127.0.0.1,127.0.0.1", "port": f"1,{port}"})
    assert not server_check.answers({"host": "127.0.0.1,127.0.0.1", "port": "1,2"})
