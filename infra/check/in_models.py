"""Where the models declare an object: the line of its table, or of the column or the name in that statement."""

from __future__ import annotations

import ast
from dataclasses import dataclass
from functools import cache, cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

from infra.catalog.identifiers import last, parent, raw, unquoted
from infra.findings.finding import Place

if TYPE_CHECKING:
    from sqlalchemy import Table

    from infra.catalog.catalog import ObjectId
    from infra.generate.imported_models import Declaration, ImportedModels


@dataclass(frozen=True)
class ModelPlaces:
    """The places of what models declare; without models nothing has one."""

    models: ImportedModels | None = None

    def place_of(self, identity: ObjectId, definition: str = "") -> Place | None:
        """Return the place of an object, None for one that the models do not declare.

        The table of an object without a table in its name, such as an index, is found in its `definition`.
        """
        table = self._table_of(identity, definition)
        if table is None or self.models is None:
            return None
        names = [column.name for column in _columns(table, identity)]
        if identity.kind != "column":
            names.insert(0, unquoted(last(identity.name)))
        return _place(self.models.declarations[table], names, is_column=identity.kind == "column")

    def _table_of(self, identity: ObjectId, definition: str) -> Table | None:
        name = identity.name
        if identity.kind in {"owner", "privileges"}:
            name = name.partition(" ")[2].rpartition(" to ")[0] or name.partition(" ")[2]
        candidates = [name, parent(name), *(word.strip("()") for word in definition.replace("\n", " ").split())]
        candidates += [parent(word) for word in candidates if "." in word]
        return next((self._tables[key] for key in map(_schema_and_name, candidates) if key in self._tables), None)

    @cached_property
    def _tables(self) -> dict[tuple[str, str], Table]:
        declared = self.models.declarations if self.models else ()
        return {(table.schema or "public", table.name): table for table in declared}


def _place(declaration: Declaration, names: list[str], *, is_column: bool) -> Place:
    """Return the line with one of these names in the statement that declares a table, else of the statement itself.

    A column is an attribute of its name, everything else a text; a column of another name has that as a text.
    """
    source = _source(declaration.path)
    statement = source.statement(declaration.line) if source else None
    if source is None or statement is None:
        return Place(declaration.path, declaration.line)
    texts = {node.value: node for node in reversed(list(ast.walk(statement))) if isinstance(node, ast.Constant)}
    attributes = {_target(node): node for node in getattr(statement, "body", ())}
    for name in names:
        for found in (attributes, texts) if is_column or name != names[0] else (texts,):
            if name in found:
                return source.place(found[name])
    return source.place(statement)


@dataclass(frozen=True)
class ModelSource:
    """A Python file with its lines and its tree."""

    path: str
    lines: list[str]
    tree: ast.Module

    def statement(self, line: int) -> ast.stmt | None:
        """Return the innermost statement that covers a line, None if there is none."""
        found: ast.stmt | None = None
        for node in ast.walk(self.tree):
            if isinstance(node, ast.stmt) and _first_line(node) <= line <= (node.end_lineno or 0):
                found = node
        return found

    def place(self, node: ast.stmt | ast.expr) -> Place:
        """Return the place of a node."""
        return Place(self.path, node.lineno, node.col_offset + 1, "", self.lines[node.lineno - 1])


def _first_line(node: ast.stmt) -> int:
    return min([node.lineno, *(decorator.lineno for decorator in getattr(node, "decorator_list", ()))])


@cache
def _source(path: str) -> ModelSource | None:
    """Return a file, None for one that cannot be read."""
    try:
        text = Path(path).read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError):
        return None
    return ModelSource(path, text.splitlines(), ast.parse(text))


def _columns(table: Table, identity: ObjectId) -> list[Any]:
    """Return the columns of an object: itself, those of a constraint or an index, or the owner of a sequence."""
    name = unquoted(last(identity.name))
    if identity.kind == "column":
        return [column for column in table.columns if column.name == name]
    for item in (*table.constraints, *table.indexes):
        if str(item.name) == name:
            return list(getattr(item, "columns", ()))
    return [column for column in table.columns if identity.kind == "sequence" and column.name in identity.name]


def _target(node: Any) -> str:  # noqa: ANN401 (a statement)
    if isinstance(node, ast.AnnAssign) and isinstance(node.target, ast.Name):
        return node.target.id
    if isinstance(node, ast.Assign) and isinstance(node.targets[0], ast.Name):
        return node.targets[0].id
    return ""


def _schema_and_name(name: str) -> tuple[str, str]:
    parts = list(raw(name))
    return (parts[-2] if len(parts) > 1 else "public", parts[-1]) if parts else ("", "")
