"""Where modules are run to be compared: on a private server that is like the stack's, else on the stack's own."""

from __future__ import annotations

import subprocess
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from infra.errors import ServerError
from infra.modules.decision import Step
from infra.postgres.connection.connect import connect
from infra.server.scratch import scratch_provider
from tests.database.postgres.databases import EPHEMERAL, OWNER

if TYPE_CHECKING:
    from infra.postgres.apply.likeness import Likeness
    from infra.postgres.connection.session import Session
    from tests.database.postgres.databases import World

pytest_plugins = ["tests.database.scratch_server"]

TABLE = "CREATE TABLE a (id integer);\n"
WHERE = "DO $$ BEGIN RAISE EXCEPTION 'autovacuum is %', current_setting('autovacuum'); END $$;\n"
"""Off on a private server, on on the tests' server."""
ON_THE_SERVER = "modules are compared on the server itself, as a login without rights, because"
OLDER = Path("/usr/lib/postgresql/15/bin")


@pytest.fixture
def on_private(world: World) -> World:
    """Return a world whose modules are compared on a private server, as in a stack."""
    return world.set(scratch=scratch_provider.scratch_provider({}))


def changed(world: World, before: str, after: str) -> World:
    """Apply a module, and change its file and nothing in the database."""
    world.write(m01_a=before)
    world.up()
    world.write(m01_a=after)
    world.messages.clear()
    return world


def pretend(monkeypatch: pytest.MonkeyPatch, **changes: Any) -> None:  # noqa: ANN401 (fields of a likeness)
    """Read other values than the live database has."""
    read = scratch_provider.session_likeness

    def other(session: Session) -> Likeness:
        return replace(read(session), **changes)

    monkeypatch.setattr(scratch_provider, "session_likeness", other)


def test_a_changed_module_is_compared_on_a_private_server(on_private: World) -> None:
    """It runs as the migrator there, as in a run; nothing of it reaches the live server, and nothing is said."""
    world = changed(on_private, TABLE, TABLE + WHERE)
    assert "autovacuum is off" in world.step("01-a").why
    world.write(m01_a=TABLE + "SELECT 1;")
    assert world.step("01-a").step is Step.VERIFY
    assert world.up() == [Step.VERIFY]
    assert world.messages == []


def test_it_has_the_names_of_the_database_and_its_roles(on_private: World) -> None:
    """The database's name, the login, the owner and every role of the server: in SQL text, and put together by SQL."""
    name = on_private.session.target.database
    with connect(on_private.session.admin, autocommit=True) as connection:
        connection.execute(f"CREATE ROLE {name}_app; CREATE ROLE reporting".encode())
    try:
        module = (
            f"{TABLE}ALTER TABLE a OWNER TO {OWNER};\nGRANT SELECT ON a TO reporting;\n"
            "DO $$ BEGIN EXECUTE format('GRANT SELECT ON a TO %I', current_database() || '_app'); END $$;\n"
            "DO $$ BEGIN EXECUTE format('ALTER DATABASE %I SET work_mem = 100', current_database()); END $$;\n"
            "DO $$ BEGIN ASSERT session_user = 'world_migrator' AND current_user = 'world_owner'; END $$;\n"
        )
        world = changed(on_private, module, f"{module}SELECT 1;")
        assert world.step("01-a").step is Step.VERIFY
        assert world.up() == [Step.VERIFY]
        assert world.messages == []
    finally:
        with connect(on_private.session.admin, autocommit=True) as connection:
            connection.execute(f"DROP OWNED BY {name}_app, reporting; DROP ROLE {name}_app, reporting".encode())


def test_a_role_that_is_named_after_its_database_is_there_on_the_stacks_server_too(world: World) -> None:
    """The scratch database and its roles have other names there, and the real ones in what is compared."""
    name = world.session.target.database
    with connect(world.session.admin, autocommit=True) as connection:
        connection.execute(f"CREATE ROLE {name}_app".encode())
    try:
        module = (
            f"{TABLE}DO $$ BEGIN EXECUTE format('GRANT SELECT ON a TO %I', current_database() || '_app'); END $$;\n"
            "DO $$ BEGIN EXECUTE format('CREATE POLICY p ON a TO %I', current_database() || '_app'); END $$;\n"
            "CREATE POLICY q ON a TO CURRENT_USER;\n"
        )
        world = changed(world.set(roles=(f"{name}_app",)), module, f"{module}SELECT 1;")
        assert world.step("01-a").step is Step.VERIFY
        assert world.up() == [Step.VERIFY]
    finally:
        world.sql("DROP TABLE a")
        with connect(world.session.admin, autocommit=True) as connection:
            connection.execute(f"DROP ROLE {name}_app".encode())


EXTENSIONS = [
    "CREATE EXTENSION citext;\n",
    "CREATE SCHEMA ext;\nCREATE EXTENSION citext SCHEMA ext;\n",
    "CREATE SCHEMA ext;\nCREATE EXTENSION citext SCHEMA ext VERSION '1.5';\n",
    "CREATE EXTENSION IF NOT EXISTS citext VERSION '1.5';\nALTER EXTENSION citext UPDATE;\n",
]


@pytest.mark.parametrize("private", [True, False], ids=["on a private server", "on the stack's server"])
@pytest.mark.parametrize("text", EXTENSIONS)
def test_an_extension_of_a_module_is_as_the_module_makes_it(world: World, text: str, *, private: bool) -> None:
    """In the schema and in the version that it names; it is not there before the module, as in a first run."""
    if private:
        world.set(scratch=scratch_provider.scratch_provider({}))
    world = changed(world, f"{text}{TABLE}", f"{text}{TABLE}SELECT 1;")
    assert world.step("01-a").step is Step.VERIFY
    assert world.up() == [Step.VERIFY]


@pytest.mark.parametrize("private", [True, False], ids=["on a private server", "on the stack's server"])
def test_an_extension_of_the_administrator_is_there_before(world: World, *, private: bool) -> None:
    """In the schema and in the version that it has in the live database."""
    if private:
        world.set(scratch=scratch_provider.scratch_provider({}))
    world.sql("CREATE SCHEMA more; CREATE EXTENSION hstore SCHEMA more VERSION '1.7'", owner=False)
    world.sql("GRANT USAGE ON SCHEMA more TO PUBLIC", owner=False)
    world.set(allowed=("schema more",))
    text = "CREATE EXTENSION IF NOT EXISTS hstore;\nCREATE TABLE a (h more.hstore);\n"
    world = changed(world, text, f"{text}SELECT 1;")
    assert world.step("01-a").step is Step.VERIFY


def test_an_extension_that_the_stack_has_just_declared_is_there(on_private: World) -> None:
    """`up` creates it before the modules run, so a preview assumes it."""
    on_private.set(extensions=("dblink",))
    world = changed(on_private, TABLE, f"{TABLE}SELECT dblink_get_connections();")
    assert world.step("01-a").step is Step.VERIFY


def test_it_has_the_locale_of_the_database(on_private: World) -> None:
    """The provider and the locale are those of the live database."""
    name = on_private.session.target.database
    with connect(on_private.session.admin.on("postgres"), autocommit=True) as connection:
        connection.execute(f"DROP DATABASE {name}".encode())
        connection.execute(
            f"CREATE DATABASE {name} OWNER {OWNER} TEMPLATE template0 LOCALE_PROVIDER builtin"
            " BUILTIN_LOCALE 'C.UTF-8' LC_COLLATE 'C' LC_CTYPE 'C'".encode()
        )
    on_private.sql(f"GRANT CREATE ON SCHEMA public TO {OWNER}", owner=False)
    locale = "SELECT format('%s %s', datlocprovider, datlocale) FROM pg_database WHERE datname = current_database()"
    check = f"DO $$ BEGIN ASSERT ({locale}) = 'b C.UTF-8'; END $$;\n"
    world = changed(on_private, TABLE + check, f"{TABLE}{check}SELECT 1;")
    assert world.step("01-a").step is Step.VERIFY
    assert world.messages == []


def test_a_locale_that_the_private_server_does_not_have_is_said(
    on_private: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The modules are compared all the same, and a message has both locales."""
    pretend(monkeypatch, locale={"ENCODING": "UTF8", "LC_COLLATE": "xx_XX", "LC_CTYPE": "xx_XX"})
    world = changed(on_private, TABLE, f"{TABLE}SELECT 1;")
    assert world.step("01-a").step is Step.VERIFY
    (message,) = world.messages
    assert message.endswith("is not like " + world.place + ": its locale is C, and not LC_COLLATE xx_XX LC_CTYPE xx_XX")


def test_another_major_version_is_no_private_server(world: World, tmp_path: Path) -> None:
    """The modules are then compared on the server itself, as a login without rights, and that is said."""
    if not OLDER.is_dir():
        pytest.skip("needs PostgreSQL 15: apt-get install postgresql-15")
    world.set(scratch=scratch_provider.scratch_provider({"bin_dir": str(OLDER), "data_root": str(tmp_path)}))
    world = changed(world, TABLE, TABLE + WHERE)
    assert "autovacuum is on" in world.step("01-a").why
    (message,) = world.messages
    assert message == f"{ON_THE_SERVER} there are no programs of PostgreSQL 17 for a private server, only of 15"


def test_a_server_that_does_not_start_is_tried_once(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """The reason is said, and the modules are compared on the server itself."""
    tried: list[object] = []

    def refuse(*arguments: object) -> None:
        tried.append(arguments)
        raise ServerError("initdb failed: no space", place="/dev/shm")

    monkeypatch.setattr(scratch_provider, "private_server", refuse)
    monkeypatch.setattr(scratch_provider, "_servers", {})
    world.set(scratch=scratch_provider.scratch_provider({}))
    world = changed(world, TABLE, TABLE + "SELECT 1;")
    assert world.step("01-a").step is Step.VERIFY
    world.write(m01_a=TABLE + "SELECT 2;")
    assert world.step("01-a").step is Step.VERIFY
    assert len(tried) == 1
    assert world.messages[0].endswith("because no private server could be started: /dev/shm: initdb failed: no space")


def test_what_the_private_server_lacks_is_needed_only_where_modules_name_it(
    on_private: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    """An extension or a collation of the live server that modules do not name does not lead there."""
    pretend(monkeypatch, offered=("vector",), collations=("klingon",))
    world = changed(on_private, TABLE, f"{TABLE}SELECT 1;")
    world.plan()
    assert world.messages == []
    world.write(m01_a=f"{TABLE}SELECT 'klingon', 'vector';")
    world.plan()
    (message,) = world.messages
    assert message == f"{ON_THE_SERVER} a private server has no extension vector, no collation klingon"


def test_no_server_is_started_where_nothing_is_compared(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """A preview and a run of unchanged modules, and a run of an ephemeral stack, start none."""

    def fail(*_arguments: object) -> None:
        raise AssertionError

    monkeypatch.setattr(scratch_provider, "session_likeness", fail)
    world.set(scratch=scratch_provider.scratch_provider({}))
    world = changed(world, TABLE, f"-- Reformatted.\n{TABLE}")
    world.plan()
    world.up()
    world.set(lifecycle=EPHEMERAL).write(m01_a=f"{TABLE}SELECT 1;", m02_b="CREATE TABLE b ();")
    assert world.up() == [Step.REBUILD, Step.APPLY]


def test_its_server_ends_with_its_process() -> None:
    """A process that used one leaves neither files nor processes."""
    program = (
        "from infra.server.scratch import scratch_provider as p\n"
        "server = p._start(None, p.default_root())\n"
        "print(server.admin.host)\n"
    )
    root = Path(__file__).parents[4]
    command = [str(root / ".venv/bin/python"), "-c", program]
    done = subprocess.run(command, cwd=root, check=True, capture_output=True, text=True)
    assert done.stderr == ""
    assert not Path(done.stdout.strip()).parent.exists()
