"""The Markdown of the documents: tables that stay tables, links that lead somewhere, text that stays text."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import pytest

from infra.schema_docs.pages.markdown import code_span, escape_text, render_markdown
from tests.unit.schema_docs.pages.samples import hostile, sample_contents, simple

if TYPE_CHECKING:
    from infra.schema_docs.pages.entries import PageContents

CELLS = re.compile(r"(?<!\\)\|")

TEXTS = [
    ("plain", "plain"),
    ("a | b", r"a \| b"),
    ("<b>&amp;*x*_y_`z`", r"\<b\>\&amp;\*x\*\_y\_\`z\`"),
    ("[x](y)", r"\[x\](y)"),
    ("two\nlines", "two lines"),
    ("# no heading", r"\# no heading"),
    ("- no list", r"\- no list"),
    ("1. no list", r"1\. no list"),
    ("a - b # c", "a - b # c"),
    ("back\\slash", r"back\\slash"),
]


@pytest.mark.parametrize(("value", "escaped"), TEXTS)
def test_texts_are_escaped(value: str, escaped: str) -> None:
    """Every character with a meaning in Markdown or HTML is escaped, and a text stays in its line."""
    assert escape_text(value) == escaped


CODES = [
    ("", ""),
    ("a", "`a`"),
    ("a | b", r"`a \| b`"),
    ("a `b`", "`` a `b` ``"),
    ("a\n  b", "`a b`"),
    ("<b>", "`<b>`"),
]


@pytest.mark.parametrize(("value", "span"), CODES)
def test_code_stays_code(value: str, span: str) -> None:
    """Backticks in code get longer fences; a bar does not end the cell of a table."""
    assert code_span(value) == span


@pytest.mark.parametrize("sample", [sample_contents(simple()), hostile()[0]], ids=["simple", "hostile"])
def test_tables_are_tables_and_links_lead_somewhere(sample: PageContents) -> None:
    """Every row of a table has as many cells as its head; links within the document have their anchors."""
    document = render_markdown(sample, {"": "schema.svg"}, root="../..")
    cells = 0
    for line in document.splitlines():
        if line.startswith("| ") and cells == 0:
            cells = len(CELLS.findall(line))
        elif line.startswith("|"):
            assert len(CELLS.findall(line)) == cells
        else:
            cells = 0
    anchors = set(re.findall(r'<a id="([^"]+)"></a>', document))
    assert set(re.findall(r"\]\(#([^)]+)\)", document)) <= anchors
    assert not re.search(r"<(?!a id=|/a>)", re.sub(r"\\.|(`+).*?\1", "", document))


def test_a_table_reads_like_this() -> None:
    """A table has its comment, source links, columns, constraints and references; empty columns are left out."""
    document = render_markdown(sample_contents(simple()), {}, root="../..")
    assert document.partition("### ")[2].partition("### ")[0].splitlines() == [
        '<a id="a"></a>a',
        "",
        "The first.",
        "",
        "[sql/02-a.sql](../../sql/02-a.sql)",
        "",
        "| Column | Type | Null | Default | Keys | Comment |",
        "| --- | --- | --- | --- | --- | --- |",
        '| <a id="a:id"></a>`id` | `bigint` | not null | `generated always as identity` | PK |  |',
        "| <a id=\"a:name\"></a>`name` | `varchar(40)` |  | `'x'::text` |  | Its \\| name. |",
        "",
        "| Keys and constraints | Definition | Module |",
        "| --- | --- | --- |",
        "| `a_pkey` | `PRIMARY KEY (id)` | 02-a |",
        "",
        "| Indexes | Definition | Module |",
        "| --- | --- | --- |",
        "| `a_name` | `btree (lower(name)) WHERE (name <> ''::text)` | 02-a |",
        "",
        "Referred to by:",
        "",
        "- [b](#b) `(a_id) → (id) ON DELETE CASCADE`",
        "",
    ]
