"""The models are the catalog's schema, but for the differences that somebody decided on."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

import pytest

from models import metadata
from models.demo_seed import DEMO_SCENARIOS
from tests.schema.models.facts import catalog_tables, facts_of_catalog, facts_of_models
from tests.schema.models.known_differences import KNOWN_DIFFERENCES, Differences, KnownDifference

DECISIONS = Path(__file__).parents[3] / "docs" / "decisions.md"


@pytest.fixture(scope="module")
def found() -> Differences:
    catalog, models = facts_of_catalog(), facts_of_models()
    return {
        place: (catalog.get(place), models.get(place))
        for place in {**catalog, **models}
        if catalog.get(place) != models.get(place)
    }


def test_the_catalog_has_29_tables_and_314_columns_and_so_have_the_models() -> None:
    """The catalog has 29 tables and 314 columns, and so have the models."""
    assert len(catalog_tables()) == len(metadata.tables) == 29
    assert sum(len(table["columns"]) for table in catalog_tables().values()) == 314
    assert sum(len(table.columns) for table in metadata.tables.values()) == 314


def test_every_aspect_of_the_catalog_is_compared() -> None:
    """A comparison that reads nothing cannot pass: there are five facts for each column, and all keys and indexes."""
    aspects = Counter(aspect.split()[0] for _, aspect in facts_of_catalog())
    assert aspects["type"] == aspects["nullable"] == aspects["ORM"] == aspects["server"] == aspects["on"] == 314
    assert aspects["columns"] == aspects["primary"] == aspects["module"] == 29
    assert aspects["foreign"] == sum(len(table["foreign_keys"]) for table in catalog_tables().values()) == 28
    assert aspects["index"] == sum(len(table["indexes"]) for table in catalog_tables().values()) == 63
    assert aspects["unique"] == sum(len(table["unique"]) for table in catalog_tables().values()) == 6


def test_models_equal_the_catalog_but_for_known_differences(found: Differences) -> None:
    """A difference that is not in the list of known ones fails, and so does one in the list with another value."""
    known = {place: values for each in KNOWN_DIFFERENCES for place, values in each.differences.items()}
    assert {place: values for place, values in found.items() if known.get(place) != values} == {}


@pytest.mark.parametrize("known", KNOWN_DIFFERENCES, ids=lambda known: known.title)
def test_every_known_difference_occurs(known: KnownDifference, found: Differences) -> None:
    """A known difference that does not occur any more fails, so that the list stays true."""
    assert known.differences
    assert {place: values for place, values in known.differences.items() if found.get(place) != values} == {}


def test_no_difference_is_known_for_two_reasons() -> None:
    """Each known difference is in the list once, under one reason."""
    places = Counter(place for known in KNOWN_DIFFERENCES for place in known.differences)
    assert [place for place, count in places.items() if count > 1] == []
    assert all(known.reason for known in KNOWN_DIFFERENCES)


def test_decisions_has_a_row_for_every_known_difference_and_no_other() -> None:
    """The table in docs/decisions.md has one row, with place and reason, for each known difference."""
    section = DECISIONS.read_text(encoding="utf-8").split(
        "## Schema: where the models differ from the catalog, and why"
    )
    rows = [line.strip("| ").split(" | ") for line in section[1].split("\n## ")[0].splitlines() if line.startswith("|")]
    assert [row[0] for row in rows[2:]] == [known.title for known in KNOWN_DIFFERENCES]
    assert all(len(row) == 3 and all(row) for row in rows)


def test_first_rows_are_those_of_the_catalog() -> None:
    """The scenarios have the catalog's industries, names and numbers, three strategies each, and finished prompts."""
    expected = catalog_tables()["demo_scenarios"]["seed_rows"]
    rows = DEMO_SCENARIOS["rows"]
    assert [(row["industry"], row["scenario_name"], row["typical_metrics"]) for row in rows] == [
        (row["industry"], row["scenario_name"], row["typical_metrics"]) for row in expected
    ]
    assert len(rows) == 5
    for row in rows:
        strategies: dict[str, list[str]] = row["optimization_scenarios"]
        assert list(strategies) == ["strategies"]
        assert len(set(strategies["strategies"])) == 3
        template = row["prompt_template"]
        assert isinstance(template, str)
        assert len(template.format(company_name="Acme", company_size="200 people")) > 200


def test_comments_say_the_values_and_units_that_the_catalog_knows() -> None:
    """Where the catalog lists an application's values or gives a unit, the column's comment has them."""
    required: dict[tuple[str, str], list[str]] = {
        (name, column["name"]): _values_or_unit(column.get("note", ""))
        for name, table in catalog_tables().items()
        for column in table["columns"]
    }
    assert sum(map(len, required.values())) > 60
    missing = {
        (table, column, word)
        for (table, column), words in required.items()
        for word in words
        if word not in (metadata.tables[table].columns[column].comment or "")
    }
    assert missing == set()


def _values_or_unit(note: str) -> list[str]:
    if note.startswith("app values: "):
        values = note.removeprefix("app values: ").split(" (")[0].replace(" or null", "")
        return values.split(", ")
    return [note] if note in {"Unix seconds", "milliseconds", "cents"} else []
