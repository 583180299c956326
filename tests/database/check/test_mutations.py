"""Every change of one of two equal databases is found by the comparison of `check`, and nothing else is."""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import psycopg
import pytest
from psycopg import sql
from psycopg.conninfo import make_conninfo

from infra.catalog.catalog import ACCESS, NOTES, STRUCTURE, Catalog
from infra.check.comparing import MODULES_AGAINST_MODELS, Comparison
from infra.findings.finding import Place
from infra.modules.module import load_modules
from infra.postgres.connection.simple_query import simple_query
from infra.postgres.introspection.reader import read_catalog, read_catalog_version
from tests.database.postgres.simple_queries import rolled_back, run
from tests.fixture_schema import SQL

if TYPE_CHECKING:
    from collections.abc import Iterator

pytest_plugins = ["tests.database.scratch_server"]

MUTATIONS = Path(__file__).parent / "mutations"
Connection = psycopg.Connection[tuple[Any, ...]]


class Case(NamedTuple):
    """Statements that change a database, and the expected findings, each as code and object."""

    statements: str
    findings: tuple[str, ...]


def cases() -> list[Case]:
    """Read the cases: a line of statements, and below it a line `=> finding` for each expected finding."""
    text = (MUTATIONS / "mutations.txt").read_text(encoding="utf-8")
    blocks = re.findall(r"^(?!#|=>)(.+)\n((?:=> .+\n)*)", text, re.MULTILINE)
    return [Case(statements, tuple(line[3:] for line in findings.splitlines())) for statements, findings in blocks]


CASES = cases()
DISPLAY_NAMES = {
    "owner": "the owner of",
    "privileges": "what is granted on",
    "column order": "the order of the columns of",
    "extension version": "the version of extension",
}


class Base(NamedTuple):
    """A database with objects of every kind, its catalog, and the catalog's version."""

    connection: Connection
    catalog: Catalog
    version: str


@pytest.fixture(scope="module")
def base(server: str) -> Iterator[Base]:
    """Create a database by the fixture's modules and base.sql; every test rolls its changes back."""
    name = "test_mutations"
    with psycopg.connect(server, autocommit=True) as admin:
        admin.execute(sql.SQL("CREATE DATABASE {}").format(sql.Identifier(name)))
        try:
            with psycopg.connect(make_conninfo(server, dbname=name), autocommit=True) as connection:
                for module in load_modules(SQL)[1:]:
                    simple_query(connection, module.text)
                simple_query(connection, (MUTATIONS / "base.sql").read_text(encoding="utf-8"))
                yield Base(connection, read_catalog(connection), read_catalog_version(connection))
        finally:
            admin.execute(sql.SQL("DROP DATABASE {} WITH (FORCE)").format(sql.Identifier(name)))
            admin.execute("DROP ROLE IF EXISTS mutations_reader")


def findings_between(expected: Catalog, actual: Catalog) -> tuple[str, ...]:
    """Compare as `check` does; return code and object of each finding."""
    comparison = Comparison("one", "other", MODULES_AGAINST_MODELS, lambda _: [], lambda _: "a remedy", Place("sql"))
    texts = (f"{finding.code} {finding.message}" for finding in comparison.findings(expected, actual))
    return tuple(re.sub(" (differs between one and other|is only in (one|other))$", "", text) for text in texts)


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.statements[:80])
def test_a_mutation_is_reported_as_exactly_what_it_is(base: Base, case: Case) -> None:
    """Each change is found, with the object that changed, and nothing else is; the catalog's version differs too."""
    with rolled_back(base.connection):
        run(base.connection, case.statements)
        assert read_catalog_version(base.connection) != base.version
        assert findings_between(base.catalog, read_catalog(base.connection)) == case.findings


def test_what_was_not_changed_is_not_reported(base: Base) -> None:
    """Two readings of one database have no difference, and they contain every kind of object."""
    assert findings_between(base.catalog, read_catalog(base.connection)) == ()
    base.connection.execute("VACUUM ANALYZE")
    assert read_catalog_version(base.connection) == base.version
    kinds = {identity.kind for identity in base.catalog.objects}
    assert {*STRUCTURE, *ACCESS, *NOTES} - kinds == {"constraint index", "subscription", "security label"}


def test_every_kind_of_object_is_mutated() -> None:
    """The cases have every kind of object that is read, and each has a finding."""
    expected = "\n".join(line for case in CASES for line in case.findings)
    kinds = [DISPLAY_NAMES.get(kind, kind) for kind in (*STRUCTURE, *ACCESS, *NOTES)]
    assert [kind for kind in kinds if not re.search(rf"^C10\d {kind} ", expected, re.MULTILINE)] == []
    assert len({case.statements for case in CASES}) > 220
    assert all(case.findings for case in CASES)
