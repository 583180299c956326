"""The Mermaid texts, parsed and drawn by Mermaid itself."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from infra.schema_docs.diagram.mermaid import render_mermaid
from tests.browser.expected import type_of
from tests.unit.schema_docs.diagram.scenes import awkward

if TYPE_CHECKING:
    from tests.browser.expected import Documents
    from tests.browser.window import Window

pytest_plugins = ["tests.browser.chromium"]

DRAW = """
const [text, done] = arguments;
mermaid.initialize({startOnLoad: false, securityLevel: 'strict', maxTextSize: 1000000, maxEdges: 10000});
(async () => {
  const diagram = await mermaid.mermaidAPI.getDiagramFromText(text);
  const entities = [...diagram.db.getEntities().values()].map((entity) => ({
    name: entity.label,
    attributes: entity.attributes.map((attribute) => [attribute.type, attribute.name, attribute.keys ?? []]),
  }));
  const ids = new Map([...diagram.db.getEntities().values()].map((entity) => [entity.id, entity.label]));
  const links = diagram.db.getRelationships().map((link) => [
    ids.get(link.entityA), link.roleA, ids.get(link.entityB), link.relSpec.cardB, link.relSpec.cardA,
  ]);
  const {svg} = await mermaid.render('drawn', text);
  const holder = document.createElement('div');
  holder.innerHTML = svg;
  document.body.append(holder);
  done({entities, links, shown: holder.textContent, scripts: holder.querySelectorAll('script').length});
})().catch((error) => done({error: String(error)}));
"""


def draw(window: Window, source: str, text: str) -> dict[str, Any]:
    """Parse and draw a text with Mermaid; fails with Mermaid's error."""
    window.open("about:blank").load(source)
    result: dict[str, Any] = window.wait_for(DRAW, text, seconds=60)
    assert "error" not in result, result
    return result


def test_mermaid_reads_every_table_column_and_key(
    picture: str, documents: Documents, window: Window, mermaid: str
) -> None:
    """Mermaid finds the tables of the models with their columns, types and keys, and a link for each foreign key."""
    diagram = draw(window, mermaid, documents.text(f"{picture}.mmd"))
    entities = {entity["name"].strip("'"): entity["attributes"] for entity in diagram["entities"]}
    tables = documents.tables(picture)
    for table in tables:
        attributes = [
            [
                type_of(column).replace(",", "_"),
                column.name,
                [key for key, has in (("PK", column.primary_key), ("FK", column.foreign_keys)) if has],
            ]
            for column in table.columns
        ]
        shown = [[kind, name, [key for key in keys if key != "UK"]] for kind, name, keys in entities[table.name]]
        assert shown == attributes, table.name
    links = [(source.strip("'"), column, target.strip("'")) for source, column, target, *_ in diagram["links"]]
    assert sorted(links) == sorted(key[:3] for key in documents.foreign_keys(picture))
    assert all(table.name in str(diagram["shown"]) for table in tables)


def test_mermaid_reads_awkward_names(window: Window, mermaid: str) -> None:
    """Names of any kind are read and drawn, and markup in them stays text."""
    scene = awkward()
    diagram = draw(window, mermaid, render_mermaid(scene))
    assert len(diagram["entities"]) == len(scene.boxes)
    assert len(diagram["links"]) == len(scene.links)
    assert diagram["scripts"] == 0
