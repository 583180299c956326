"""Another process answers on the port of a server that is down: it is told no password, and no statement."""

from __future__ import annotations

import json
import re
import socket
import ssl
import struct
import threading
import time
from base64 import b64encode
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING

import pytest

from infra.server.certificates import issue, moment
from tests.program.docker_engine import missing
from tests.program.kinds import DOCKER, EMBEDDED

if TYPE_CHECKING:
    from collections.abc import Generator
    from pathlib import Path

    from tests.program.project import Project

pytestmark = pytest.mark.full

SSL_REQUEST = 80877103
"""The code of the first message of a client that asks for TLS (manual, 53.7)."""
PASSWORD, DIGEST, NOTHING = "the password as it is", "its MD5 digest", "nothing"
PROOF = "proof of it, and proves nothing itself"
DEMANDS = {
    PASSWORD: struct.pack("!cII", b"R", 8, 3),
    DIGEST: struct.pack("!cII4s", b"R", 12, 5, b"salt"),
    NOTHING: struct.pack("!cIIcIc", b"R", 8, 0, b"Z", 5, b"I"),
    PROOF: struct.pack("!cII15s", b"R", 23, 10, b"SCRAM-SHA-256\0\0"),
}
"""What a listener asks for, as an authentication request; without one it is ready for statements at once."""
WITHOUT_DOCKER = missing()
IN_CONTAINER = pytest.param(DOCKER, marks=pytest.mark.skipif(bool(WITHOUT_DOCKER), reason=WITHOUT_DOCKER))


@dataclass
class Visit:
    """Every byte that a client said, as it came, and those of them that the listener was given for its demand."""

    said: bytes = b""
    given: bytes = b""

    def hear(self, text: bytes) -> bytes:
        """Return what a client said, which is kept."""
        self.said += text
        return text


def listening(port: int) -> socket.socket:
    """Return a socket that listens on a port, as soon as the processes of the dead server have left it."""
    for _ in range(100):
        with suppress(OSError):
            return socket.create_server(("127.0.0.1", port))
        time.sleep(0.1)
    return socket.create_server(("127.0.0.1", port))


@contextmanager
def thief(port: int, demand: str, tls: ssl.SSLContext | None = None) -> Generator[list[Visit]]:
    """Listen on a port, ask whoever comes for something, and keep every byte of what each of them says."""
    visits: list[Visit] = []

    def serve(client: socket.socket) -> None:
        visits.append(visit := Visit())
        try:
            client.settimeout(5)
            start = visit.hear(client.recv(8))
            if struct.unpack("!II", start)[1] == SSL_REQUEST:
                client.sendall(b"S" if tls else b"N")
                client = tls.wrap_socket(client, server_side=True) if tls else client
                start = visit.hear(client.recv(8))
            visit.hear(client.recv(struct.unpack("!II", start)[0] - 8))
            client.sendall(DEMANDS[demand])
            if demand == PROOF:
                impostor(client, visit)
            while text := visit.hear(client.recv(4096)):
                visit.given += text
        except (OSError, struct.error):  # the client ended the connection, or waits for an answer
            pass
        finally:
            client.close()

    def accept(listener: socket.socket) -> None:
        with suppress(OSError):
            while True:
                threading.Thread(target=serve, args=(listener.accept()[0],), daemon=True).start()

    with listening(port) as listener:
        thread = threading.Thread(target=accept, args=(listener,), daemon=True)
        thread.start()
        yield visits
        listener.shutdown(socket.SHUT_RDWR)
    thread.join()


def impostor(client: socket.socket, visit: Visit) -> None:
    """Play a server of SCRAM that does not know the password (RFC 5802)."""
    nonce = re.search(rb"r=([^,]+)$", visit.hear(client.recv(4096)))
    if nonce is None:  # it ended the connection
        return
    challenge = b"r=%bmore,s=%b,i=4096" % (nonce[1], b64encode(b"a salt of no use"))
    client.sendall(struct.pack("!cII", b"R", 8 + len(challenge), 11) + challenge)
    visit.hear(client.recv(4096))  # a proof, from which nobody learns the password
    signature = b"v=" + b64encode(bytes(32))
    client.sendall(struct.pack("!cII", b"R", 8 + len(signature), 12) + signature + DEMANDS[NOTHING])


def certified(folder: Path) -> ssl.SSLContext:
    """Return TLS with a certificate for the right address, of an authority that nobody trusts."""
    issued = issue(["127.0.0.1"], issued=moment())
    file = folder / "of-a-thief.pem"
    file.write_text(issued.key + issued.certificate)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(file)
    return context


def passwords_of(project: Project) -> set[bytes]:
    """Return every password in a stack's state, as the bytes that a client would say."""
    resources = project.exported()["deployment"]["resources"]
    secrets = [resource["outputs"]["passwords"] for resource in resources if "passwords" in resource.get("outputs", {})]
    return {text.encode() for secret in secrets for text in json.loads(secret["plaintext"]).values()}


@pytest.mark.parametrize("kind", [EMBEDDED, IN_CONTAINER], indirect=True)
def test_whoever_listens_on_the_port_is_told_no_password(bare: Project, tmp_path: Path) -> None:
    """No verb of Pulumi's gives one away, by `make` or typed by hand; `up` brings the stack's own server back."""
    bare.up()
    passwords = passwords_of(bare)
    assert len(passwords) >= 4
    attacks = [(verb, demand, None) for verb in ("preview", "up") for demand in (PASSWORD, PROOF)]
    attacks += [("refresh", demand, None) for demand in DEMANDS]
    attacks += [("refresh", PASSWORD, certified(tmp_path))]
    for verb, demand, tls in attacks:
        outputs = bare.outputs()
        bare.home.kill(bare)
        with thief(outputs["port"], demand, tls) as visits:
            bare.verb(verb)
        assert not [visit for visit in visits if visit.given], (verb, demand, visits)
        assert not [visit for visit in visits for password in passwords if password in visit.said], (verb, demand)
        bare.up()
        assert bare.sql("SELECT 1") == [(1,)]
    assert passwords_of(bare) == passwords  # nobody was told one, so that none is another
    outputs = bare.outputs()
    bare.home.kill(bare)
    with thief(outputs["port"], PASSWORD) as visits:
        for command in ("status", "backup"):
            before = len(visits)
            bare.run_python("-m", "infra", command, "--stack", bare.stack)
            assert len(visits) > before, command
        bare.destroy()
    assert not [visit for visit in visits if visit.given]
