"""Whether anybody listens: only what refuses connections, or has no name, is gone."""

from __future__ import annotations

import socket
from typing import TYPE_CHECKING

from infra.postgres.connection.presence import nobody_listens
from infra.postgres.connection.target import Target
from tests.unit.postgres.connection.refusing_server import RefusingServer

if TYPE_CHECKING:
    from pathlib import Path


def at(host: str, port: int | str = 1, **options: str) -> Target:
    return Target("127.0.0.1", 1, "postgres", "boss", "pw", {"host": host, "port": str(port), **options})


def test_a_port_that_refuses_connections_is_gone() -> None:
    """Whether the target lists one host or several, or has a host and port of its own."""
    assert nobody_listens(Target("127.0.0.1", 1, "postgres", "boss", "pw"))
    assert nobody_listens(at("localhost"))
    assert nobody_listens(at("127.0.0.1,127.0.0.1", "1,2"))
    assert nobody_listens(at("127.0.0.1,127.0.0.1", "1"))


def test_a_name_that_nobody_knows_is_gone() -> None:
    """No server has a name below `invalid`; an address in place of it is what libpq connects to."""
    assert nobody_listens(at("database.invalid"))
    with RefusingServer("57P03") as server:
        assert not nobody_listens(at("database.invalid", server.port, hostaddr="127.0.0.1"))


def test_who_answers_is_there_whatever_they_say() -> None:
    """A refused login, a server that starts, one that has no TLS, and one of several hosts."""
    for sqlstate in ("28P01", "57P03", ""):
        with RefusingServer(sqlstate) as server:
            assert not nobody_listens(at("127.0.0.1", server.port, sslmode="require"))
            assert not nobody_listens(at("127.0.0.1,127.0.0.1", f"1,{server.port}"))


def test_what_is_unclear_is_not_gone() -> None:
    """Hosts that only libpq knows, and lists that do not fit."""
    assert not nobody_listens(Target("", 0, "postgres", "boss", "pw", {"service": "database"}))
    assert not nobody_listens(Target("", 0, "postgres", "boss", "pw"))
    assert not nobody_listens(at("a.invalid,b.invalid,c.invalid", "1,2"))


def test_a_socket_in_the_file_system_is_gone_with_its_file(tmp_path: Path) -> None:
    """Also where the file is there, and nobody listens on it; a folder that may not be read is unclear."""
    assert nobody_listens(at(str(tmp_path)))
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(str(tmp_path / ".s.PGSQL.1"))
        listener.listen()
        assert not nobody_listens(at(str(tmp_path)))
    assert nobody_listens(at(str(tmp_path)))
