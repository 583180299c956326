"""Another process answers on the port of a server that is down: it is told no password, and no statement."""

from __future__ import annotations

import json
import socket
import ssl
import struct
import threading
import time
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING

import pytest
from server_check import answers

from infra.server.certificates import issue, moment
from tests.program.kinds import EMBEDDED
from tests.program.state import named

if TYPE_CHECKING:
    from collections.abc import Generator
    from pathlib import Path

    from tests.program.project import Project

pytestmark = pytest.mark.full

SSL_REQUEST = 80877103
"""The code of the first message of a client that asks for TLS (manual, 53.7)."""
DEMANDS = {
    "the password as it is": struct.pack("!cII", b"R", 8, 3),
    "its MD5 digest": struct.pack("!cII4s", b"R", 12, 5, b"salt"),
    "nothing": struct.pack("!cIIcIc", b"R", 8, 0, b"Z", 5, b"I"),
}
"""What a listener asks for, as an authentication request; without one it is ready for statements at once."""


def listening(port: int) -> socket.socket:
    """Return a socket that listens on a port, as soon as the processes of the dead server have left it."""
    for _ in range(100):
        with suppress(OSError):
            return socket.create_server(("127.0.0.1", port))
        time.sleep(0.1)
    return socket.create_server(("127.0.0.1", port))


@contextmanager
def thief(port: int, demand: str, tls: ssl.SSLContext | None = None) -> Generator[list[bytes]]:
    """Listen on a port, ask whoever comes for something, and keep what each of them says then."""
    told: list[bytes] = []

    def serve(client: socket.socket) -> None:
        said = b""
        try:
            client.settimeout(5)
            (length, code) = struct.unpack("!II", client.recv(8))
            if code == SSL_REQUEST:
                client.sendall(b"S" if tls else b"N")
                client = tls.wrap_socket(client, server_side=True) if tls else client
                (length, code) = struct.unpack("!II", client.recv(8))
            client.recv(length - 8)
            client.sendall(DEMANDS[demand])
            said = client.recv(4096)
        except (OSError, struct.error):  # the client ended the connection
            pass
        finally:
            client.close()
            told.append(said)

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


def certified(folder: Path) -> ssl.SSLContext:
    """Return TLS with a certificate for the right address, of an authority that nobody trusts."""
    issued = issue(["127.0.0.1"], issued=moment())
    file = folder / "of-a-thief.pem"
    file.write_text(issued.key + issued.certificate)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(file)
    return context


@pytest.mark.parametrize("kind", [EMBEDDED], indirect=True)
def test_whoever_listens_on_the_port_is_told_no_password(bare: Project, tmp_path: Path) -> None:
    """No verb of Pulumi's gives one away, by `make` or typed by hand; `up` brings the stack's own server back."""
    bare.up()
    state = bare.exported()
    secrets = [named(state, resource)["outputs"]["passwords"] for resource in ("app_db-passwords", "admin-password")]
    passwords = {text.encode() for secret in secrets for text in json.loads(secret["plaintext"]).values()}
    assert len(passwords) == 4
    assert answers(bare.outputs())
    attacks = [(verb, "the password as it is", None) for verb in ("preview", "up")]
    attacks += [("refresh", demand, None) for demand in DEMANDS]
    attacks += [("refresh", "the password as it is", certified(tmp_path))]
    for verb, demand, tls in attacks:
        outputs = bare.outputs()
        bare.home.kill(bare)
        with thief(outputs["port"], demand, tls) as told:
            bare.verb(verb)
            said = [text for text in told if text]
        assert not said, (verb, demand, said)
        bare.up()
        assert bare.sql("SELECT 1") == [(1,)]
    outputs = bare.outputs()
    bare.home.kill(bare)
    with thief(outputs["port"], "the password as it is") as told:
        for command in ("status", "backup"):
            visitors = len(told)
            bare.run_python("-m", "infra", command, "--stack", bare.stack)
            assert len(told) > visitors, command
        bare.verb("refresh", "--target", "**::server")  # as `make refresh` does where the server does not answer
        assert not answers(outputs)  # so that it ends here
        bare.destroy()
        assert not [text for text in told if text]
