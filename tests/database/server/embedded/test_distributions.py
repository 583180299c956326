"""Other builds of PostgreSQL in the wheel's place, and uuid-ossp with each of them."""

from __future__ import annotations

import os
import time
import uuid
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import psycopg
import pytest
from psycopg import sql

from infra.errors import RefusedError, ServerError
from infra.postgres.connection.connect import connect
from infra.server.embedded import cluster
from infra.server.embedded.distribution import locate
from tests.database.postgres.databases import by_hand

if TYPE_CHECKING:
    from collections.abc import Callable, Generator

    from typing_extensions import LiteralString

    from infra.server.embedded.cluster import ClusterSpec, Running

    StartServer = Callable[[ClusterSpec], Running]
    Shared = tuple[ClusterSpec, Running]

pytestmark = pytest.mark.database

DEBIAN = sorted(Path("/usr/lib/postgresql").glob("*/bin"))
NAMES = ["", "a", "www.example.com", "Grüße aus Köln", "日本語", "🐘", "x" * 5000, "ä" * 5000, "it's \\ \n\t"]
SPACES = ["uuid_ns_dns()", "uuid_ns_url()", "uuid_ns_oid()", "uuid_ns_x500()", "uuid_nil()"]

ATTRIBUTES = """
SELECT p.oid::regprocedure::text, proargnames, prorettype::regtype::text, proretset, provolatile, proisstrict,
       proparallel, procost, prosecdef, proleakproof, prokind, proconfig, proacl
FROM pg_proc p JOIN pg_depend d ON d.objid = p.oid AND d.deptype = 'e'
JOIN pg_extension e ON e.oid = d.refobjid WHERE extname = 'uuid-ossp' AND proname <> 'uuid_ossp_digest' ORDER BY 1
"""


def debian() -> Path:
    if not DEBIAN:
        pytest.skip("no PostgreSQL below /usr/lib/postgresql (Debian: apt-get install postgresql)")
    return DEBIAN[-1]


@contextmanager
def connected(spec: ClusterSpec, running: Running, database: str = "postgres") -> Generator[psycopg.Connection]:
    with connect(by_hand(spec.target(running.port).on(database)), autocommit=True) as connection:
        yield connection


@pytest.fixture
def replaced(shared: Shared) -> Shared:
    """Return a server whose uuid-ossp is this project's replacement."""
    if shared[1].distribution.uuid_ossp != "replacement":
        pytest.skip("this platform's wheel has the C module of uuid-ossp")
    return shared


WITHOUT_TLS = """\
#!/bin/sh
# As a server that was built without OpenSSL says it.
case "$*" in *ssl=on*) echo 'FATAL:  SSL is not supported by this build'; exit 1;; esac
exec {postgres} "$@"
"""


def new_database(connection: psycopg.Connection, options: LiteralString = "") -> str:
    name = f"test_{uuid.uuid4().hex}"
    create = sql.SQL("CREATE DATABASE {} TEMPLATE template0 ").format(sql.Identifier(name))
    connection.execute(create + sql.SQL(options))
    return name


def test_debian_in_place(spec: ClusterSpec) -> None:
    """An installation named by bin_dir is used where it is, through the whole life of a server."""
    changed_spec = replace(spec, bin_dir=debian())
    running = cluster.create(changed_spec)
    assert running.distribution.bin == changed_spec.bin_dir
    assert running.distribution.major == int(debian().parent.name)
    assert not (spec.root / "dist").exists()
    os.kill(running.pid, 9)
    assert cluster.ensure(changed_spec).action == "started"
    began = time.perf_counter()
    assert cluster.ensure(changed_spec).action == "unchanged"
    assert time.perf_counter() - began < 1
    cluster.destroy(spec.layout.base, owner=spec.owner)
    assert not spec.root.exists()


def test_a_server_that_cannot_prove_itself_is_refused(spec: ClusterSpec, tmp_path: Path) -> None:
    """A build without TLS is named before anything is created: the plugin could not tell it from a stranger."""
    for tool in debian().iterdir():
        (tmp_path / tool.name).symlink_to(tool)
    (tmp_path / "postgres").unlink()
    (tmp_path / "postgres").write_text(WITHOUT_TLS.format(postgres=debian() / "postgres"))
    (tmp_path / "postgres").chmod(0o755)
    for step in (cluster.plan, cluster.create):
        with pytest.raises(
            ServerError, match=r"was built without TLS.*SSL is not supported by this build; set bin_dir"
        ):
            step(replace(spec, bin_dir=tmp_path))
    assert not spec.layout.base.exists()


def test_other_major_in_place_of_the_wheel(spec: ClusterSpec, start_server: StartServer) -> None:
    """A bin_dir of another major version is refused for data that exists."""
    changed_spec = replace(spec, bin_dir=debian())
    if locate(debian()).major == locate(None).major:
        pytest.skip("the installed PostgreSQL has the wheel's major version")
    running = start_server(spec)
    with pytest.raises(
        RefusedError, match=f"was created by PostgreSQL {running.distribution.major} and cannot be used by"
    ):
        cluster.ensure(changed_spec)
    assert cluster.ensure(spec).pid == running.pid


def test_bin_dir_that_the_account_cannot_reach(spec: ClusterSpec, place: Path) -> None:
    """As root, binaries in a closed directory are refused by that directory's name."""
    if os.geteuid() != 0:
        pytest.skip("an ordinary user runs the server itself")
    closed = place / "closed"
    closed.mkdir(mode=0o700)
    (closed / "pg").symlink_to(locate(None).bin.parent)
    with pytest.raises(ServerError) as caught:
        cluster.create(replace(spec, bin_dir=closed / "pg" / "bin"))
    assert str(caught.value).startswith(f"{closed}: is not reachable for user platform-postgres")


def test_available_extensions_can_be_created(shared: Shared) -> None:
    """The server can create every extension that the distribution lists."""
    spec, running = shared
    available = running.distribution.extensions()
    assert {"pgcrypto", "pg_trgm", "plpgsql", "uuid-ossp"} <= set(available)
    with connected(spec, running) as connection:
        name = new_database(connection)
        with connected(spec, running, name) as inside:
            rows = inside.execute("SELECT name FROM pg_available_extensions").fetchall()
            for extension in available:
                statement = sql.SQL("CREATE EXTENSION IF NOT EXISTS {} CASCADE").format(sql.Identifier(extension))
                inside.execute(statement)
    assert set(available) <= {row[0] for row in rows}


def test_uuid_ossp_equals_the_c_module(replaced: Shared, spec: ClusterSpec) -> None:
    """The replacement gives the C module's results, and its functions have the C module's attributes."""
    if "uuid-ossp" not in locate(debian()).extensions():
        pytest.skip("no C module of uuid-ossp (Debian: apt-get install postgresql-contrib)")
    module_spec = replace(spec, bin_dir=debian())
    module = cluster.create(module_spec)
    assert module.distribution.uuid_ossp == "module"
    answers: list[object] = []
    for server_spec, running in (replaced, (module_spec, module)):
        rows: list[object] = []
        with connected(server_spec, running) as connection:
            for options in ("ENCODING 'UTF8'", "ENCODING 'LATIN1' LC_COLLATE 'C' LC_CTYPE 'C'"):
                with connected(server_spec, running, new_database(connection, options)) as inside:
                    inside.execute('CREATE EXTENSION "uuid-ossp"')
                    rows += [inside.execute(ATTRIBUTES).fetchall(), results(inside, latin="LATIN1" in options)]
        answers.append(rows)
    assert answers[0] == answers[1]
    assert len(str(answers[0])) > 4000


def results(inside: psycopg.Connection, *, latin: bool) -> list[object]:
    """Return the results of all functions that do not depend on time or chance."""
    names = [name for name in NAMES if not latin or name.isascii() or "ä" in name or "ü" in name]
    rows: list[object] = [inside.execute(f"SELECT {', '.join(SPACES)}".encode()).fetchone()]
    for version in (3, 5):
        query = f"SELECT uuid_generate_v{version}({{}}, %s)"
        rows += [
            inside.execute(query.format(space).encode(), [name]).fetchone()
            for space in SPACES
            for name in [*names, None]
        ]
    return rows


def test_uuid_ossp_by_chance_and_time(replaced: Shared) -> None:
    """Versions 1, 1mc and 4 have the right version, variant, time and multicast bit, and never repeat."""
    spec, running = replaced
    with connected(spec, running) as connection, connected(spec, running, new_database(connection)) as inside:
        inside.execute('CREATE EXTENSION "uuid-ossp"')
        for function, version in (("v1", 1), ("v1mc", 1), ("v4", 4)):
            before = time.time()
            query = f"SELECT uuid_generate_{function}() FROM generate_series(1, 10000)"
            uuids: list[uuid.UUID] = [row[0] for row in inside.execute(query.encode()).fetchall()]
            assert len(set(uuids)) == 10000
            assert {(value.version, value.variant) for value in uuids} == {(version, uuid.RFC_4122)}
            if version == 1:
                seconds = [value.time / 1e7 - 12_219_292_800 for value in uuids]
                assert before - 1 <= min(seconds) <= max(seconds) <= time.time() + 1
                assert {value.node >> 40 & 3 for value in uuids} == {3}
                assert len({value.node for value in uuids}) > 9000


def test_uuid_ossp_in_any_schema(replaced: Shared) -> None:
    """A database owner without superuser rights creates it in an oddly named schema; any search_path will do."""
    spec, running = replaced
    with connected(spec, running) as connection:
        name, role = new_database(connection), f"owner_{uuid.uuid4().hex[:8]}"
        connection.execute(sql.SQL("CREATE ROLE {}").format(sql.Identifier(role)))
        connection.execute(sql.SQL("ALTER DATABASE {} OWNER TO {}").format(sql.Identifier(name), sql.Identifier(role)))
        with connected(spec, running, name) as inside:
            inside.execute(sql.SQL("SET ROLE {}").format(sql.Identifier(role)))
            inside.execute('CREATE SCHEMA "Ext ""x"""')
            inside.execute('CREATE EXTENSION "uuid-ossp" SCHEMA "Ext ""x"""')
            inside.execute("SET search_path = ''")
            query = 'SELECT "Ext ""x""".uuid_generate_v5("Ext ""x""".uuid_ns_dns(), \'www.example.com\')'
            assert inside.execute(query).fetchone() == (uuid.uuid5(uuid.NAMESPACE_DNS, "www.example.com"),)


def test_uuid_ossp_says_what_it_is(replaced: Shared) -> None:
    """The extension's comment names it as this project's replacement, and it may be moved as the C module may."""
    spec, running = replaced
    with connected(spec, running) as connection, connected(spec, running, new_database(connection)) as inside:
        row = inside.execute("SELECT comment FROM pg_available_extensions WHERE name = 'uuid-ossp'").fetchone()
        assert row
        assert "platform-postgres replacement" in row[0]
        inside.execute('CREATE EXTENSION "uuid-ossp"')
        inside.execute("CREATE SCHEMA elsewhere")
        inside.execute('ALTER EXTENSION "uuid-ossp" SET SCHEMA elsewhere')
        assert inside.execute("SELECT elsewhere.uuid_generate_v1mc() <> elsewhere.uuid_generate_v1()").fetchone() == (
            True,
        )
