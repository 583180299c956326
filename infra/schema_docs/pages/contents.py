"""From a structure to what its documents say, before that has a form."""

from __future__ import annotations

import re
from collections import Counter
from typing import TYPE_CHECKING

from infra.catalog.catalog import ObjectId
from infra.catalog.identifiers import last, parent, raw
from infra.catalog.structure import display_type
from infra.schema_docs.diagram.scene import keys_of
from infra.schema_docs.diagram.types import short
from infra.schema_docs.pages.entries import (
    ColumnEntry,
    ModuleEntry,
    OtherEntry,
    PageContents,
    ReferenceEntry,
    RuleEntry,
    TableEntry,
)

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from infra.catalog.definitions import ColumnDefinition, ConstraintDefinition, IndexDefinition
    from infra.catalog.structure import Other, Structure, Table
    from infra.schema_docs.pages.entries import Described, SourceLink

    Places = Mapping[tuple[str, tuple[str, ...]], SourceLink]

_HIDDEN = ("owner", "privileges", "column order", "extension version")


def contents(structure: Structure, modules: Sequence[Described], places: Sequence[Places], title: str) -> PageContents:
    """Gather what the documents say; each of `places` is asked where an object is declared."""
    reader = _Reader(structure, places)
    return PageContents(title, counted(_kinds(structure)), tuple(reader.module(module) for module in modules))


def anchor(kind: str, name: str) -> str:
    """Give a name for links, another one for every object: unquoted names have neither `-` nor `:` nor `~`."""
    if kind == "column":
        return f"{anchor('table', parent(name))}:{_kept(last(name))}"
    return _kept(display_type(name)) if kind == "table" else f"{kind.replace(' ', '-')}-{_kept(display_type(name))}"


def _kept(name: str) -> str:
    return re.sub(r"[^A-Za-z0-9_.-]", lambda found: f"~{ord(found[0]):x}~", name)


def counted(kinds: Iterable[str]) -> str:
    """Say how many there are of each kind, in the order in which they come."""
    return ", ".join(f"{count} {kind if count == 1 else _plural(kind)}" for kind, count in Counter(kinds).items())


def _plural(kind: str) -> str:
    if kind.endswith("x"):
        return f"{kind}es"
    return f"{kind[:-1]}ies" if kind.endswith("cy") else kind if kind.endswith("s") else f"{kind}s"


def _kinds(structure: Structure) -> Iterator[str]:
    tables = structure.tables.values()
    yield from ("table" for _ in tables)
    yield from ("column" for table in tables for _ in table.columns)
    yield from ("foreign key" for table in tables for _ in table.foreign_keys)
    yield from ("index" for table in tables for _ in table.indexes)
    yield from (other.identity.kind for other in structure.others)


class _Reader:
    """Turns the values of a structure into entries."""

    def __init__(self, structure: Structure, places: Sequence[Places]) -> None:
        self.structure = structure
        self.places = places

    def module(self, module: Described) -> ModuleEntry:
        """Describe a module: its tables, what else it made, and how much of each kind."""
        own = sorted(one for one, maker in self.structure.makers.items() if maker == module.name)
        return ModuleEntry(
            name=module.name,
            anchor=anchor("module", module.name),
            path=module.path,
            description=module.description,
            counts=counted(one.kind for one in own if one.kind not in _HIDDEN),
            tables=tuple(
                self.table(table)
                for table in self.structure.tables.values()
                if self.structure.maker(table.name) == module.name
            ),
            others=tuple(self.other(one) for one in self.structure.others if one.identity in own),
        )

    def table(self, table: Table) -> TableEntry:
        """Describe a table."""
        return TableEntry(
            name=table.shown,
            anchor=anchor("table", table.name),
            comment=table.comment,
            notes=table.notes,
            columns=tuple(self.column(table, column) for column in table.columns),
            constraints=tuple(self.constraint(table, one) for one in table.constraints),
            indexes=tuple(self.index(table, one) for one in table.indexes),
            referred_to_by=tuple(_reference(*found) for found in self.structure.referring(table.name)),
            declared=self.sources("table", table.name),
        )

    def column(self, table: Table, column: ColumnDefinition) -> ColumnEntry:
        """Describe a column; that of a foreign key with what it refers to."""
        name = f"{table.name}.{column.name}"
        targets = [
            (f"{display_type(key.target)}.{target}", anchor("column", f"{key.target}.{target}"))
            for key in table.foreign_keys
            if key.target in self.structure.tables
            for own, target in zip(key.columns, key.target_columns, strict=True)
            if own == column.name
        ]
        collation = (f"collate {column.collation}",) if column.collation else ()
        return ColumnEntry(
            name=column.name,
            anchor=anchor("column", name),
            type=short(column.type),
            nullable=column.nullable,
            default=column.default or column.generated,
            keys=keys_of(table, column),
            notes=(*collation, *column.rest),
            comment=column.comment,
            targets=tuple(targets),
            declared=self.sources("column", name),
        )

    def constraint(self, table: Table, constraint: ConstraintDefinition) -> RuleEntry:
        """Describe a constraint; where it has no place of its own, its first column has."""
        name = f"{table.name}.{constraint.name}"
        before, target, after = constraint.definition.partition(constraint.target or "\0")
        known = constraint.target in self.structure.tables
        return RuleEntry(
            name=constraint.name,
            anchor=anchor("constraint", name),
            kind=constraint.kind,
            before=before,
            target=display_type(target),
            target_anchor=anchor("table", target) if known else "",
            after=after,
            comment=constraint.comment,
            module=self.maker("constraint", name),
            declared=self.sources("constraint", name, table=table.name, columns=constraint.columns),
        )

    def index(self, table: Table, index: IndexDefinition) -> RuleEntry:
        """Describe an index, named by its table's schema and its own name."""
        return RuleEntry(
            name=display_type(index.name),
            anchor=anchor("index", index.name),
            kind="unique index" if index.unique else "index",
            before=index.definition,
            target="",
            target_anchor="",
            after="",
            comment=index.comment,
            module=self.maker("index", index.name),
            declared=self.sources("index", index.name, table=table.name, columns=index.columns),
        )

    def other(self, other: Other) -> OtherEntry:
        """Describe what is no table."""
        kind, name = other.identity
        return OtherEntry(
            kind, display_type(name), anchor(kind, name), other.definition, other.comment, self.sources(kind, name)
        )

    def maker(self, kind: str, name: str) -> str:
        """Name the module that made an object."""
        return self.structure.makers.get(ObjectId(kind, name), "")

    def sources(self, kind: str, name: str, *, table: str = "", columns: Sequence[str] = ()) -> tuple[SourceLink, ...]:
        """Give where an object is declared, on each side that knows; else where its first column is, or its table."""
        keys = [(kind, raw(name)), *(("column", raw(f"{table}.{one}")) for one in columns[:1]), ("table", raw(table))]
        found = [next((side[key] for key in keys if key in side), None) for side in self.places]
        return tuple(source for source in found if source)


def _reference(table: Table, key: ConstraintDefinition) -> ReferenceEntry:
    return ReferenceEntry(
        table=table.shown,
        anchor=anchor("table", table.name),
        columns=", ".join(key.columns),
        own_columns=", ".join(key.target_columns),
        action=key.action,
    )
