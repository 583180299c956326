"""The state of a stack at a glance, from its files and its databases."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from infra.check.live_facts import facts_as_json
from infra.check.status import stack_facts, stack_status
from infra.postgres.apply import runner
from infra.server.dsn import format_dsn
from tests.database.postgres.databases import EPHEMERAL

if TYPE_CHECKING:
    from tests.database.postgres.databases import World

pytest_plugins = ["tests.database.scratch_server"]

ROOT = Path(__file__).resolve().parents[4]
A = "CREATE TABLE a (id integer);\n"


@pytest.fixture
def root(world: World, tmp_path: Path) -> Path:
    """Return the folder of a project whose stack dev has the world's database, and one on a closed port."""
    target = world.set(stack="shop/dev").session.target
    dsn = format_dsn(
        {"host": target.host, "port": str(target.port), "dbname": target.database, "user": target.user}
        | {"password": target.password}
    )
    (tmp_path / "Pulumi.yaml").write_text("name: shop\n")
    modules = f"shop:modules: {{directory: {world.files.relative_to(tmp_path)}}}"
    (tmp_path / "Pulumi.dev.yaml").write_text(
        f"config:\n  shop:lifecycle: {world.session.lifecycle.value}\n  shop:databases: [x]\n  {modules}\n"
    )
    (tmp_path / ".env.dev").write_text(
        f"X_MIGRATOR_DSN='{dsn}'\nY_MIGRATOR_DSN=postgresql://m:Pw-secret@127.0.0.1:9/y\n"
    )
    return tmp_path


def test_what_is_applied_and_what_is_pending_stands_in_a_few_lines(world: World, root: Path) -> None:
    """Modules applied, what is to be done, drift, and a database that cannot be reached, without a password."""
    world.write(m01_a=A)
    world.up()
    world.sql("ALTER TABLE a ADD b text")
    world.write(m02_b="CREATE TABLE b ();\n")
    lines = stack_status(root, "org/shop/dev")
    target = world.session.target
    assert lines[0] == f"stack org/shop/dev (persistent), embedded server at {target.host}:{target.port}"
    assert lines[1].startswith(f"  {target.database}: 1 of 2 modules applied, PostgreSQL 1")
    assert lines[2] == "  y: could not be looked at"
    text = "\n".join(lines)
    assert "somebody changed what it made" in text
    assert "column public.a.b" in text
    assert "Pw-secret" not in text
    world.sql("ALTER TABLE a DROP b")
    assert "apply 02-b: not yet applied to this database" in "\n".join(stack_status(root, "dev"))


def test_the_seed_of_a_group_is_pending_until_a_database_has_it(world: World, root: Path) -> None:
    """As for a single database; a paused one is named, and so is how many of a group nobody looked at."""
    world.write(m01_a=A)
    world.set(lifecycle=EPHEMERAL).up()
    name = world.session.target.database
    (root / "seed.sql").write_text("INSERT INTO a VALUES (1);\n")
    groups = (
        f"[x, {{group: g, names: [{name}, other, third], paused: [third], seed: seed.sql}},"
        " {group: h, count: 2, seed: seed.sql}]"
    )
    settings = f"shop:lifecycle: ephemeral\n  shop:databases: {groups}\n  shop:modules: {{directory: sql}}"
    (root / "Pulumi.dev.yaml").write_text(f"config:\n  {settings}\n")
    (root / ".env.dev").write_text((root / ".env.dev").read_text().splitlines()[0] + "\n")
    lines = stack_status(root, "dev")
    assert lines[1].startswith(f"  {name}: 1 of 1 modules applied, PostgreSQL 1")
    assert lines[2:5] == [
        "  group g: paused third",
        "  group g: 1 database not looked at: `make preview` plans it, with its seed",
        "  group h: 2 databases not looked at: `make preview` plans them, with their seeds",
    ]
    assert lines[5].endswith(f"  insert the rows of {root}/seed.sql: the database does not have them yet")
    world.set(seed=str(root / "seed.sql")).new_process()
    assert runner.insert_seed(world.session)
    assert stack_status(root, "dev")[-1] == "nothing to do in what was looked at"


def test_the_status_needs_no_pulumi(world: World, root: Path) -> None:
    """Importing it would take longer than everything else: a glance reads files and databases, and nothing more."""
    world.write(m01_a=A)
    world.up()
    program = (
        "import sys; from pathlib import Path; from infra.check.status import stack_status;"
        "print(stack_status(Path(sys.argv[1]), 'org/shop/dev')[0]);"
        "print(sorted(sys.modules.keys() & {'pulumi', 'grpc', 'sqlalchemy', 'alembic'}))"
    )
    command = [sys.executable, "-c", program, str(root)]
    lines = subprocess.run(command, cwd=ROOT, stdout=subprocess.PIPE, text=True, check=True).stdout.splitlines()
    assert lines[0].startswith("stack org/shop/dev (")
    assert lines[1] == "[]"


def test_what_a_review_takes_from_live_databases(world: World, root: Path) -> None:
    """Sizes of tables, what somebody changed, what no module made, or why nothing is known; and no password."""
    world.write(m01_a=A)
    world.up()
    world.sql("ALTER TABLE a ADD b text; INSERT INTO a VALUES (1, 'x'); CREATE TABLE by_hand ()")
    live = stack_facts(root, "dev")
    known = live.databases[world.session.target.database]
    assert known.drift == ("column order public.a is different",)
    assert known.unmanaged == ("no module made column public.a.b", "no module made table public.by_hand")
    assert known.tables["public.a"].bytes > 0
    assert live.databases["y"].problem
    assert "Pw-secret" not in facts_as_json(live)
