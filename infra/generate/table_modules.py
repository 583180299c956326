"""Which module creates which tables: by the package or the file of their models, or by the map in modules.yaml."""

from __future__ import annotations

import re
import sys
from dataclasses import dataclass
from itertools import takewhile
from pathlib import PurePath
from typing import TYPE_CHECKING

from infra.errors import InfraError
from infra.folder.modules_yaml import ModuleContent
from infra.generate.imported_models import full_name

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from sqlalchemy import Table

    from infra.folder.modules_yaml import FolderSettings
    from infra.generate.imported_models import ImportedModels

MOST_FILES = 3  # that the header of a module names; of more it names the folder


@dataclass(frozen=True)
class TableModule:
    """The tables that one module creates, in this order: its name without the number, and its description."""

    title: str
    creates: str
    files: tuple[str, ...]
    tables: tuple[Table, ...]


def table_modules(models: ImportedModels, settings: FolderSettings) -> list[TableModule]:
    """Return the modules that create the tables of the models, in the order of the settings, or else of the tables.

    Raises InfraError for a table that no module or more than one would create.
    """
    contents = settings.modules if isinstance(settings.modules, dict) else _divided(models, settings.modules)
    _require_one_module_each(models, contents, settings)
    return [_module(title, content, models) for title, content in contents.items()]


def _divided(models: ImportedModels, division: str) -> dict[str, ModuleContent]:
    """Return a module for each Python module that declares tables, or for each package of such."""
    tables: dict[str, list[str]] = {}
    for table in models.tables():
        name = models.declarations[table].module
        is_whole = division == "file" or name in models.names or is_package(name)
        group = name if is_whole else name.rpartition(".")[0] or name
        tables.setdefault(_title(group, models.names), []).append(full_name(table))
    return {title: ModuleContent(tables=tuple(names)) for title, names in tables.items()}


def is_package(name: str) -> bool:
    """Return whether an imported Python module is a package."""
    return hasattr(sys.modules.get(name), "__path__")


def _title(name: str, roots: Iterable[str]) -> str:
    """Return a module's title for a Python name: the part below the root that it belongs to, or the root's last one."""
    root = max((root for root in roots if name.startswith(f"{root}.")), key=len, default="")
    below = name.removeprefix(f"{root}.") if root else name.rpartition(".")[2]
    return re.sub(r"[^a-z0-9]+", "-", below.lower()).strip("-") or "models"


def _tables_of(content: ModuleContent, models: ImportedModels) -> list[Table]:
    """Return the tables of a module: source by source, then those that it names; a parent before what inherits."""
    tables: dict[Table, None] = {}
    for source in content.source:
        for table in models.tables():
            name = models.declarations[table].module
            if name == source or name.startswith(f"{source}."):
                tables[table] = None
    by_name = {full_name(table): table for table in models.tables()}
    for name in content.tables:
        if name in by_name:
            tables[by_name[name]] = None
    return _parents_first(tables)


def _parents_first(tables: Iterable[Table]) -> list[Table]:
    ordered: list[Table] = []
    pending = list(tables)
    while pending:
        names = {full_name(table) for table in pending}
        ready = [table for table in pending if not names & set(inherited(table))]
        ordered += ready or pending  # a circle is PostgreSQL's to refuse
        pending = [table for table in pending if table not in ready] if ready else []
    return ordered


def inherited(table: Table) -> tuple[str, ...]:
    """Return the names of the tables that a table inherits from."""
    parents = table.dialect_options["postgresql"].get("inherits") or ()
    return (parents,) if isinstance(parents, str) else tuple(parents)


def _require_one_module_each(
    models: ImportedModels, contents: dict[str, ModuleContent], settings: FolderSettings
) -> None:
    modules_of: dict[Table, list[str]] = {table: [] for table in models.tables()}
    for title, content in contents.items():
        tables = _tables_of(content, models)
        for table in tables:
            modules_of[table].append(title)
        known = {full_name(table) for table in tables}
        if missing := [name for name in content.tables if name not in known]:
            raise InfraError(
                f"no model declares {', '.join(missing)}", place=content.place, remedy="remove the name, or correct it"
            )
        if not tables:
            raise InfraError(
                f"no model is in module {title}", place=content.place, remedy="name the Python modules under `from`"
            )
    for table, titles in modules_of.items():
        if len(titles) != 1:
            which = f"the modules {' and '.join(titles)} create" if titles else "no module creates"
            raise InfraError(
                f"{which} table {full_name(table)}",
                place=str(models.declarations[table]),
                remedy=f"put it in exactly one of `modules` in {settings.path}",
            )


def _module(title: str, content: ModuleContent, models: ImportedModels) -> TableModule:
    tables = _tables_of(content, models)
    declarations = dict.fromkeys(models.declarations[table] for table in tables)
    paths = list(dict.fromkeys(declaration.portable_path() for declaration in declarations))
    if len(paths) > MOST_FILES:
        paths = ["/".join([*_common(PurePath(path).parent.parts for path in paths), ""])]
    names = list(dict.fromkeys(declaration.module for declaration in declarations))
    return TableModule(title, content.creates or _description(title, names), tuple(paths), tuple(tables))


def _description(title: str, names: list[str]) -> str:
    """Return the first line of the docstring of the models' file, or of the package that all of their files are in."""
    common = ".".join(_common(name.split(".") for name in names))
    docstring = (getattr(sys.modules.get(common), "__doc__", None) or "").strip()
    return docstring.partition("\n")[0].strip() or f"Tables of {title}."


def _common(paths: Iterable[Sequence[str]]) -> list[str]:
    """Return the parts that all paths begin with."""
    return [parts[0] for parts in takewhile(lambda parts: len(set(parts)) == 1, zip(*paths, strict=False))]
