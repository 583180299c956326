"""The content of a picture, before anything has a place: boxes with rows, and links between rows."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from infra.catalog.structure import display_type
from infra.schema_docs.diagram.measures import CELL_WIDTH, PADDING, ROW_HEIGHT, TITLE_HEIGHT, text_width
from infra.schema_docs.diagram.types import short_type

if TYPE_CHECKING:
    from collections.abc import Iterable

    from infra.catalog.definitions import ColumnDefinition, ConstraintDefinition
    from infra.catalog.structure import Structure, Table


@dataclass(frozen=True)
class Row:
    """A column in a box: its name and type as shown, its keys (PK, FK, U, U1 …), and whether it is NOT NULL."""

    column: str
    type: str
    keys: tuple[str, ...]
    required: bool
    comment: str


@dataclass(frozen=True)
class Box:
    """A table and the module that creates it; a stub is a table of another module, with only the linked columns."""

    table: str
    module: str
    rows: tuple[Row, ...]
    stub: bool
    comment: str

    @property
    def title(self) -> str:
        """Return the text at the head of the box."""
        return display_type(self.table)

    @property
    def keys_width(self) -> int:
        """Return the width of the keys, which stand before the names."""
        widest = max((text_width(" ".join(row.keys)) for row in self.rows), default=0)
        return widest + PADDING if widest else 0

    @property
    def width(self) -> int:
        """Return the least width that holds all texts."""
        names = max((text_width(row.column) for row in self.rows), default=0)
        types = max((text_width(row.type) for row in self.rows), default=0)
        required = int(2 * CELL_WIDTH) + PADDING
        title = text_width(self.title) + (2 * PADDING + text_width(self.module) if self.stub else 0)
        return max(2 * PADDING + self.keys_width + names + 2 * PADDING + types + required, 2 * PADDING + title)

    @property
    def height(self) -> int:
        """Return the height of title and rows; half of what is missing to a whole number of rows is added below."""
        return TITLE_HEIGHT + ROW_HEIGHT * len(self.rows) + (ROW_HEIGHT - TITLE_HEIGHT % ROW_HEIGHT) % ROW_HEIGHT // 2

    def port(self, column: str) -> int:
        """Return how far below the box's top the middle of a column's row is; without such a row, that of the title."""
        names = [row.column for row in self.rows]
        if column not in names:
            return TITLE_HEIGHT // 2
        return TITLE_HEIGHT + ROW_HEIGHT * names.index(column) + ROW_HEIGHT // 2


@dataclass(frozen=True)
class Link:
    """A foreign key; `many`: several rows may refer to the same row, `optional`: a row may refer to none."""

    name: str
    source: str
    columns: tuple[str, ...]
    target: str
    target_columns: tuple[str, ...]
    action: str
    many: bool
    optional: bool

    def __str__(self) -> str:
        columns, target_columns = (", ".join(names) for names in (self.columns, self.target_columns))
        text = f"{display_type(self.source)} ({columns}) → {display_type(self.target)} ({target_columns})"
        return f"{text} {self.action}" if self.action else text


@dataclass(frozen=True)
class Scene:
    """The title, boxes and links of one picture; `modules` are all modules of the schema, whose order gives colours."""

    title: str
    boxes: tuple[Box, ...]
    links: tuple[Link, ...]
    modules: tuple[str, ...]


def whole_scene(structure: Structure, title: str = "The whole schema") -> Scene:
    """Return a scene of every table with every column."""
    links = (_link(table, key) for table in structure.tables.values() for key in table.foreign_keys)
    boxes = tuple(_box(table, structure) for table in structure.tables.values())
    present = tuple(link for link in links if link.target in structure.tables)
    return Scene(title, boxes, present, tuple(structure.modules()))


def module_scene(structure: Structure, module: str) -> Scene:
    """Return a scene of a module's tables, with stubs of the others that they refer to or that refer to them."""
    whole = whole_scene(structure)
    own = {name for name in structure.tables if structure.maker(name) == module}
    links = tuple(link for link in whole.links if own & {link.source, link.target})
    linked_columns: dict[str, set[str]] = {}
    for link in links:
        linked_columns.setdefault(link.source, set()).update(link.columns)
        linked_columns.setdefault(link.target, set()).update(link.target_columns)
    boxes = [
        box if box.table in own else _stub(box, linked_columns[box.table])
        for box in whole.boxes
        if box.table in own or box.table in linked_columns
    ]
    return Scene(module, tuple(boxes), links, whole.modules)


def _stub(box: Box, columns: Iterable[str]) -> Box:
    rows = tuple(row for row in box.rows if row.column in set(columns))
    return Box(box.table, box.module, rows, stub=True, comment=box.comment)


def _box(table: Table, structure: Structure) -> Box:
    rows = tuple(
        Row(column.name, short_type(column.type), key_labels(table, column), not column.nullable, column.comment)
        for column in table.columns
    )
    return Box(table.name, structure.maker(table.name), rows, stub=False, comment=table.comment)


def key_labels(table: Table, column: ColumnDefinition) -> tuple[str, ...]:
    """Return the labels of the keys that a column is part of; unique keys of several columns are numbered."""
    composite = [columns for columns in table.unique_rules if len(columns) > 1]
    labels = ["PK"] if column.name in table.primary_key else []
    labels += ["FK"] if any(column.name in key.columns for key in table.foreign_keys) else []
    labels += ["U"] if (column.name,) in table.unique_rules else []
    return (*labels, *(f"U{number}" for number, columns in enumerate(composite, 1) if column.name in columns))


def _link(table: Table, key: ConstraintDefinition) -> Link:
    nullable = {column.name for column in table.columns if column.nullable}
    return Link(
        name=key.name,
        source=table.name,
        columns=key.columns,
        target=key.target,
        target_columns=key.target_columns,
        action=key.action,
        many=not table.is_unique(key.columns),
        optional=bool(nullable & set(key.columns)),
    )
