"""What a picture shows before anything has a place: boxes with rows, and links between rows."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from infra.catalog.structure import display_type
from infra.schema_docs.diagram.measures import CELL, HEAD, PAD, ROW, width
from infra.schema_docs.diagram.types import short

if TYPE_CHECKING:
    from collections.abc import Iterable

    from infra.catalog.definitions import ColumnDefinition, ConstraintDefinition
    from infra.catalog.structure import Structure, Table


@dataclass(frozen=True)
class Row:
    """A column in a box: its name and type as shown, its keys (PK, FK, U, U1 …), and whether it is required."""

    column: str
    type: str
    keys: tuple[str, ...]
    required: bool
    comment: str


@dataclass(frozen=True)
class Box:
    """A table: `module` made it; a stub stands for a table of another module, and shows what the links touch."""

    table: str
    module: str
    rows: tuple[Row, ...]
    stub: bool
    comment: str

    @property
    def title(self) -> str:
        """Give what the box is headed by."""
        return display_type(self.table)

    @property
    def keys_width(self) -> int:
        """Give the width of the keys, which stand before the names."""
        widest = max((width(" ".join(row.keys)) for row in self.rows), default=0)
        return widest + PAD if widest else 0

    @property
    def width(self) -> int:
        """Give the least width that holds all texts."""
        names = max((width(row.column) for row in self.rows), default=0)
        types = max((width(row.type) for row in self.rows), default=0)
        required = int(2 * CELL) + PAD
        head = width(self.title) + (2 * PAD + width(self.module) if self.stub else 0)
        return max(2 * PAD + self.keys_width + names + 2 * PAD + types + required, 2 * PAD + head)

    @property
    def height(self) -> int:
        """Give its height."""
        return HEAD + ROW * len(self.rows) + (ROW - HEAD % ROW) % ROW // 2

    def port(self, column: str) -> int:
        """Give how far below the box's top the middle of a column's row is."""
        names = [row.column for row in self.rows]
        return HEAD + ROW * names.index(column) + ROW // 2 if column in names else HEAD // 2


@dataclass(frozen=True)
class Link:
    """A foreign key; `many` says that several rows may refer to the same one, `optional` that a row need not refer."""

    name: str
    source: str
    columns: tuple[str, ...]
    target: str
    target_columns: tuple[str, ...]
    action: str
    many: bool
    optional: bool

    def __str__(self) -> str:
        own, others = (", ".join(names) for names in (self.columns, self.target_columns))
        return " ".join(
            filter(None, [f"{display_type(self.source)} ({own}) → {display_type(self.target)} ({others})", self.action])
        )


@dataclass(frozen=True)
class Scene:
    """The boxes and links of one picture, with its title; `modules` are all that the schema has, for their colours."""

    title: str
    boxes: tuple[Box, ...]
    links: tuple[Link, ...]
    modules: tuple[str, ...]


def whole(structure: Structure, title: str = "The whole schema") -> Scene:
    """Show every table with every column."""
    links = tuple(_link(table, key) for table in structure.tables.values() for key in table.foreign_keys)
    boxes = tuple(_box(table, structure) for table in structure.tables.values())
    return Scene(
        title, boxes, tuple(one for one in links if one.target in structure.tables), tuple(structure.modules())
    )


def of_module(structure: Structure, module: str) -> Scene:
    """Show the tables of one module, and as stubs those of others that they refer to or that refer to them."""
    everything = whole(structure)
    own = {name for name in structure.tables if structure.maker(name) == module}
    links = tuple(one for one in everything.links if own & {one.source, one.target})
    touched: dict[str, set[str]] = {}
    for link in links:
        touched.setdefault(link.source, set()).update(link.columns)
        touched.setdefault(link.target, set()).update(link.target_columns)
    boxes = [
        box if box.table in own else _stub(box, touched[box.table])
        for box in everything.boxes
        if box.table in own or box.table in touched
    ]
    return Scene(module, tuple(boxes), links, everything.modules)


def _stub(box: Box, columns: Iterable[str]) -> Box:
    rows = tuple(row for row in box.rows if row.column in set(columns))
    return Box(box.table, box.module, rows, stub=True, comment=box.comment)


def _box(table: Table, structure: Structure) -> Box:
    rows = tuple(
        Row(column.name, short(column.type), keys_of(table, column), not column.nullable, column.comment)
        for column in table.columns
    )
    return Box(table.name, structure.maker(table.name), rows, stub=False, comment=table.comment)


def keys_of(table: Table, column: ColumnDefinition) -> tuple[str, ...]:
    """Name the keys that a column is part of; unique rules of several columns are numbered."""
    together = [rule for rule in table.unique_rules if len(rule) > 1]
    found = ["PK"] if column.name in table.primary_key else []
    found += ["FK"] if any(column.name in key.columns for key in table.foreign_keys) else []
    found += ["U"] if (column.name,) in table.unique_rules else []
    return (*found, *(f"U{number}" for number, rule in enumerate(together, 1) if column.name in rule))


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
