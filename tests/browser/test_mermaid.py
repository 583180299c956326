"""The Mermaid texts are read and drawn by Mermaid itself."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from infra.schema_docs.diagram.mermaid import mermaid as text_of
from models import MODULES
from tests.browser import expected
from tests.unit.schema_docs.diagram.scenes import awkward

if TYPE_CHECKING:
    from tests.browser.window import Window

ROOT = Path(__file__).parents[2]
PICTURES = {"schema": "", **{module: module for module in MODULES}}

DRAW = """
const [text, done] = arguments;
mermaid.initialize({startOnLoad: false, securityLevel: 'strict', maxTextSize: 1000000, maxEdges: 10000});
(async () => {
  const diagram = await mermaid.mermaidAPI.getDiagramFromText(text);
  const entities = [...diagram.db.getEntities().values()].map((one) => ({
    name: one.label, attributes: one.attributes.map((each) => [each.type, each.name, each.keys ?? []]),
  }));
  const ids = new Map([...diagram.db.getEntities().values()].map((one) => [one.id, one.label]));
  const links = diagram.db.getRelationships().map((one) => [
    ids.get(one.entityA), one.roleA, ids.get(one.entityB), one.relSpec.cardB, one.relSpec.cardA,
  ]);
  const {svg} = await mermaid.render('drawn', text);
  const holder = document.createElement('div');
  holder.innerHTML = svg;
  document.body.append(holder);
  done({entities, links, shown: holder.textContent, scripts: holder.querySelectorAll('script').length});
})().catch((error) => done({error: String(error)}));
"""


def drawn(window: Window, source: str, text: str) -> dict[str, Any]:
    """Have Mermaid read and draw a text; its own words are the failure."""
    window.open("about:blank").load(source)
    result: dict[str, Any] = window.wait_for(DRAW, text, seconds=60)
    assert "error" not in result, result
    return result


@pytest.mark.parametrize("picture", PICTURES)
def test_mermaid_reads_every_table_column_and_key(picture: str, window: Window, mermaid: str) -> None:
    """Mermaid finds the tables of the models with their columns, types and keys, and a link for each foreign key."""
    text = (ROOT / "docs" / "schema" / f"{picture}.mmd").read_text(encoding="utf-8")
    found = drawn(window, mermaid, text)
    entities = {one["name"].strip("'"): one["attributes"] for one in found["entities"]}
    tables = expected.tables(PICTURES[picture])
    for table in tables:
        wanted = [
            [
                expected.type_of(column).replace(",", "_"),
                column.name,
                [key for key, has in (("PK", column.primary_key), ("FK", column.foreign_keys)) if has],
            ]
            for column in table.columns
        ]
        shown = [[kind, name, [key for key in keys if key != "UK"]] for kind, name, keys in entities[table.name]]
        assert shown == wanted, table.name
    own = {table.name for table in tables}
    keys = [key for table in expected.tables() for key in expected.keys(table) if own & {key[0], key[2]}]
    assert sorted((one[0], one[1], one[2]) for one in found["links"]) == sorted(key[:3] for key in keys)
    assert all(name in str(found["shown"]) for name in own)


def test_mermaid_reads_awkward_names(window: Window, mermaid: str) -> None:
    """Names of any kind are read and drawn, and markup in them stays text."""
    scene = awkward()
    found = drawn(window, mermaid, text_of(scene))
    assert len(found["entities"]) == len(scene.boxes)
    assert len(found["links"]) == len(scene.links)
    assert found["scripts"] == 0
