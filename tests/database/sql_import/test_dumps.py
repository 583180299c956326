"""What pg_dump writes of a database with everything, in every form: modules that create the same, and what is left."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import psycopg
import pytest

from infra.backup.programs import run_client
from infra.errors import InfraError
from infra.lint.linter import lint_files
from infra.modules.dump_text import blank_lines, psql_parts
from infra.modules.module import load_modules
from infra.modules.statements import parse
from infra.postgres.connection.connect import connect
from infra.server.scratch.private_server import private_server
from infra.server.scratch.scratch_server import ScratchServer
from infra.sql_import.importer import import_sql

if TYPE_CHECKING:
    from collections.abc import Iterator

    from infra.postgres.connection.target import Target

pytestmark = pytest.mark.database

EVERYTHING = Path(__file__).with_name("everything.sql")
FORMS = [
    [],
    ["--schema-only"],
    ["--inserts"],
    ["--create"],
    ["--clean", "--if-exists"],
    ["--no-owner", "--no-privileges"],
]
OF_SUPERUSERS = "left out: what a superuser has to run by hand, since the owner role of a database may not (2)"


@pytest.fixture(scope="module")
def source() -> Iterator[tuple[Target, Path]]:
    """Yield a database in which psql ran everything.sql, and the folder of its server's programs."""
    with private_server() as server:
        programs, database = server.distribution.bin, server.admin.on("source")
        stop = ["-qX", "-v", "ON_ERROR_STOP=1"]
        run_client(programs / "psql", server.admin, [*stop, "-c", "CREATE DATABASE source"])
        run_client(programs / "psql", database, [*stop, "-f", str(EVERYTHING)])
        yield database, programs


@pytest.mark.parametrize(
    "options", [FORMS[0], *(pytest.param(form, marks=pytest.mark.full) for form in FORMS[1:])], ids=" ".join
)
def test_a_dump_of_everything_becomes_modules(source: tuple[Target, Path], tmp_path: Path, options: list[str]) -> None:
    """With rows, owners, large objects and DROP or without: the rest is proved, and what is not in it is named."""
    database, programs = source
    file = tmp_path / "dump.sql"
    file.write_text(run_client(programs / "pg_dump", database, options), encoding="utf-8")
    lines = import_sql(str(file), tmp_path / "sql")
    modules = load_modules(tmp_path / "sql")
    assert lines[-1] == f"proved: the {len(modules)} modules create the same schema as {file}"
    assert OF_SUPERUSERS in lines
    assert ("left out: DROP at the beginning, of what the dump creates afterwards (76)" in lines) == (
        "--clean" in options
    )
    text = "".join(module.text for module in modules)
    assert "'line 1;\nCOPY x (a) FROM stdin;\n\\restrict x\n\\.\nend'" in text
    assert "back\\slash" not in text
    assert "DROP " not in text


@pytest.mark.full
def test_a_database_with_everything_becomes_modules(source: tuple[Target, Path], tmp_path: Path) -> None:
    """What only a superuser may create is no difference from the database: it is named as left out."""
    database, _ = source
    dsn = f"host={database.host} user={database.user} password={database.password} dbname={database.database}"
    lines = import_sql(dsn, tmp_path / "sql")
    assert OF_SUPERUSERS in lines
    assert lines[-1].endswith("modules create the same schema as the database")


def test_lint_finds_what_of_a_dump_does_not_run_in_a_module(source: tuple[Target, Path], tmp_path: Path) -> None:
    """Whatever the owner of a database may not run, and every line of psql, has a finding before `up` refuses it."""
    database, programs = source
    text = run_client(programs / "pg_dump", database, [])
    (tmp_path / "01-dump.sql").write_text(text, encoding="utf-8")
    found = {finding.place.line for finding in lint_files([tmp_path / "01-dump.sql"])}
    parts = list(psql_parts(text))
    assert [part[0] for part in parts if _line(text, part.start()) not in found] == []
    for part in reversed(parts):
        text = text[: part.start()] + blank_lines(part[0]) + text[part.end() :]
    refused: dict[str, bool] = {}
    server = ScratchServer(database, None)
    with server.database() as scratch, connect(scratch.target) as connection:
        connection.execute("SET check_function_bodies = off")
        for statement in parse(text, "dump"):
            sql = text[statement.start : statement.end]
            if statement.kind in {"variable_set_stmt", "transaction_stmt"}:  # they decide about others
                continue
            try:
                with connection.transaction():
                    connection.execute(sql.encode())
            except psycopg.Error as error:
                lines = range(_line(text, statement.start), _line(text, statement.end) + 1)
                refused[f"{error} {sql}"] = not found.isdisjoint(lines)
    assert [sql for sql, is_found in refused.items() if not is_found] == []
    assert len(refused) > 30


def _line(text: str, offset: int) -> int:
    return text.count("\n", 0, offset) + 1


def test_a_statement_that_does_not_run_has_its_place_in_the_dump(tmp_path: Path) -> None:
    """The line is that of the file which was given: no module was written."""
    file = tmp_path / "dump.sql"
    file.write_text("CREATE TABLE a ();\n\nCREATE TABLE b (\n    c missing\n);\n", encoding="utf-8")
    with pytest.raises(InfraError) as refused:
        import_sql(str(file), tmp_path / "sql")
    assert str(refused.value) == (
        f'{file}:3: the module would not run: type "missing" does not exist [42704]; '
        "correct the statement, or leave it out; nothing was written"
    )
