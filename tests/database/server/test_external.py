"""An existing server: what reach_server() returns, and every reason why a stack cannot use the server."""

from __future__ import annotations

import socket
import struct
import threading
from contextlib import closing, contextmanager, suppress
from dataclasses import replace
from typing import TYPE_CHECKING

import psycopg
import pytest

from infra.errors import RefusedError, ServerError
from infra.server.dsn import parse_keywords
from infra.server.embedded import cluster
from infra.server.external import reach_server, refuse_another

if TYPE_CHECKING:
    from collections.abc import Callable, Generator

    from infra.server.embedded.cluster import ClusterSpec, Running

BOSS = "Pw-of-the-boss"


def dsn(running: Running, **more: object) -> str:
    keywords = {"host": running.host, "port": running.port, "user": "postgres", **more}
    return " ".join(f"{name}={value}" for name, value in keywords.items())


def execute(shared: tuple[ClusterSpec, Running], *statements: str) -> None:
    spec, running = shared
    with psycopg.connect(dsn(running), dbname="postgres", password=spec.admin_password, autocommit=True) as connection:
        for statement in statements:
            connection.execute(statement.encode())


@contextmanager
def without_tls() -> Generator[int]:
    """Answer each request for TLS as a server without it does (PostgreSQL manual, 53.2.9); yield the port."""
    listener = socket.create_server(("127.0.0.1", 0))

    def answer() -> None:
        with suppress(OSError):
            while True:
                client, _ = listener.accept()
                with client:
                    client.recv(8)
                    client.sendall(b"N")

    thread = threading.Thread(target=answer, daemon=True)
    thread.start()
    try:
        yield listener.getsockname()[1]
    finally:
        listener.shutdown(socket.SHUT_RDWR)
        listener.close()
        thread.join()


def refusal(dsn: str, password: str = "") -> str:
    with pytest.raises(ServerError) as refused:
        reach_server(dsn, password)
    text = str(refused.value)
    assert not password or password not in text
    return text


def test_a_superuser_reaches_it(shared: tuple[ClusterSpec, Running]) -> None:
    """One connection reads what a stack needs: version, identity, privileges, extensions, options."""
    spec, running = shared
    reached = reach_server(dsn(running, sslmode="prefer"), spec.admin_password)
    assert (reached.host, reached.port, reached.user) == (running.host, running.port, "postgres")
    assert (reached.version, reached.system_identifier) == (running.version, running.system_identifier)
    assert reached.database == "postgres"
    assert reached.superuser
    assert reached.encrypted
    assert not reach_server(dsn(running, sslmode="disable"), spec.admin_password).encrypted
    assert "pgcrypto" in reached.extensions
    assert reached.options == {"sslmode": "prefer"}
    assert spec.admin_password not in repr(reached)


def test_a_uri_with_the_password_is_the_same(shared: tuple[ClusterSpec, Running]) -> None:
    """A URI is accepted as keywords are, with the password in it; a separate password overrides that."""
    spec, running = shared
    uri = f"postgresql://postgres:{spec.admin_password}@{running.host}:{running.port}/postgres"
    assert reach_server(uri).password == spec.admin_password
    assert reach_server(uri.replace(spec.admin_password, "wrong"), spec.admin_password).password == spec.admin_password


def test_createdb_and_createrole_are_enough(shared: tuple[ClusterSpec, Running]) -> None:
    """CREATEDB and CREATEROLE, as managed services grant them, are accepted; one of them alone is refused."""
    _, running = shared
    execute(shared, f"CREATE ROLE boss LOGIN CREATEROLE PASSWORD '{BOSS}'")
    assert "ALTER ROLE boss CREATEDB CREATEROLE" in refusal(dsn(running, user="boss"), BOSS)
    execute(shared, "ALTER ROLE boss CREATEDB")
    reached = reach_server(dsn(running, user="boss"), BOSS)
    assert not reached.superuser
    assert reached.system_identifier == running.system_identifier


def test_the_role_that_is_set_for_the_administrator_is_the_administrator(shared: tuple[ClusterSpec, Running]) -> None:
    """Its rights count, and not the login's; a role without them is named, whatever the login may do itself."""
    _, running = shared
    execute(shared, "CREATE ROLE deputies CREATEDB", "CREATE ROLE none_at_all")
    execute(shared, f"CREATE ROLE deputy LOGIN IN ROLE deputies, none_at_all PASSWORD '{BOSS}'")
    execute(shared, "ALTER ROLE deputy SET role = deputies", "ALTER ROLE deputy SET search_path = nowhere")
    assert "ALTER ROLE deputy CREATEDB CREATEROLE" in refusal(dsn(running, user="deputy"), BOSS)
    execute(shared, "ALTER ROLE deputies CREATEROLE")
    assert not reach_server(dsn(running, user="deputy"), BOSS).superuser
    execute(shared, "ALTER ROLE deputies SUPERUSER")
    assert reach_server(dsn(running, user="deputy"), BOSS).superuser
    execute(shared, "ALTER ROLE deputy SUPERUSER", "ALTER ROLE deputy SET role = none_at_all")
    text = refusal(dsn(running, user="deputy"), BOSS)
    assert "role none_at_all, which is set for user deputy, may not create roles and databases" in text
    assert "ALTER ROLE deputy RESET role" in text
    execute(shared, "ALTER ROLE deputy SET role = none")
    assert reach_server(dsn(running, user="deputy"), BOSS).superuser


def test_a_wrong_password_names_its_settings(shared: tuple[ClusterSpec, Running]) -> None:
    """The message names the settings that can contain a password, and never the password."""
    _, running = shared
    assert "correct server.dsn, server.password" in refusal(dsn(running), "hunter2hunter2")


def test_unreachable_hosts_are_all_named(shared: tuple[ClusterSpec, Running]) -> None:
    """The first of several hosts that answers is used; when none does, each is named."""
    spec, running = shared
    with closing(socket.socket()) as silent:
        silent.bind(("127.0.0.1", 0))
        port = silent.getsockname()[1]
        hosts = f"host=127.0.0.1,{running.host} port={port},{running.port} user=postgres"
        reached = reach_server(hosts, spec.admin_password)
        assert (reached.port, reached.hosts) == (running.port, f"127.0.0.1,{running.host}")
        assert reached.ports == f"{port},{running.port}"
        text = refusal(f"host=127.0.0.1,127.0.0.1 port={port},{port} user=postgres")
    assert text.startswith("server 127.0.0.1,127.0.0.1: cannot be reached")
    assert "check that it runs" in text


def test_a_server_that_takes_no_changes_is_refused(shared: tuple[ClusterSpec, Running]) -> None:
    """default_transaction_read_only is refused before any write."""
    spec, running = shared
    execute(shared, "ALTER ROLE postgres SET default_transaction_read_only = on")
    try:
        assert "takes no changes: default_transaction_read_only is on" in refusal(dsn(running), spec.admin_password)
    finally:
        execute(shared, "SET default_transaction_read_only = off", "ALTER ROLE postgres RESET ALL")


def test_of_several_servers_the_one_that_accepts_writes_is_used(
    start_server: Callable[[ClusterSpec], Running], new_spec: Callable[[], ClusterSpec]
) -> None:
    """A standby named first is passed over, whether or not the connection string says what it is to be."""
    first = new_spec()
    second = replace(new_spec(), admin_password=first.admin_password)
    primary, standby = start_server(first), start_server(second)
    cluster.stop(second.layout.base, owner=second.owner)
    (standby.data_directory / "standby.signal").touch()
    standby = cluster.ensure(second)
    hosts = f"host={standby.host},{primary.host} port={standby.port},{primary.port} user=postgres"
    for options in ("", " target_session_attrs=read-write", " target_session_attrs=primary"):
        assert reach_server(hosts + options, first.admin_password).port == primary.port
    assert "is a standby" in refusal(f"{hosts} target_session_attrs=any", first.admin_password)


def test_missing_tls_names_the_keywords_to_correct() -> None:
    """A server without TLS is refused with the TLS keywords when the connection string requires TLS."""
    with without_tls() as port:
        text = refusal(f"host=127.0.0.1 port={port} user=postgres sslmode=require", "a password")
    assert "correct sslmode, sslrootcert" in text


@contextmanager
def pooler(running: Running) -> Generator[int]:
    """Forward connections as a pooler does: the backend pid that the client receives is not the server's."""
    listener = socket.create_server(("127.0.0.1", 0))

    def pump(source: socket.socket, sink: socket.socket, *, disguise: bool) -> None:
        while data := source.recv(65536):
            at = data.find(b"K" + struct.pack("!i", 12)) if disguise else -1
            sink.sendall(data if at < 0 else data[: at + 5] + struct.pack("!i", 7) + data[at + 9 :])

    def serve() -> None:
        with (
            closing(listener.accept()[0]) as client,
            closing(socket.create_connection((running.host, running.port))) as server,
        ):
            back = threading.Thread(target=pump, args=(server, client), kwargs={"disguise": True})
            back.start()
            pump(client, server, disguise=False)
            server.shutdown(socket.SHUT_WR)
            back.join()

    serving = threading.Thread(target=serve)
    serving.start()
    try:
        yield listener.getsockname()[1]
    finally:
        serving.join()
        listener.close()


def test_a_pooler_is_recognised(shared: tuple[ClusterSpec, Running]) -> None:
    """Behind a pooler the backend has another pid than the client received, and the server is refused."""
    spec, running = shared
    with pooler(running) as port:
        text = refusal(dsn(running, port=port, sslmode="disable", gssencmode="disable"), spec.admin_password)
    assert "is behind a connection pooler" in text
    assert "name the server itself in server.dsn" in text


def test_another_server_is_refused_until_it_is_accepted(shared: tuple[ClusterSpec, Running]) -> None:
    """A new stack accepts any server; later another server is refused unless its system identifier is accepted."""
    spec, running = shared
    reached = reach_server(dsn(running), spec.admin_password)
    refuse_another(reached, "", "")
    refuse_another(reached, reached.system_identifier, "")
    refuse_another(reached, "1", reached.system_identifier)
    with pytest.raises(RefusedError, match=f'set server.accept to "{reached.system_identifier}"'):
        refuse_another(reached, "1", "2")


@pytest.mark.parametrize("text", ["hunter2", "host=a pass word=x", "postgresql://u:hun%zz@h/d"])
def test_an_invalid_connection_string_is_not_quoted(text: str) -> None:
    """Libpq quotes what it cannot read, which may be the password; this program does not."""
    with pytest.raises(ServerError) as refused:
        parse_keywords(text)
    assert "is no connection string that libpq can read" in str(refused.value)
    assert "hun" not in str(refused.value)


def test_a_keys_passphrase_is_refused() -> None:
    """Sslpassword is refused: it would be kept in the options of every connection."""
    assert "sslpassword" in refusal("host=a sslpassword=hunter2")
