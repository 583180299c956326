"""The address of a Docker engine, requests to it, and the messages when it cannot be reached."""

from __future__ import annotations

import gc
import json
import struct
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING, Any

import pytest

from infra.errors import ServerError
from infra.server.docker.client import connect_client
from infra.server.docker.engine import Engine, engine_of

if TYPE_CHECKING:
    from collections.abc import Generator
    from pathlib import Path

UNCONNECTED_SOCKET = pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")
"""The SDK leaves a socket open that it could not connect (https://github.com/docker/docker-py/pull/3356)."""
VERSION = {"ApiVersion": "1.47"}
OUTPUT = struct.pack(">BxxxL", 1, 4) + b"out\n" + struct.pack(">BxxxL", 2, 6) + b"error\n"
ANSWERS: dict[str, tuple[int, Any]] = {
    "/version": (200, VERSION),
    "/v1.47/_ping": (200, "OK"),
    "/v1.47/images/postgres:17/json": (200, {"Id": "sha256:1"}),
    "/v1.47/containers/pg/exec": (201, {"Id": "e1"}),
    "/v1.47/exec/e1/start": (200, OUTPUT),
    "/v1.47/exec/e1/json": (200, {"ExitCode": 3}),
    "/v1.47/containers/paused/exec": (409, {"message": "container paused is\n paused"}),
    "/v1.47/distribution/private:1/json": (403, {"message": "denied"}),
    "/v1.47/distribution/none:1/json": (500, {"message": "no such host"}),
}


class FakeEngine(BaseHTTPRequestHandler):
    """The answers of an engine with one image and one container."""

    def do_GET(self) -> None:
        status, answer = ANSWERS.get(self.path, (404, {"message": "No such object"}))
        self.send_response(status)
        self.end_headers()
        body = (
            answer
            if isinstance(answer, bytes)
            else (answer if isinstance(answer, str) else json.dumps(answer)).encode()
        )
        self.wfile.write(body)

    def do_DELETE(self) -> None:
        self.do_GET()

    def do_POST(self) -> None:
        self.rfile.read(int(self.headers["Content-Length"]))
        self.do_GET()

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002, ANN401 (the signature of the base class)
        """Write no log."""


@pytest.fixture
def address() -> Generator[str]:
    """Start an engine, and return its host and port."""
    with ThreadingHTTPServer(("127.0.0.1", 0), FakeEngine) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield f"127.0.0.1:{server.server_port}"
        server.shutdown()
        thread.join()


@pytest.fixture
def engine(address: str) -> Engine:
    return Engine(f"tcp://{address}")


@pytest.fixture
def collect_sockets() -> Generator[None]:
    """Make the garbage collector find unclosed sockets during the test that expects them."""
    yield
    gc.collect()


@pytest.mark.parametrize(
    ("setting", "variable", "expected"),
    [
        (None, None, "unix:///var/run/docker.sock"),
        (None, "tcp://10.0.0.1:2376", "tcp://10.0.0.1:2376"),
        ("unix:///home/me/docker.sock", "tcp://10.0.0.1:2376", "unix:///home/me/docker.sock"),
    ],
)
def test_the_setting_comes_before_the_environment_and_the_usual_socket_last(
    setting: str | None, variable: str | None, expected: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """No socket of one operating system is asked for where another one is used: the environment decides."""
    monkeypatch.delenv("DOCKER_HOST", raising=False)
    if variable:
        monkeypatch.setenv("DOCKER_HOST", variable)
    assert engine_of(setting).host == expected


@pytest.mark.parametrize("host", ["npipe:////./pipe/docker_engine", "tcp://", "ssh://", "tcp://host:port", "docker"])
def test_an_address_of_another_kind_is_one_sentence(host: str) -> None:
    """A named pipe, or half an address, is named with what can be written instead."""
    with pytest.raises(ServerError) as caught:
        engine_of(host).ping()
    assert str(caught.value).startswith(f"Docker at {host}: is no address ")
    assert "; write unix:///path/of/docker.sock, tcp://host:port or ssh://user@host" in str(caught.value)


@pytest.mark.parametrize(
    ("host", "hostname", "is_local"),
    [
        ("unix:///var/run/docker.sock", "", True),
        ("tcp://127.0.0.1:2375", "127.0.0.1", True),
        ("ssh://me@localhost", "localhost", True),
        ("tcp://10.0.0.1", "10.0.0.1", False),
        ("tcp://[fd00::1]:2375", "fd00::1", False),
        ("ssh://me@box:2222", "box", False),
    ],
)
def test_the_host_name_is_that_of_the_address(host: str, hostname: str, *, is_local: bool) -> None:
    """User, port and brackets are no part of it; a Unix socket is on this machine and has none."""
    engine = Engine(host)
    assert (engine.hostname, engine.is_local) == (hostname, is_local)


@pytest.mark.usefixtures("collect_sockets")
@UNCONNECTED_SOCKET
def test_an_engine_that_does_not_run_is_one_sentence(tmp_path: Path) -> None:
    """The reason is the system's own, without the exceptions around it."""
    with pytest.raises(ServerError) as caught:
        Engine(f"unix://{tmp_path}/docker.sock").ping()
    assert str(caught.value).startswith(f"Docker at unix://{tmp_path}/docker.sock: does not answer: No such file or ")
    assert "set server.docker_host or DOCKER_HOST" in caught.value.remedy
    with pytest.raises(ServerError, match="does not answer: Connection refused; start it"):
        Engine("tcp://127.0.0.1:1").ping()


def test_objects_are_described_as_the_engine_does_and_missing_ones_are_none(engine: Engine) -> None:
    """Only a missing object is None; an engine that refuses is an error."""
    assert engine.image("postgres:17") == {"Id": "sha256:1"}
    assert engine.image("postgres:18") is engine.container("pg") is engine.volume("v") is engine.network("n") is None
    assert engine.log_tail("pg") == ""
    engine.remove("pg")
    with pytest.raises(ServerError, match=r"^Docker at tcp://.*: refuses the request: No such object$"):
        engine.start("pg")


def test_a_command_in_a_container_has_its_status_and_both_streams(engine: Engine) -> None:
    """The frames in which the engine sends the output are taken off; a refusal is the engine's message on one line."""
    assert engine.execute("pg", "exit 3", user="postgres", variables={}) == (3, "out\nerror")
    with pytest.raises(ServerError, match="refuses the request: container paused is paused"):
        engine.execute("paused", "exit 3", user="postgres", variables={})


def test_a_registry_that_wants_a_login_refuses_nothing(engine: Engine) -> None:
    """Only other answers of the registry are reasons; the plugin that pulls may have credentials."""
    assert engine.pull_refusal("private:1") == ""
    assert engine.pull_refusal("none:1") == "no such host"


def test_a_proxy_of_the_environment_is_not_used(address: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """HTTP_PROXY is for the internet; the engine is reached directly."""
    for name in ("HTTP_PROXY", "http_proxy", "ALL_PROXY"):
        monkeypatch.setenv(name, "http://127.0.0.1:1")
    monkeypatch.delenv("NO_PROXY", raising=False)
    monkeypatch.delenv("no_proxy", raising=False)
    assert Engine(f"tcp://{address}").container("none") is None


@pytest.mark.usefixtures("collect_sockets")
@UNCONNECTED_SOCKET
def test_a_missing_tls_file_is_named(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """DOCKER_TLS_VERIFY without its files is one sentence; a Unix socket needs none."""
    monkeypatch.setenv("DOCKER_TLS_VERIFY", "1")
    monkeypatch.setenv("DOCKER_CERT_PATH", str(tmp_path))
    with pytest.raises(ServerError, match=r"Docker at tcp://box: has no TLS file .*/ca\.pem; set DOCKER_CERT_PATH"):
        connect_client("tcp://box")
    with pytest.raises(ServerError, match="does not answer"):
        connect_client(f"unix://{tmp_path}/docker.sock")
