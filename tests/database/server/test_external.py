"""A server that is already there: what is found out about it, and every reason why a stack cannot live on it."""

from __future__ import annotations

import socket
import struct
import threading
from contextlib import closing, contextmanager
from typing import TYPE_CHECKING

import psycopg
import pytest

from infra.errors import RefusedError, ServerError
from infra.server.external import keywords, reach, refuse_another

if TYPE_CHECKING:
    from collections.abc import Generator

    from infra.server.embedded.cluster import ClusterSpec, Running

BOSS = "Pw-of-the-boss"


def dsn(running: Running, **more: object) -> str:
    given = {"host": running.host, "port": running.port, "user": "postgres", **more}
    return " ".join(f"{name}={value}" for name, value in given.items())


def execute(shared: tuple[ClusterSpec, Running], *statements: str) -> None:
    spec, running = shared
    with psycopg.connect(dsn(running), dbname="postgres", password=spec.admin_password, autocommit=True) as connection:
        for statement in statements:
            connection.execute(statement.encode())


def refusal(dsn: str, password: str = "") -> str:
    with pytest.raises(ServerError) as refused:
        reach(dsn, password)
    text = str(refused.value)
    assert not password or password not in text
    return text


def test_a_superuser_reaches_it(shared: tuple[ClusterSpec, Running]) -> None:
    """What a stack needs to know is found in one connection: version, identity, rights, extensions, options."""
    spec, running = shared
    reached = reach(dsn(running, sslmode="prefer"), spec.admin_password)
    assert (reached.host, reached.port, reached.user) == (running.host, running.port, "postgres")
    assert (reached.version, reached.system_identifier) == (running.version, running.system_identifier)
    assert reached.database == "postgres"
    assert reached.superuser
    assert not reached.encrypted
    assert "pgcrypto" in reached.extensions
    assert reached.options == {"sslmode": "prefer"}
    assert spec.admin_password not in repr(reached)


def test_a_uri_with_the_password_is_the_same(shared: tuple[ClusterSpec, Running]) -> None:
    """A URI is taken as keywords are, the password in it included; a password given beside it wins."""
    spec, running = shared
    uri = f"postgresql://postgres:{spec.admin_password}@{running.host}:{running.port}/postgres"
    assert reach(uri).password == spec.admin_password
    assert reach(uri.replace(spec.admin_password, "wrong"), spec.admin_password).password == spec.admin_password


def test_rights_to_make_roles_and_databases_are_enough(shared: tuple[ClusterSpec, Running]) -> None:
    """CREATEDB and CREATEROLE are what managed services give; one of them alone is refused with the remedy."""
    _, running = shared
    execute(shared, f"CREATE ROLE boss LOGIN CREATEROLE PASSWORD '{BOSS}'")
    assert "ALTER ROLE boss CREATEDB CREATEROLE" in refusal(dsn(running, user="boss"), BOSS)
    execute(shared, "ALTER ROLE boss CREATEDB")
    reached = reach(dsn(running, user="boss"), BOSS)
    assert not reached.superuser
    assert reached.system_identifier == running.system_identifier


def test_a_wrong_password_is_said_with_its_settings(shared: tuple[ClusterSpec, Running]) -> None:
    """The message names the settings in which a password may stand, and never the password."""
    _, running = shared
    assert "correct server.dsn, server.password" in refusal(dsn(running), "hunter2hunter2")


def test_nobody_there_is_said_with_every_host(shared: tuple[ClusterSpec, Running]) -> None:
    """Of several hosts the first that answers is taken; when none does, each is named."""
    spec, running = shared
    with closing(socket.socket()) as silent:
        silent.bind(("127.0.0.1", 0))
        port = silent.getsockname()[1]
        hosts = f"host=127.0.0.1,{running.host} port={port},{running.port} user=postgres"
        reached = reach(hosts, spec.admin_password)
        assert (reached.port, reached.hosts) == (running.port, f"127.0.0.1,{running.host}")
        assert reached.ports == f"{port},{running.port}"
        text = refusal(f"host=127.0.0.1,127.0.0.1 port={port},{port} user=postgres")
    assert text.startswith("server 127.0.0.1,127.0.0.1: cannot be reached")
    assert "see that it runs" in text


def test_a_server_that_takes_no_changes_is_refused(shared: tuple[ClusterSpec, Running]) -> None:
    """default_transaction_read_only is found before anything is tried."""
    spec, running = shared
    execute(shared, "ALTER ROLE postgres SET default_transaction_read_only = on")
    try:
        assert "takes no changes: default_transaction_read_only is on" in refusal(dsn(running), spec.admin_password)
    finally:
        execute(shared, "SET default_transaction_read_only = off", "ALTER ROLE postgres RESET ALL")


def test_tls_that_the_server_lacks_is_said_with_the_words_to_change(shared: tuple[ClusterSpec, Running]) -> None:
    """A demanded certificate that nobody shows is named as what it is."""
    spec, running = shared
    assert "correct sslmode, sslrootcert" in refusal(dsn(running, sslmode="require"), spec.admin_password)


@contextmanager
def pooler(running: Running) -> Generator[int]:
    """Stand between client and server as poolers do: what a client is told of its backend is not the server's pid."""
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
    """Behind a pooler the backend's pid is not the one that the client was told, and a stack refuses to work there."""
    spec, running = shared
    with pooler(running) as port:
        text = refusal(dsn(running, port=port, sslmode="disable", gssencmode="disable"), spec.admin_password)
    assert "is behind a connection pooler" in text
    assert "name the server itself in server.dsn" in text


def test_another_server_is_refused_until_it_is_accepted(shared: tuple[ClusterSpec, Running]) -> None:
    """The first server is any; later another one is refused, unless its system identifier is the accepted one."""
    spec, running = shared
    reached = reach(dsn(running), spec.admin_password)
    refuse_another(reached, "", "")
    refuse_another(reached, reached.system_identifier, "")
    refuse_another(reached, "1", reached.system_identifier)
    with pytest.raises(RefusedError, match=f'set server.accept to "{reached.system_identifier}"'):
        refuse_another(reached, "1", "2")


@pytest.mark.parametrize("text", ["hunter2", "host=a pass word=x", "postgresql://u:hun%zz@h/d"])
def test_what_is_no_connection_string_is_not_repeated(text: str) -> None:
    """Libpq quotes what it cannot read, which may be the password; this program does not."""
    with pytest.raises(ServerError) as refused:
        keywords(text)
    assert "is no connection string that libpq can read" in str(refused.value)
    assert "hun" not in str(refused.value)


def test_a_keys_passphrase_is_refused() -> None:
    """It would be kept with every connection's options."""
    assert "sslpassword" in refusal("host=a sslpassword=hunter2")
