"""The files of docs/schema, made from the catalog that the modules create on a private server."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from infra.catalog.changes import fold
from infra.catalog.identifiers import raw
from infra.catalog.structure import makers, structure_of
from infra.check.in_models import ModelPlaces
from infra.check.in_modules import extensions_of
from infra.check.stack_files import further_roles_of_stacks
from infra.errors import InfraError
from infra.generate.written_files import Generated
from infra.modules.locations import locations_of
from infra.modules.module import load_modules, require_directory
from infra.postgres.apply.module_effects import run_on_scratch
from infra.postgres.connection import pool
from infra.schema_docs.diagram.drawing import lay_out
from infra.schema_docs.diagram.mermaid import render_mermaid
from infra.schema_docs.diagram.scene import module_scene, whole_scene
from infra.schema_docs.diagram.svg import render_svg
from infra.schema_docs.pages.contents import anchor, page_contents
from infra.schema_docs.pages.entries import ModuleDescription
from infra.schema_docs.pages.markdown import render_markdown
from infra.server.scratch.scratch_server import MODULE_SECONDS, scratch_server

if TYPE_CHECKING:
    from collections.abc import Mapping

    from infra.catalog.catalog import ObjectId
    from infra.catalog.structure import Structure
    from infra.generate.imported_models import ImportedModels
    from infra.modules.module import Module
    from infra.schema_docs.diagram.scene import Scene
    from infra.schema_docs.pages.contents import DeclaringFiles
    from infra.schema_docs.pages.entries import PageContents

_WHOLE = "schema"  # name of the files about the whole schema
TITLE = "The schema of the platform's PostgreSQL"

DIAGRAMS = Generated((".svg", ".mmd"), "Written by `python -m infra diagram`", 5)
DOCUMENTS = Generated((".html", ".md"), "Written by `python -m infra docs`", 5)


@dataclass(frozen=True)
class BuiltSchema:
    """A schema that modules created: the definition of every object, and its structure."""

    modules: tuple[Module, ...]
    definitions: Mapping[ObjectId, str]
    structure: Structure


def build_schema(directory: Path) -> BuiltSchema:
    """Run the modules of a directory on a private server, and return the schema that they create.

    Raises InfraError, with the place in the module's file where PostgreSQL refused it.
    """
    require_directory(directory)
    modules = load_modules(directory, shown_as=project_path(directory))
    order = list(locations_of(modules))
    with (
        scratch_server(None, further_roles_of_stacks(Path(), directory)) as server,
        server.database(server.extensions_for_administrators(extensions_of(modules))) as scratch,
        pool.connection(scratch.target) as connection,
    ):
        effects = {
            module.name: run_on_scratch(connection, scratch, module, seconds=MODULE_SECONDS) for module in modules
        }
    definitions = fold(effects.items()).definitions
    tables = [
        identity.name for identity in definitions if identity.kind == "table" and ("table", raw(identity.name)) in order
    ]
    tables.sort(key=lambda name: order.index(("table", raw(name))))
    return BuiltSchema(tuple(modules), definitions, structure_of(definitions, makers(effects.items()), tables))


def diagram_files(schema: BuiltSchema) -> dict[str, str]:
    """Return the texts of the pictures by file name: SVG and Mermaid, of the whole schema and of each module."""
    files: dict[str, str] = {}
    for module, scene in _scenes(schema.structure).items():
        name = module or _WHOLE
        files[f"{name}.svg"] = (
            f"<!-- {DIAGRAMS.words}; do not change it here. -->\n{render_svg(lay_out(scene), name=name)}"
        )
        head, _, rest = render_mermaid(scene).partition("erDiagram\n")
        files[f"{name}.mmd"] = f"{head}%% {DIAGRAMS.words}; do not change it here.\nerDiagram\n{rest}"
    return files


def document_files(schema: BuiltSchema, models: ImportedModels | None, *, output: Path) -> dict[str, str]:
    """Return the texts of the documents by file name: a page of HTML, and Markdown that shows the pictures beside it.

    `output` is the directory of the files, for their links to the project. Raises InfraError where Jinja2 is missing.
    """
    try:
        from infra.schema_docs.pages.page import render_page  # noqa: PLC0415 (its template engine is installed for development)
    except ModuleNotFoundError as error:
        raise InfraError(f"{error.name} is not installed", place="docs", remedy="run make development") from None
    scenes = _scenes(schema.structure)
    contents = _contents(schema, models)
    root = Path(os.path.relpath(Path(), output)).as_posix()
    pictures = {
        module: render_svg(
            lay_out(scene),
            name=f"picture-{module or _WHOLE}",
            style=False,
            link_to=lambda table: f"#{anchor('table', table)}",
        )
        for module, scene in scenes.items()
    }
    names = {module: f"{module or _WHOLE}.svg" for module in scenes}
    return {
        f"{_WHOLE}.html": render_page(contents, pictures, modules=len(schema.structure.modules()), root=root),
        f"{_WHOLE}.md": render_markdown(contents, names, root=root),
    }


def project_path(path: Path | str) -> str:
    """Return a path relative to the project's folder, in which commands are run."""
    return Path(os.path.relpath(Path(path).resolve(), Path.cwd())).as_posix()


def _scenes(structure: Structure) -> dict[str, Scene]:
    return {"": whole_scene(structure), **{module: module_scene(structure, module) for module in structure.modules()}}


def _contents(schema: BuiltSchema, models: ImportedModels | None) -> PageContents:
    places = ModelPlaces(models)
    in_models: DeclaringFiles = {
        raw(identity.name): project_path(place.path)
        for identity, text in schema.definitions.items()
        if identity.kind == "table" and (place := places.place_of(identity, text))
    }
    in_modules: DeclaringFiles = {
        name: place.path for (kind, name), place in locations_of(schema.modules).items() if kind == "table"
    }
    descriptions = [ModuleDescription(module.name, module.path, _description(module)) for module in schema.modules]
    return page_contents(schema.structure, descriptions, [in_models, in_modules], TITLE)


def _description(module: Module) -> str:
    """Return the first line of a module without `--`, '' when it is no comment."""
    first = module.text.partition("\n")[0]
    return first.removeprefix("--").strip() if first.startswith("--") else ""
