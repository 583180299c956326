"""The files of docs/schema, by name: made from the catalog that the modules leave on a private server."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from infra.catalog.changes import fold
from infra.catalog.identifiers import raw
from infra.catalog.structure import makers, structure_of
from infra.check.checker import scratch_server
from infra.check.in_models import models_of
from infra.errors import InfraError
from infra.generate.written_files import Generated
from infra.modules.locations import locations_of
from infra.modules.module import load_modules
from infra.postgres.apply.scratch import run_on_scratch, scratch_database
from infra.postgres.connection import pool
from infra.schema_docs.diagram.drawing import drawing
from infra.schema_docs.diagram.mermaid import mermaid
from infra.schema_docs.diagram.scene import of_module, whole
from infra.schema_docs.diagram.svg import svg
from infra.schema_docs.pages.contents import anchor, contents
from infra.schema_docs.pages.entries import Described, SourceLink
from infra.schema_docs.pages.markdown import markdown

if TYPE_CHECKING:
    from collections.abc import Mapping

    from sqlalchemy import MetaData

    from infra.catalog.catalog import ObjectId
    from infra.catalog.structure import Structure
    from infra.modules.module import Module
    from infra.schema_docs.diagram.scene import Scene
    from infra.schema_docs.pages.contents import Places
    from infra.schema_docs.pages.entries import PageContents

_PROJECT = Path(__file__).parents[2]
_SECONDS = 300.0  # that a module may run
_WHOLE = "schema"  # what the files about everything are called
TITLE = "The schema of the platform's PostgreSQL"

DIAGRAMS = Generated((".svg", ".mmd"), "Written by `python -m infra diagram`", 5)
DOCUMENTS = Generated((".html", ".md"), "Written by `python -m infra docs`", 5)


@dataclass(frozen=True)
class BuiltSchema:
    """What modules make: the definition of every object, and the structure that these are."""

    modules: tuple[Module, ...]
    definitions: Mapping[ObjectId, str]
    structure: Structure


def build_schema(directory: Path) -> BuiltSchema:
    """Run the modules of a directory on a private server, and read what they make; raises InfraError."""
    modules = load_modules(directory, shown_as=in_project(directory))
    order = list(locations_of(modules))
    with (
        scratch_server(None) as where,
        scratch_database(where.admin, owner=where.owner) as scratch,
        pool.connection(scratch) as connection,
    ):
        effects = {
            one.name: run_on_scratch(connection, scratch, one, owner=where.owner, seconds=_SECONDS) for one in modules
        }
    definitions = fold(effects.items()).definitions
    tables = [one.name for one in definitions if one.kind == "table" and ("table", raw(one.name)) in order]
    tables.sort(key=lambda name: order.index(("table", raw(name))))
    return BuiltSchema(tuple(modules), definitions, structure_of(definitions, makers(effects.items()), tables))


def diagrams(found: BuiltSchema) -> dict[str, str]:
    """Give the pictures as files, SVG and Mermaid: the whole schema, and each module that makes tables."""
    files: dict[str, str] = {}
    for module, scene in _scenes(found.structure).items():
        name = module or _WHOLE
        files[f"{name}.svg"] = f"<!-- {DIAGRAMS.words}; do not change it here. -->\n{svg(drawing(scene), name=name)}"
        head, _, rest = mermaid(scene).partition("erDiagram\n")
        files[f"{name}.mmd"] = f"{head}%% {DIAGRAMS.words}; do not change it here.\nerDiagram\n{rest}"
    return files


def documents(found: BuiltSchema, metadata: MetaData, base: type, *, output: Path) -> dict[str, str]:
    """Give the documents as files for a directory: one page of HTML, and Markdown that shows the pictures there."""
    try:
        from infra.schema_docs.pages.page import page  # noqa: PLC0415 (its template engine is installed for development)
    except ModuleNotFoundError as error:
        raise InfraError(f"{error.name} is not installed", place="docs", remedy="run make development") from None
    scenes = _scenes(found.structure)
    told = _contents(found, metadata, base)
    root = Path(os.path.relpath(_PROJECT, output)).as_posix()
    pictures = {
        module: svg(
            drawing(scene), name=f"picture-{module or _WHOLE}", style=False, link_to=lambda t: f"#{anchor('table', t)}"
        )
        for module, scene in scenes.items()
    }
    names = {module: f"{module or _WHOLE}.svg" for module in scenes}
    return {
        f"{_WHOLE}.html": page(told, pictures, modules=len(found.structure.modules()), root=root),
        f"{_WHOLE}.md": markdown(told, names, root=root),
    }


def in_project(path: Path | str) -> str:
    """Give a path as seen from the project's folder, wherever the command was typed."""
    return Path(os.path.relpath(Path(path).resolve(), _PROJECT)).as_posix()


def _scenes(structure: Structure) -> dict[str, Scene]:
    return {"": whole(structure), **{module: of_module(structure, module) for module in structure.modules()}}


def _contents(found: BuiltSchema, metadata: MetaData, base: type) -> PageContents:
    models = models_of(metadata, base)
    in_models: Places = {
        (one.kind, raw(one.name)): SourceLink(in_project(place.path), place.line)
        for one, text in found.definitions.items()
        if one.kind in {"table", "column", "constraint", "index"} and (place := models.place_of(one, text))
    }
    in_modules: Places = {key: SourceLink(place.path, place.line) for key, place in locations_of(found.modules).items()}
    described = [Described(module.name, module.path, _description(module)) for module in found.modules]
    return contents(found.structure, described, [in_models, in_modules], TITLE)


def _description(module: Module) -> str:
    """Give the first comment of a module, its first line alone."""
    first = module.text.partition("\n")[0]
    return first.removeprefix("--").strip() if first.startswith("--") else ""
