"""The contents of the documents, read from the structure of a schema; page.py and markdown.py give them a form."""

from __future__ import annotations

import re
from collections import Counter
from typing import TYPE_CHECKING

from infra.catalog.catalog import ObjectId
from infra.catalog.identifiers import last, parent, raw
from infra.catalog.structure import display_type
from infra.schema_docs.diagram.scene import key_labels
from infra.schema_docs.diagram.types import short_type
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
    from infra.schema_docs.pages.entries import ModuleDescription

    DeclaringFiles = Mapping[tuple[str, ...], str]

_HIDDEN = ("owner", "privileges", "column order", "extension version")


def page_contents(
    structure: Structure, modules: Sequence[ModuleDescription], sources: Sequence[DeclaringFiles], title: str
) -> PageContents:
    """Return the contents of the documents.

    Each of `sources` has the files where tables are declared, by name; a table is linked to each of them.
    """
    reader = _Reader(structure, sources)
    return PageContents(title, count_phrase(_kinds(structure)), tuple(reader.module(module) for module in modules))


def anchor(kind: str, name: str) -> str:
    """Return the id of an object in the page; no two objects share one.

    The separators `-` and `:` and the escape `~` do not occur in names that need no quotes.
    """
    if kind == "column":
        return f"{anchor('table', parent(name))}:{_escaped(last(name))}"
    escaped = _escaped(display_type(name))
    return escaped if kind == "table" else f"{kind.replace(' ', '-')}-{escaped}"


def _escaped(name: str) -> str:
    return re.sub(r"[^A-Za-z0-9_.-]", lambda match: f"~{ord(match[0]):x}~", name)


def count_phrase(kinds: Iterable[str]) -> str:
    """Return how many there are of each kind, such as `2 tables, 1 view`, in the order of their first occurrence."""
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
    """A reader that turns the values of a structure into entries."""

    def __init__(self, structure: Structure, sources: Sequence[DeclaringFiles]) -> None:
        self.structure = structure
        self.sources = sources

    def module(self, module: ModuleDescription) -> ModuleEntry:
        """Return the entry of a module: its tables, its other objects, and how many there are of each kind."""
        own = sorted(identity for identity, maker in self.structure.makers.items() if maker == module.name)
        return ModuleEntry(
            name=module.name,
            anchor=anchor("module", module.name),
            path=module.path,
            description=module.description,
            counts=count_phrase(identity.kind for identity in own if identity.kind not in _HIDDEN),
            tables=tuple(
                self.table(table)
                for table in self.structure.tables.values()
                if self.structure.maker(table.name) == module.name
            ),
            others=tuple(self.other(other) for other in self.structure.others if other.identity in own),
        )

    def table(self, table: Table) -> TableEntry:
        """Return the entry of a table."""
        return TableEntry(
            name=table.shown,
            anchor=anchor("table", table.name),
            comment=table.comment,
            notes=table.notes,
            columns=tuple(self.column(table, column) for column in table.columns),
            constraints=tuple(self.constraint(table, constraint) for constraint in table.constraints),
            indexes=tuple(map(self.index, table.indexes)),
            referred_to_by=tuple(_reference(source, key) for source, key in self.structure.referring(table.name)),
            declared=tuple(files[key] for files in self.sources if (key := raw(table.name)) in files),
        )

    def column(self, table: Table, column: ColumnDefinition) -> ColumnEntry:
        """Return the entry of a column, with the columns that its foreign keys refer to."""
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
            type=short_type(column.type),
            nullable=column.nullable,
            default=column.default or column.generated,
            keys=key_labels(table, column),
            notes=(*collation, *column.rest),
            comment=column.comment,
            targets=tuple(targets),
        )

    def constraint(self, table: Table, constraint: ConstraintDefinition) -> RuleEntry:
        """Return the entry of a constraint."""
        name = f"{table.name}.{constraint.name}"
        before, target, after = constraint.definition.partition(constraint.target or "\0")
        is_shown = constraint.target in self.structure.tables
        return RuleEntry(
            name=constraint.name,
            anchor=anchor("constraint", name),
            kind=constraint.kind,
            before=before,
            target=display_type(target),
            target_anchor=anchor("table", target) if is_shown else "",
            after=after,
            comment=constraint.comment,
            module=self.maker("constraint", name),
        )

    def index(self, index: IndexDefinition) -> RuleEntry:
        """Return the entry of an index, which is named with its schema where that is not `public`."""
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
        )

    def other(self, other: Other) -> OtherEntry:
        """Return the entry of an object that is no table."""
        kind, name = other.identity
        return OtherEntry(kind, display_type(name), anchor(kind, name), other.definition, other.comment)

    def maker(self, kind: str, name: str) -> str:
        """Return the name of the module that created an object, '' when that is not known."""
        return self.structure.makers.get(ObjectId(kind, name), "")


def _reference(table: Table, key: ConstraintDefinition) -> ReferenceEntry:
    return ReferenceEntry(
        table=table.shown,
        anchor=anchor("table", table.name),
        columns=", ".join(key.columns),
        own_columns=", ".join(key.target_columns),
        action=key.action,
    )
