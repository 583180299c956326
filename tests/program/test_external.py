"""A stack on a server that is already there: complete, guarded, gone without a trace; with and without superuser."""

from __future__ import annotations

import os
import random
import re
import secrets
import shutil
import threading
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any

import psycopg
import pytest

from infra.postgres.introspection.cluster_catalog import cluster_facts
from infra.server.embedded import cluster
from tests import newest
from tests.program.conftest import removed
from tests.program.homes import FAST
from tests.program.project import Project, finished
from tests.program.run_folder import new_checkout
from tests.program.state import admin_password

if TYPE_CHECKING:
    from collections.abc import Generator, Mapping

    from infra.postgres.introspection.cluster_catalog import ClusterFact
    from infra.server.embedded.specification import Running
    from tests.program.homes import Home

pytestmark = pytest.mark.full

SECRET = "Pw-" + secrets.token_urlsafe(18)
BOSS = "Pw-" + secrets.token_urlsafe(18)
LEFT = """
SELECT rolname::text FROM pg_roles WHERE rolname !~ '^pg_' AND rolname NOT IN ('postgres', 'boss', 'deputies', 'deputy')
UNION ALL SELECT datname::text FROM pg_database WHERE datname NOT IN ('postgres', 'template0', 'template1')
"""


@contextmanager
def served(data_root: Path, bin_dir: Path | None = None) -> Generator[Running]:
    """Run a server that no stack has made, with an administrator who is no superuser."""
    spec = cluster.ClusterSpec(
        name="external-" + secrets.token_hex(4),
        owner="tests",
        admin_password=SECRET,
        root=data_root,
        settings={name: "off" if value is False else str(value) for name, value in FAST.items()},
        bin_dir=bin_dir,
    )
    running = cluster.create(spec)
    try:
        admin(running, f"CREATE ROLE boss LOGIN CREATEDB CREATEROLE PASSWORD '{BOSS}'")
        admin(
            running,
            f"CREATE ROLE deputies CREATEDB CREATEROLE; CREATE ROLE deputy LOGIN IN ROLE deputies PASSWORD '{BOSS}'",
        )
        admin(running, "ALTER ROLE deputy SET role = deputies; ALTER ROLE deputy SET search_path = nowhere, public")
        yield running
    finally:
        cluster.destroy(spec.layout.base, owner=spec.owner)


@pytest.fixture(scope="module")
def there(data_root: Path) -> Generator[Running]:
    """Yield a server of the embedded one's version."""
    with served(data_root) as running:
        yield running


@pytest.fixture
def older(data_root: Path) -> Generator[Running]:
    """Yield a server of the oldest version that an administrator without superuser rights can work with."""
    bin_dir = Path("/usr/lib/postgresql/15/bin")
    if not (bin_dir / "initdb").exists() or not Path("/usr/share/postgresql/15/extension/pgcrypto.control").exists():
        pytest.skip("no PostgreSQL 15 below /usr/lib/postgresql (Debian 12: apt-get install postgresql-contrib)")
    with served(data_root, bin_dir) as running:
        yield running


@pytest.fixture
def latest(data_root: Path, tmp_path_factory: pytest.TempPathFactory) -> Generator[Running]:
    """Yield a server of the newest version that a package offers."""
    if newest.missing():
        pytest.skip(newest.missing())
    place = data_root.parent / tmp_path_factory.mktemp("newest").name
    try:
        with served(data_root, newest.copy_programs(place)) as running:
            yield running
    finally:
        shutil.rmtree(place)


def admin(server: Running, query: str) -> list[tuple[object, ...]]:
    """Run a query as the server's superuser; commits."""
    with psycopg.connect(
        host=server.host, port=server.port, user="postgres", password=SECRET, dbname="postgres", autocommit=True
    ) as connection:
        cursor = connection.execute(query.encode())
        return cursor.fetchall() if cursor.description else []


def facts(server: Running) -> frozenset[ClusterFact]:
    """Return every fact about the server that a stack could leave behind."""
    with psycopg.connect(
        host=server.host, port=server.port, user="postgres", password=SECRET, dbname="postgres"
    ) as connection:
        return cluster_facts(connection)


def placed(project: Project, server: Running, user: str, **more: str) -> None:
    """Use the server for a project, with the administrator's password in the environment."""
    dsn = f"host={server.host} port={server.port} user={user} dbname=postgres"
    given = {"kind": "external", "dsn": dsn, "password_variable": "ADMIN_PASSWORD", **more}
    project.configure(server=given, databases=["ext_db"])
    project.env["ADMIN_PASSWORD"] = SECRET if user == "postgres" else BOSS


@contextmanager
def stubborn(dsn: str) -> Generator[None]:
    """Hold a connection of an application during the block, which opens a connection again whenever it has lost one."""
    over, once = threading.Event(), threading.Event()

    def serve() -> None:
        while not over.is_set():
            with suppress(psycopg.Error), psycopg.connect(dsn, autocommit=True) as connection:
                once.set()
                while not over.wait(0.01):
                    connection.execute("SELECT 1")

    thread = threading.Thread(target=serve)
    thread.start()
    assert once.wait(30)
    try:
        yield
    finally:
        over.set()
        thread.join()


@pytest.mark.parametrize("user", ["postgres", "boss"])
def test_a_stack_lives_and_ends_on_a_server_that_is_already_there(bare: Project, there: Running, user: str) -> None:
    """A preview on nothing, `up`, no change, an edit, drift and `destroy`, which leaves no role and no database.

    An application that is connected, and comes back at once, does not keep its database there.
    """
    placed(bare, there, user)
    assert "postgres:SqlModule" in bare.preview()
    assert admin(there, LEFT) == []
    bare.up()
    tables = "SELECT count(*), array_agg(DISTINCT tableowner::text) FROM pg_tables WHERE schemaname = 'public'"
    assert bare.sql(tables, database="ext_db") == [(7, ["ext_db_owner"])]
    assert bare.sql("SELECT count(*) FROM shipping_methods", database="ext_db", role="readonly") == [(3,)]
    with pytest.raises(psycopg.errors.InsufficientPrivilege):
        bare.sql("CREATE TABLE mine (a int)", database="ext_db", role="app")
    assert re.search(r"Resources:\n +\d+ unchanged\n", bare.up())
    bare.edit("sql/02-init-customers.sql", "    full_name  varchar,\n", "    full_name  varchar(2000),\n")
    assert "rebuild 02-init-customers: its statements changed" in bare.preview()
    bare.up()
    bare.sql("SET ROLE ext_db_owner; ALTER TABLE customers ADD COLUMN more int", database="ext_db")
    assert "customers.more" in bare.refused("preview")
    assert bare.verb("preview", "--expect-no-changes").status != 0
    with stubborn(bare.outputs()["dsn"]["ext_db"]["app"]):
        bare.destroy()
    assert admin(there, LEFT) == []


def test_options_of_the_address_change_nothing_by_their_number_or_order(bare: Project, there: Running) -> None:
    """A live check works with all of them, and the next run has nothing to do, in whatever order they stand."""
    placed(bare, there, "boss")
    usual = bare.settings["server"]["dsn"]
    options = ["target_session_attrs=read-write", "sslmode=prefer", "keepalives_idle=30", "tcp_user_timeout=60000"]
    bare.serve(dsn=" ".join([usual, *options]))
    bare.up()
    for order in (options, options[::-1], options[2:] + options[:2]):
        bare.serve(dsn=" ".join([*order, usual]))
        text = bare.preview("--expect-no-changes")
        assert "could not be looked at" not in text, text
    assert re.search(r"Resources:\n +\d+ unchanged\n", bare.up())
    bare.sql("SET ROLE ext_db_owner; ALTER TABLE customers ADD COLUMN more int", database="ext_db")
    assert "customers.more" in bare.refused("preview")
    bare.destroy()
    assert admin(there, LEFT) == []


def test_an_extension_that_only_a_superuser_may_create_is_named_in_the_preview(bare: Project, there: Running) -> None:
    """The administrator is none: the sentence says who has to create it, and where; then the run goes on."""
    placed(bare, there, "boss")
    bare.configure(extensions=["uuid-ossp", "pgcrypto", "pg_trgm", "file_fdw"])
    assert "extension file_fdw: only a superuser may create it, and boss is none" in bare.preview()
    placed(bare, there, "postgres")
    assert "file_fdw: only" not in bare.preview()


def test_postgresql_15_needs_no_superuser_either(bare: Project, older: Running) -> None:
    """Before PostgreSQL 16 CREATEROLE has other rules; a stack lives and ends there all the same."""
    placed(bare, older, "boss")
    bare.up()
    assert str(bare.outputs()["server_version"]).startswith("15.")
    assert bare.sql("SELECT count(*) FROM shipping_methods", database="ext_db", role="app") == [(3,)]
    assert bare.verb("preview", "--expect-no-changes").status == 0
    bare.destroy()
    assert admin(older, LEFT) == []


def test_the_newest_postgresql_needs_no_superuser_either(bare: Project, latest: Running) -> None:
    """A stack lives, is edited, drifts and ends on the newest version that a package offers."""
    placed(bare, latest, "boss")
    bare.up()
    assert str(bare.outputs()["server_version"]).startswith("18.")
    assert bare.verb("preview", "--expect-no-changes").status == 0
    bare.edit("sql/02-init-customers.sql", "    full_name  varchar,\n", "    full_name  varchar(2000),\n")
    bare.up()
    bare.sql("SET ROLE ext_db_owner; ALTER TABLE customers ADD COLUMN more int", database="ext_db")
    assert "customers.more" in bare.refused("preview")
    bare.sql("SET ROLE ext_db_owner; ALTER TABLE customers DROP COLUMN more", database="ext_db")
    assert bare.verb("preview", "--expect-no-changes").status == 0
    bare.destroy()
    assert admin(latest, LEFT) == []


AT_ONCE = "at once"
ORDERS = [("older", "first"), ("older", AT_ONCE), ("latest", "second"), ("latest", AT_ONCE)]
"""A version, and what the order of the removals is drawn with; ORDER_SEED in the environment draws others."""


@pytest.mark.parametrize(("version", "order"), ORDERS)
def test_stacks_of_every_kind_share_a_server(
    home: Home, version: str, order: str, request: pytest.FixtureRequest
) -> None:
    """Two ephemeral stacks, 20 tenants and a persistent stack are made at once, and go in any order, or all at once.

    Those that stay notice nothing. In the end each fact about roles, databases, settings, memberships, privileges,
    comments, tablespaces and slots of the server is as it was before.
    """
    server: Running = request.getfixturevalue(version)
    before = facts(server)
    stacks: dict[str, dict[str, Any]] = {
        "first": {"databases": ["first_db"]},
        "second": {"databases": ["second_db"], "roles": {"reporting": {"inherits": "readonly"}}},
        "tenants": {"databases": [{"group": "tenant", "count": 20}]},
        "kept": {"databases": ["kept_db"], "lifecycle": "persistent"},
    }
    with ExitStack() as stack, ThreadPoolExecutor(len(stacks)) as threads:
        projects = {name: stack.enter_context(removed(Project(new_checkout(), home, name))) for name in stacks}
        for name, project in projects.items():
            project.make()
            placed(project, server, "boss")
            project.configure(**stacks[name])
            for file in (project.folder / "sql").glob("0[2-9]*.sql"):
                file.unlink()
            project.add("sql/02-customers.sql", f"CREATE TABLE {name} (id integer PRIMARY KEY, name text);\n")
        at_once(threads, projects, "up")
        left = {str(name) for (name,) in admin(server, LEFT)}
        assert len([name for name in left if name.startswith("tenant_")]) > 20 * 4
        drawn = random.Random(f"{order}{os.environ.get('ORDER_SEED', '')}").sample(sorted(stacks), len(stacks))
        for names in [drawn] if order == AT_ONCE else [[name] for name in drawn]:
            print("removed:", *names)
            going = {name: projects.pop(name) for name in names}
            if "kept" in going:
                going["kept"].configure(lifecycle="ephemeral")
                going["kept"].up()
            at_once(threads, going, "destroy")
            gone = {known for known in left for name in names if known.startswith(name.removesuffix("s"))}
            assert gone
            left -= gone
            assert {str(known) for (known,) in admin(server, LEFT)} == left
            for other in [*projects.values()][:1]:
                assert other.verb("preview", "--expect-no-changes").status == 0
    assert facts(server) == before


def at_once(threads: ThreadPoolExecutor, projects: Mapping[str, Project], verb: str) -> None:
    """Run a verb in all projects at the same time; it must succeed in each."""
    started = [project.start(*project.line(verb)) for project in projects.values()]
    runs = list(threads.map(finished, started))
    assert [run.text for run in runs if run.status != 0] == []


def test_a_persistent_stack_is_verified_by_an_administrator_without_superuser(bare: Project, there: Running) -> None:
    """The scratch database of a verification needs no more than CREATEDB and CREATEROLE, and none is left.

    The administrator has settings of its own: a role, whose rights those are, and a search_path.
    """
    placed(bare, there, "deputy")
    bare.configure(lifecycle="persistent")
    bare.up()
    bare.edit("sql/02-init-customers.sql", "    full_name  varchar,\n", "    full_name  varchar(2000),\n")
    assert "column public.customers.full_name is different" in bare.refused("preview")
    bare.sql("SET ROLE ext_db_owner; ALTER TABLE customers ALTER full_name TYPE varchar(2000)", database="ext_db")
    bare.up()
    assert [name for (name,) in admin(there, LEFT) if "scratch" in str(name)] == []
    bare.configure(lifecycle="ephemeral")
    bare.up()
    bare.destroy()
    assert admin(there, LEFT) == []


def test_another_server_in_its_place_stops_the_run_until_it_is_accepted(
    bare: Project, project: Project, there: Running
) -> None:
    """A swapped server is refused at preview before any write; the message has the setting that accepts it."""
    placed(bare, there, "postgres")
    bare.up()
    elsewhere = project.outputs()
    password = admin_password(project.exported())
    dsn = f"host=127.0.0.1 port={elsewhere['port']} user=postgres dbname=postgres"
    bare.serve(dsn=dsn)
    bare.env["ADMIN_PASSWORD"] = password
    text = bare.refused("preview")
    (accept,) = set(re.findall(r'set server\.accept to "(\d+)"', text))
    assert f"its system identifier is {accept}" in text
    bare.serve(accept=accept)
    assert "update" in bare.preview()
    placed(bare, there, "postgres")
    bare.destroy()


def test_the_administrators_password_is_refused_in_plain_text_and_kept_nowhere_else(
    bare: Project, there: Running
) -> None:
    """A password in the stack's file is one clear line; one in the environment is in no state, log or output."""
    placed(bare, there, "postgres", password="hunter2")
    text = bare.refused("preview")
    assert "server.password: holds a password in plain text" in text
    assert "hunter2" not in text
    placed(bare, there, "postgres")
    del bare.env["ADMIN_PASSWORD"]
    assert "server.password_variable: the variable that it names is not set in the environment" in bare.refused(
        "preview"
    )
    placed(bare, there, "postgres")
    printed = bare.up() + bare.pulumi("stack", "export", "--stack", bare.stack)
    kept = [path.read_bytes() for path in bare.folder.rglob("*") if path.is_file() and not path.is_symlink()]
    assert SECRET not in printed
    assert not any(SECRET.encode() in content for content in kept)
    bare.destroy()


@pytest.mark.parametrize("user", ["boss", "postgres"])
def test_another_password_of_any_role_is_found_and_taken_back(there: Running, bare: Project, user: str) -> None:
    """An administrator who cannot read verifiers has each role log in: the gate fails, and `up` sets the passwords."""
    placed(bare, there, user)
    bare.up()
    for role in ("app", "readonly"):
        admin(there, f"ALTER ROLE ext_db_{role} PASSWORD 'of-somebody-else'")
    text = bare.refused("preview", "--expect-no-changes")
    for role in ("app", "readonly"):
        assert f"role ext_db_{role} has another password than this stack gave it: it gets that again" in text
    assert "role ext_db_migrator has another password" not in text
    bare.up()
    assert bare.sql("SELECT current_user::text", role="app", database="ext_db") == [("ext_db_app",)]
    assert bare.sql("SELECT current_user::text", role="readonly", database="ext_db") == [("ext_db_readonly",)]
    assert bare.verb("preview", "--expect-no-changes").status == 0
    admin(there, "ALTER ROLE ext_db_app VALID UNTIL '2001-01-01'")
    text = bare.refused("preview", "--expect-no-changes")
    assert "another password" not in text
    assert "VALID UNTIL" in text
    bare.up()
    assert bare.verb("preview", "--expect-no-changes").status == 0
    bare.destroy()
