"""Where the models declare an object: file and line of its class, or of the attribute or the name in the class."""

from __future__ import annotations

import ast
import inspect
import os
import sys
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

from infra.catalog.identifiers import last, parent, raw, unquoted
from infra.findings.finding import Place

if TYPE_CHECKING:
    from collections.abc import Iterable

    from sqlalchemy import MetaData, Table

    from infra.catalog.catalog import ObjectId


@dataclass(frozen=True)
class Models:
    """The models: their metadata, and the classes that declare tables."""

    metadata: MetaData
    classes: tuple[type, ...]

    def place_of(self, identity: ObjectId, definition: str = "") -> Place | None:
        """Return the place of an object, None for one that the models do not declare.

        The table of an object without a table in its name, such as an index, is found in its `definition`.
        """
        table = self._table_of(identity, definition)
        declared = None if table is None else self._class_of(table)
        if table is None or declared is None:
            return None
        source = _source(declared)
        attributes = _attributes(declared, [column.name for column in _columns(table, identity)])
        name = "" if identity.kind == "column" else unquoted(last(identity.name))
        return source.place(declared, attributes, name) if source else None

    def _table_of(self, identity: ObjectId, definition: str) -> Table | None:
        name = identity.name
        if identity.kind in {"owner", "privileges"}:
            name = name.partition(" ")[2].rpartition(" to ")[0] or name.partition(" ")[2]
        candidates = [name, parent(name), *(word.strip("()") for word in definition.replace("\n", " ").split())]
        candidates += [parent(word) for word in candidates if "." in word]
        tables = {(table.schema or "public", table.name): table for table in self.metadata.tables.values()}
        return next((tables[key] for key in map(_schema_and_name, candidates) if key in tables), None)

    def _class_of(self, table: Table) -> type | None:
        return next((model for model in self.classes if getattr(model, "__table__", None) is table), None)


@dataclass(frozen=True)
class ModelSource:
    """A Python file with its lines and its classes."""

    path: str
    lines: list[str]
    classes: dict[str, ast.ClassDef]

    def place(self, declared: type, attributes: Iterable[str], name: str) -> Place:
        """Return the line in a class that has a name as a string, else the line of an attribute, else of the class."""
        node = self.classes[declared.__qualname__]
        strings = [
            constant
            for constant in ast.walk(node)
            if isinstance(constant, ast.Constant) and name and constant.value == name
        ]
        assignments = {_target(statement): statement for statement in node.body}
        assigned = [assignments[attribute] for attribute in attributes if attribute in assignments]
        declaration = next(iter([*strings, *assigned]), node)
        line = self.lines[declaration.lineno - 1]
        return Place(self.path, declaration.lineno, declaration.col_offset + 1, "", line)


def models_of(metadata: MetaData, base: type) -> Models:
    """Return the models of a declarative base."""
    return Models(metadata, tuple(_subclasses(base)))


def _subclasses(base: type) -> Iterable[type]:
    for subclass in base.__subclasses__():
        yield subclass
        yield from _subclasses(subclass)


@cache
def _source(declared: type) -> ModelSource | None:
    """Return the file of a class, None for a class without a readable file."""
    module = sys.modules.get(declared.__module__)
    try:
        path = Path(inspect.getsourcefile(module) or "") if module else None
        text = path.read_text(encoding="utf-8") if path else ""
    except (OSError, TypeError):
        return None
    classes = {node.name: node for node in ast.walk(ast.parse(text)) if isinstance(node, ast.ClassDef)}
    if path is None or declared.__qualname__ not in classes:
        return None
    relative = os.path.relpath(path)
    return ModelSource(str(path) if relative.startswith("..") else relative, text.splitlines(), classes)


def _columns(table: Table, identity: ObjectId) -> list[Any]:
    """Return the columns of an object: itself, those of a constraint or an index, or the owner of a sequence."""
    name = unquoted(last(identity.name))
    if identity.kind == "column":
        return [column for column in table.columns if column.name == name]
    for item in (*table.constraints, *table.indexes):
        if str(item.name) == name:
            return list(getattr(item, "columns", ()))
    return [column for column in table.columns if identity.kind == "sequence" and column.name in identity.name]


def _attributes(declared: Any, names: Iterable[str]) -> list[str]:  # noqa: ANN401 (a mapped class)
    """Return the names of the attributes that are mapped to columns of these names."""
    by_column = {column.name: key for key, column in declared.__mapper__.columns.items()}
    return [by_column[name] for name in names if name in by_column]


def _target(node: ast.stmt) -> str:
    if isinstance(node, ast.AnnAssign) and isinstance(node.target, ast.Name):
        return node.target.id
    if isinstance(node, ast.Assign) and isinstance(node.targets[0], ast.Name):
        return node.targets[0].id
    return ""


def _schema_and_name(name: str) -> tuple[str, str]:
    parts = list(raw(name))
    return (parts[-2] if len(parts) > 1 else "public", parts[-1]) if parts else ("", "")
