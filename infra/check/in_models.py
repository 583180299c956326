"""Where the models declare an object: the file and line of its class, or of the attribute or name in it."""

from __future__ import annotations

import ast
import inspect
import os
import sys
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

from infra.catalog.identifiers import name_parts, parent
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
        """Give the place of an object that the models declare, None where they do not; `definition` names its table."""
        table = self._table_of(identity, definition)
        declared = None if table is None else self._class_of(table)
        if table is None or declared is None:
            return None
        source = _source(declared)
        attributes = _attributes(declared, [column.name for column in _columns(table, identity)])
        text = "" if identity.kind == "column" else _plain(identity.name)
        return source.place(declared, attributes, text) if source else None

    def _table_of(self, identity: ObjectId, definition: str) -> Table | None:
        name = identity.name
        if identity.kind in {"owner", "privileges"}:
            name = name.partition(" ")[2].rpartition(" to ")[0] or name.partition(" ")[2]
        candidates = [name, parent(name), *(word.strip("()") for word in definition.replace("\n", " ").split())]
        candidates += [parent(word) for word in candidates if "." in word]
        tables = {_key(table.schema or "public", table.name): table for table in self.metadata.tables.values()}
        return next((tables[key] for key in map(_key_of, candidates) if key in tables), None)

    def _class_of(self, table: Table) -> type | None:
        return next((one for one in self.classes if getattr(one, "__table__", None) is table), None)


@dataclass(frozen=True)
class ModelSource:
    """A Python file with its lines and its classes."""

    path: str
    lines: list[str]
    classes: dict[str, ast.ClassDef]

    def place(self, declared: type, attributes: Iterable[str], name: str) -> Place:
        """Give the line in a class that holds a name as a text, else that of an attribute, else that of the class."""
        node = self.classes[declared.__qualname__]
        named = [one for one in ast.walk(node) if isinstance(one, ast.Constant) and name and one.value == name]
        assigned = {_target(one): one for one in node.body}
        at = next(iter([*named, *(assigned[each] for each in attributes if each in assigned)]), node)
        return Place(self.path, at.lineno, at.col_offset + 1, "", self.lines[at.lineno - 1])


def models_of(metadata: MetaData, base: type) -> Models:
    """Give the models of a declarative base."""
    return Models(metadata, tuple(_subclasses(base)))


def _subclasses(of: type) -> Iterable[type]:
    for one in of.__subclasses__():
        yield one
        yield from _subclasses(one)


@cache
def _source(declared: type) -> ModelSource | None:
    """Read the file of a class; None where there is none to read."""
    module = sys.modules.get(declared.__module__)
    try:
        path = Path(inspect.getsourcefile(module) or "") if module else None
        text = path.read_text(encoding="utf-8") if path else ""
    except (OSError, TypeError):
        return None
    classes = {one.name: one for one in ast.walk(ast.parse(text)) if isinstance(one, ast.ClassDef)}
    if path is None or declared.__qualname__ not in classes:
        return None
    shown = os.path.relpath(path)
    return ModelSource(str(path) if shown.startswith("..") else shown, text.splitlines(), classes)


def _columns(table: Table, identity: ObjectId) -> list[Any]:
    """Give the columns that an object of a table is about: itself, or those of a constraint or an index."""
    last = _plain(identity.name)
    if identity.kind == "column":
        return [column for column in table.columns if column.name == last]
    for one in (*table.constraints, *table.indexes):
        if str(one.name) == last:
            return list(getattr(one, "columns", ()))
    return [column for column in table.columns if identity.kind == "sequence" and column.name in identity.name]


def _attributes(declared: Any, names: Iterable[str]) -> list[str]:  # noqa: ANN401 (a mapped class)
    """Give the names of the attributes that stand for columns of these names."""
    by_column = {column.name: key for key, column in declared.__mapper__.columns.items()}
    return [by_column[name] for name in names if name in by_column]


def _target(node: ast.stmt) -> str:
    if isinstance(node, ast.AnnAssign) and isinstance(node.target, ast.Name):
        return node.target.id
    if isinstance(node, ast.Assign) and isinstance(node.targets[0], ast.Name):
        return node.targets[0].id
    return ""


def _plain(name: str) -> str:
    """Give the last part of a qualified name without its quotes."""
    part = name_parts(name)[-1]
    return part[1:-1].replace('""', '"') if part.startswith('"') else part


def _key_of(name: str) -> tuple[str, str]:
    found = [one[1:-1].replace('""', '"') if one.startswith('"') else one for one in name_parts(name)]
    return _key(found[-2] if len(found) > 1 else "public", found[-1]) if found else ("", "")


def _key(schema: str, name: str) -> tuple[str, str]:
    return schema, name
