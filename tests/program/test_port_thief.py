"""Another process answers on the port of a server that is down: it is told no password."""

from __future__ import annotations

import json
import socket
import struct
import threading
import time
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING

import pytest
from server_check import answers

from tests.program.kinds import EMBEDDED
from tests.program.state import named

if TYPE_CHECKING:
    from collections.abc import Generator

    from tests.program.project import Project

pytestmark = pytest.mark.full

SSL_REQUEST, CLEARTEXT = 80877103, struct.pack("!cII", b"R", 8, 3)
"""The first message of a client that asks for TLS, and a server's demand of the password as it is (manual, 55.7)."""


def listening(port: int) -> socket.socket:
    """Return a socket that listens on a port, as soon as the processes of the dead server have left it."""
    for _ in range(100):
        with suppress(OSError):
            return socket.create_server(("127.0.0.1", port))
        time.sleep(0.1)
    return socket.create_server(("127.0.0.1", port))


@contextmanager
def thief(port: int) -> Generator[list[bytes]]:
    """Listen on a port, ask whoever comes for the password in clear, and keep what they say."""
    told: list[bytes] = []

    def serve(client: socket.socket) -> None:
        with client, suppress(OSError):
            client.settimeout(5)
            (length, code) = struct.unpack("!II", client.recv(8))
            if code == SSL_REQUEST:
                client.sendall(b"N")
                (length, code) = struct.unpack("!II", client.recv(8))
            client.recv(length - 8)
            client.sendall(CLEARTEXT)
            told.append(client.recv(4096))

    def accept(listener: socket.socket) -> None:
        with suppress(OSError):
            while True:
                threading.Thread(target=serve, args=(listener.accept()[0],), daemon=True).start()

    with listening(port) as listener:
        thread = threading.Thread(target=accept, args=(listener,), daemon=True)
        thread.start()
        yield told
        listener.shutdown(socket.SHUT_RDWR)
    thread.join()


@pytest.mark.parametrize("kind", [EMBEDDED], indirect=True)
def test_whoever_listens_on_the_port_is_told_no_password(bare: Project) -> None:
    """Neither a preview nor `make refresh` gives one away; afterwards `up` brings the stack's own server back."""
    bare.up()
    state = bare.exported()
    secrets = [named(state, resource)["outputs"]["passwords"] for resource in ("app_db-passwords", "admin-password")]
    passwords = {text.encode() for secret in secrets for text in json.loads(secret["plaintext"]).values()}
    assert len(passwords) == 4
    port = bare.outputs()["port"]
    assert answers(bare.outputs())
    bare.home.kill(bare)
    outputs = bare.outputs()
    with thief(port) as told:
        bare.verb("preview")
        bare.verb("refresh", "--target", "**::server")  # as `make refresh` does where the server does not answer
        assert not answers(outputs)  # so that it ends here
        said = b"".join(told)
    assert told, "nobody came"
    assert not [password for password in passwords if password in said]
    bare.up()
    assert bare.sql("SELECT 1") == [(1,)]
