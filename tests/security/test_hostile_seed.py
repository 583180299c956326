"""The author of a seed gets no more than the author of a module: it is run as the migrator, and has rows alone."""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from infra.errors import InfraError
from infra.postgres.apply import runner
from infra.postgres.connection.connect import connect
from tests.database.postgres.databases import EPHEMERAL, MIGRATOR
from tests.security.attacks import ATTACKS, FUNCTIONS, VICTIM, server_state, swallowed, text_of

if TYPE_CHECKING:
    from collections.abc import Iterator

    from infra.postgres.connection.target import Target
    from tests.database.postgres.databases import World

pytest_plugins = ["tests.database.scratch_server"]

TABLE = "CREATE TABLE a (id text);\n"
SEEDS = {
    "a program before rows": "COPY a FROM PROGRAM 'touch {file}'; SELECT 1 AS a FROM stdin;\n1\n\\.\n",
    "a file before rows": "COPY a FROM '/etc/passwd'; COPY a FROM stdin;\n1\n\\.\n",
    "the client's shell": "\\! touch {file}\n",
    "a program of the client": "\\copy a FROM PROGRAM 'touch {file}'\n",
    "another database": "\\connect postgres\nCREATE TABLE hidden ();\n",
    "rows of the catalog": "COPY pg_catalog.pg_auth_members (oid, roleid, member, grantor, admin_option) FROM stdin;\n"
    "99999\t10\t10\t10\tt\n\\.\n",
    "the identity of the ledger": "COPY sqlmodule.identity (stack) FROM stdin;\nx\n\\.\n",
    "a role that is set": "RESET ROLE; SET SESSION AUTHORIZATION postgres;\nINSERT INTO a VALUES ('x');\n",
}


@pytest.fixture
def file() -> Iterator[Path]:
    """Yield the path of a file that every user of this machine could write, and that does not exist."""
    with tempfile.TemporaryDirectory(dir="/tmp") as directory:
        Path(directory).chmod(0o777)
        yield Path(directory) / "owned"


@pytest.fixture
def superuser(world: World) -> Iterator[Target]:
    """Yield the superuser's target of a server with a role that nobody has to do with."""
    target = world.session.admin.on("postgres")
    with connect(target, autocommit=True) as connection:
        connection.execute(f"CREATE ROLE {VICTIM} LOGIN".encode())
    yield target
    with connect(target, autocommit=True) as connection:
        connection.execute(f"DROP ROLE {VICTIM}".encode())


def seeded(world: World, folder: Path, seed: str) -> str:
    """Preview and insert a seed into a world with a table, and return why it was refused, '' where it was not."""
    world.write(m01_a=TABLE + FUNCTIONS)
    (folder / "seed.sql").write_text(seed)
    world.set(lifecycle=EPHEMERAL, seed="seed.sql")
    try:
        world.plan()
        world.up()
        runner.insert_seed(world.session)
    except InfraError as error:
        return str(error)
    return ""


@pytest.mark.parametrize("seed", SEEDS)
def test_what_looks_like_rows_is_run_with_no_more_rights(
    world: World, superuser: Target, file: Path, tmp_path: Path, seed: str
) -> None:
    """Neither this machine nor the server's runs a program, and nothing but the database's own tables is filled."""
    before, identity = server_state(superuser), "SELECT stack, system_identifier, database FROM sqlmodule.identity"
    said = seeded(world, tmp_path, SEEDS[seed].replace("{file}", str(file)))
    assert server_state(superuser) == before, said
    assert not file.exists(), said
    assert world.sql(identity)[0][0] == world.session.stack
    assert world.sql("SELECT count(*) FROM a WHERE id LIKE 'root:%'") == [(0,)]


def test_a_seed_of_all_attacks_does_what_a_module_may(
    world: World, superuser: Target, file: Path, tmp_path: Path
) -> None:
    """Each in a block that hides its failure, and a function that a check of the table calls."""
    before = server_state(superuser)
    with connect(superuser) as other:
        texts = [text_of(attack, me=MIGRATOR, file=file, pid=other.info.backend_pid) for attack in ATTACKS]
        said = seeded(world, tmp_path, "".join(map(swallowed, texts)) + "INSERT INTO a VALUES (evil('x'));\n")
        assert other.execute("SELECT 1").fetchone() == (1,)
    assert server_state(superuser) == before, said
    assert not file.exists()
    assert not Path(f"/tmp/{world.session.target.database}.risen").exists()
