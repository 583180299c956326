"""The naming convention of the models is what PostgreSQL itself does with unnamed constraints."""

from __future__ import annotations

import psycopg
import pytest
from sqlalchemy import (
    CheckConstraint,
    Column,
    ForeignKeyConstraint,
    Integer,
    MetaData,
    PrimaryKeyConstraint,
    Table,
    UniqueConstraint,
    create_engine,
)
from sqlalchemy.dialects import postgresql
from sqlalchemy.pool import NullPool

from models import metadata
from models.base import NAMING_CONVENTION

pytest_plugins = ["tests.database.scratch_server"]
pytestmark = pytest.mark.database

NAMES = """
    SELECT conrelid::regclass::text, contype, conname, conkey FROM pg_constraint
    WHERE connamespace = 'public'::regnamespace AND contype <> 'n' ORDER BY 1, 2, 3
"""
"""NOT NULL is left out: it is a constraint with a name since PostgreSQL 18, and the models leave that to it."""

EXPLICIT = {"uq_run_checkpoint_time", "uq_demo_scenarios_industry_name"}  # the two names that the models set explicitly


def unnamed(table: Table) -> str:
    """Return a CREATE TABLE statement that leaves the name of every constraint to PostgreSQL."""
    quote = postgresql.dialect().identifier_preparer.quote
    lines = [f"{quote(column.name)} {column.type.compile(postgresql.dialect())}" for column in table.columns]
    for constraint in table.constraints:
        if constraint.name in EXPLICIT:
            continue
        assert isinstance(constraint, (PrimaryKeyConstraint, ForeignKeyConstraint, UniqueConstraint))
        columns = ", ".join(quote(column.name) for column in constraint.columns)
        if isinstance(constraint, ForeignKeyConstraint):
            lines.append(f"FOREIGN KEY ({columns}) REFERENCES {quote(constraint.referred_table.name)}")
        else:
            lines.append(f"{'PRIMARY KEY' if isinstance(constraint, PrimaryKeyConstraint) else 'UNIQUE'} ({columns})")
    return f"CREATE TABLE {quote(table.name)} ({', '.join(lines)})"


def test_names_of_the_models_are_those_that_postgresql_chooses(database: str) -> None:
    """The 29 tables, created without one constraint name, get the names that the models have."""
    with psycopg.connect(database) as connection:
        for table in metadata.sorted_tables:
            connection.execute(unnamed(table).encode())
        postgresql_names = {str(name) for _, _, name, _ in connection.execute(NAMES)}
    named = {str(constraint.name) for table in metadata.tables.values() for constraint in table.constraints}
    assert named == postgresql_names | EXPLICIT
    assert len(postgresql_names) == 29 + 28


def test_the_convention_names_every_kind_of_constraint_as_postgresql_does(database: str) -> None:
    """Keys of several columns, unique rules and checks too get from the convention what PostgreSQL chooses."""
    sample = MetaData(naming_convention=NAMING_CONVENTION)
    parent = Table("parent", sample, Column("a", Integer), Column("b", Integer), PrimaryKeyConstraint("a", "b"))
    child = Table(
        "child",
        sample,
        Column("id", Integer, primary_key=True),
        Column("a", Integer, unique=True),
        Column("b", Integer),
        UniqueConstraint("a", "b"),
        ForeignKeyConstraint(["a", "b"], [parent.c.a, parent.c.b]),
    )
    child.append_constraint(CheckConstraint(child.c.b > 0))
    with psycopg.connect(database) as connection:
        connection.execute("CREATE TABLE parent (a integer, b integer, PRIMARY KEY (a, b))")
        connection.execute(
            "CREATE TABLE child (id integer PRIMARY KEY, a integer UNIQUE, b integer CHECK (b > 0), UNIQUE (a, b), "
            "FOREIGN KEY (a, b) REFERENCES parent)"
        )
        postgresql_names = connection.execute(NAMES).fetchall()
        connection.execute("DROP TABLE child, parent")
    engine = create_engine("postgresql+psycopg://", creator=lambda: psycopg.connect(database), poolclass=NullPool)
    sample.create_all(engine)
    with psycopg.connect(database) as connection:
        assert connection.execute(NAMES).fetchall() == postgresql_names
    assert len(postgresql_names) == 6
