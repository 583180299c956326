"""Tests for the queries of the catalog reader as texts."""

from __future__ import annotations

import re

import pytest

from infra.postgres.introspection.reader import (
    COMBINED,
    NARROW,
    OTHERS,
    QUERIES,
    RELATIONS,
    CatalogPart,
    catalog_query,
)

GROUPS = (RELATIONS, OTHERS)


@pytest.mark.parametrize("group", GROUPS)
def test_a_whole_reading_is_not_limited(group: str) -> None:
    """Only narrow queries contain the parameter `oids`; all have the hidden schemas, or no schema to be hidden."""
    assert "%(oids)s" not in catalog_query(group, narrow=False)
    assert NARROW not in catalog_query(group, narrow=False)
    assert "%(oids)s" in catalog_query(group, narrow=True)
    assert "%(hidden)s" in catalog_query(group, narrow=False)


@pytest.mark.parametrize("group", GROUPS)
def test_a_query_consists_of_its_files(group: str) -> None:
    """Every file of a group is in its query, and a named file is in the query with its name alone."""
    comments = {file.stem: file.read_text(encoding="utf-8").splitlines()[0] for file in (QUERIES / group).glob("*.sql")}
    assert len(comments) > 5
    for name, comment in comments.items():
        assert comment in catalog_query(group, narrow=False)
        query = catalog_query(group, narrow=False, names=(name,))
        assert [other for other, first in comments.items() if first in query] == [name]


def test_each_part_of_the_catalog_names_files_that_exist() -> None:
    """The kinds that the first query combines or names as further ones are files of the group."""
    assert set(COMBINED) < {file.stem for file in (QUERIES / RELATIONS).glob("*.sql")}
    for group, combined in ((RELATIONS, set(COMBINED)), (OTHERS, set[str]())):
        text = re.sub(r"--.*", "", (QUERIES / f"kinds_{group}.sql").read_text(encoding="utf-8"))
        stems = {file.stem for file in (QUERIES / group).glob("*.sql")}
        literals = set(re.findall(r"'([a-z_]+)'", text))
        assert stems - combined <= literals, group


def test_every_query_qualifies_catalogs_or_is_read_with_an_empty_path() -> None:
    """Percent signs of the texts are doubled, because psycopg reads them as placeholders."""
    for file in QUERIES.rglob("*.sql"):
        text = file.read_text(encoding="utf-8")
        assert not re.search(r"(?<!%)%(?!%|\((hidden|oids)\)s)", text.replace("%%", "")), file.name


def test_a_part_is_true_when_it_contains_anything() -> None:
    """A part without oids needs no reading."""
    assert not CatalogPart()
    assert CatalogPart(relations=(1,))
    assert CatalogPart(objects=(1,))
