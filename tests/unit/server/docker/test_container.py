"""Where a container's port is reached, and the decisions while its server is not ready."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, cast

import pytest

from infra.errors import ServerError
from infra.postgres.connection.failure import ConnectionFailure
from infra.server import external
from infra.server.docker import container
from infra.server.docker.engine import Engine

if TYPE_CHECKING:
    from collections.abc import Callable

OPTIONS = {"host": "127.0.0.1", "port": "15432", "user": "postgres"}


@pytest.mark.parametrize(
    ("host", "address", "expected"),
    [
        ("unix:///var/run/docker.sock", "127.0.0.1", "127.0.0.1"),
        ("unix:///var/run/docker.sock", "0.0.0.0", "127.0.0.1"),
        ("unix:///var/run/docker.sock", "10.0.0.5", "10.0.0.5"),
        ("tcp://10.0.0.1:2376", "0.0.0.0", "10.0.0.1"),
        ("tcp://box", "0.0.0.0", "box"),
        ("ssh://me@box", "0.0.0.0", "box"),
        ("ssh://me@box:2222", "10.0.0.5", "10.0.0.5"),
    ],
)
def test_a_server_is_reached_where_its_port_is_published(host: str, address: str, expected: str) -> None:
    """A port on all addresses is reached at this machine's own, or at the host in the engine's address."""
    assert container.reachable_at(Engine(host), address) == expected


@pytest.mark.parametrize("host", ["tcp://10.0.0.1:2376", "ssh://me@box"])
def test_a_port_on_the_loopback_address_of_another_machine_is_refused(host: str) -> None:
    """The message names the setting that publishes it elsewhere."""
    with pytest.raises(ServerError, match=r"runs on another machine, .*; set server\.address to an address"):
        container.reachable_at(Engine(host), "127.0.0.1")


class FakeContainer:
    """An engine whose only container runs, or does not."""

    def __init__(self, *, running: bool = True) -> None:
        self.running = running
        self.scripts: list[str] = []

    def start(self, _container: str) -> None: ...

    def container(self, _container: str) -> dict[str, Any]:
        return {"State": {"Running": self.running}}

    def log_tail(self, _container: str) -> str:
        return "no space left"

    def execute(self, _container: str, script: str, **_keywords: object) -> tuple[int, str]:
        self.scripts.append(script)
        return 0, ""


def unreachable(sqlstate: str, failure: ConnectionFailure = ConnectionFailure.OTHER) -> Callable[[], None]:
    """Return an attempt that fails, with a message in another language than English."""

    def attempt() -> None:
        raise external.UnreachableServerError(
            "cannot be reached: ¡no!", failure=failure, sqlstate=sqlstate, place="server pg", remedy=""
        )

    return attempt


def unusable() -> None:
    raise ServerError("is a standby")


def ready() -> None: ...


def make_ready(engine: FakeContainer, monkeypatch: pytest.MonkeyPatch, *attempts: Callable[[], None]) -> None:
    """Get a container ready whose server answers the attempts in this order."""
    remaining = list(attempts)

    def reach(_dsn: str, _password: str) -> None:
        remaining.pop(0)()

    monkeypatch.setattr(external, "reach_server", reach)
    monkeypatch.setattr(container, "_PAUSE_SECONDS", 0)
    container.make_ready(cast("Engine", engine), "pg", OPTIONS, "secret")
    assert remaining == []


def test_a_server_that_starts_is_waited_for_and_a_wrong_password_is_set(monkeypatch: pytest.MonkeyPatch) -> None:
    """The SQLSTATE decides, since the server's messages are in the language of its image."""
    engine = FakeContainer()
    make_ready(engine, monkeypatch, unreachable("57P03"), unreachable("28P01"), ready)
    assert len(engine.scripts) == 1
    engine = FakeContainer()
    make_ready(engine, monkeypatch, unreachable("57P03"), ready)
    assert engine.scripts == []


def test_a_password_is_set_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """A server that refuses it again is an error with the end of its log."""
    engine = FakeContainer()
    with pytest.raises(
        ServerError, match="container pg: cannot be reached: ¡no!; the end of the container's log: no sp"
    ):
        make_ready(engine, monkeypatch, unreachable("28P01"), unreachable("28P01"))
    assert len(engine.scripts) == 1


def test_a_container_that_ended_is_not_waited_for(monkeypatch: pytest.MonkeyPatch) -> None:
    """The error has the end of its log."""
    with pytest.raises(ServerError, match="the end of the container's log: no space left"):
        make_ready(FakeContainer(running=False), monkeypatch, unreachable("57P03"))


def test_a_server_that_cannot_be_used_is_not_waited_for(monkeypatch: pytest.MonkeyPatch) -> None:
    """It answered, so its settings are what has to be corrected."""
    with pytest.raises(ServerError, match=r"container pg: is a standby; correct server\.settings"):
        make_ready(FakeContainer(), monkeypatch, unusable)


def test_a_wrong_certificate_is_not_waited_for(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nor is a password set: the client does not trust the server, and no later attempt changes that."""
    engine = FakeContainer()
    with pytest.raises(ServerError, match="container pg: cannot be reached: ¡no!; correct"):
        make_ready(engine, monkeypatch, unreachable("", ConnectionFailure.TLS_FAILED))
    assert engine.scripts == []
