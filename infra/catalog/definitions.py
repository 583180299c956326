"""Parses definitions of the catalog: the parts of a column, a constraint or an index, from its lines."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Literal

from infra.catalog.identifiers import last

_NAME = r'(?:"(?:[^"]|"")*"|[^\s",.()]+)'
NAMES = rf"\((?P<{{0}}>(?:PERIOD )?{_NAME}(?:, (?:PERIOD )?{_NAME})*)\)"

COMMENT = re.compile(r"(?:\A|\n)comment ?(?P<escaped>E?)'(?P<text>(?:[^']|'')*)'\Z")

COLUMN = re.compile(
    r"""
    (?:attribute\ \d+\n)? type\ (?P<type>[^\n]+)
    (?:\ncollate\ (?P<collation>[^\n]+))?
    (?P<required>\nnot\ null)?
    (?:\n(?P<identity>generated\ (?:always|by\ default)\ as\ identity))?
    (?:\n(?:default\ (?P<default>.*?)|(?P<generated>generated\ always\ as\ \(.*?\)\ (?:stored|virtual))))?
    (?P<rest>(?:\n(?:storage|compression|statistics)\ \w+|\n(?:foreign\ )?options\ \([^\n]*\)|\ninherited)*)
    """,
    re.VERBOSE | re.DOTALL,
)

FOREIGN_KEY = re.compile(
    rf"FOREIGN KEY {NAMES.format('own')} REFERENCES (?P<target>{_NAME}(?:\.{_NAME})*) ?"
    rf"{NAMES.format('others')}(?P<rest>.*)",
    re.DOTALL,
)
_KEY = re.compile(rf"(?P<kind>PRIMARY KEY|UNIQUE)(?: NULLS NOT DISTINCT)? {NAMES.format('own')}")

_INDEX = re.compile(
    rf"CREATE (?P<unique>UNIQUE )?INDEX {_NAME} ON (?:ONLY )?(?P<table>{_NAME}(?:\.{_NAME})*)"
    r" USING (?P<method_and_rest>.*)",
    re.DOTALL,
)
INDEX_ON_COLUMNS = re.compile(
    rf"\w+ {NAMES.format('own')}(?: INCLUDE \([^)]*\))?(?: NULLS NOT DISTINCT)?(?: WITH \(.*\))?"
)
PREDICATE = re.compile(r"\) WHERE (?P<predicate>.*)\Z", re.DOTALL)

Kind = Literal["primary key", "unique", "foreign key", "exclusion", "check"]
BEGINNINGS: dict[str, Kind] = {
    "PRIMARY KEY": "primary key",
    "UNIQUE": "unique",
    "FOREIGN KEY": "foreign key",
    "EXCLUDE": "exclusion",
    "CHECK": "check",
}


@dataclass(frozen=True)
class ColumnDefinition:
    """A column: `default` is an expression, `generated` an identity or generation clause, `rest` all other lines."""

    name: str
    type: str
    nullable: bool
    default: str = ""
    generated: str = ""
    collation: str = ""
    rest: tuple[str, ...] = ()
    comment: str = ""


@dataclass(frozen=True)
class ConstraintDefinition:
    """A constraint and the columns that it lists; `target` and `target_columns` are what a foreign key references."""

    name: str
    kind: Kind
    definition: str
    columns: tuple[str, ...] = ()
    target: str = ""
    target_columns: tuple[str, ...] = ()
    action: str = ""
    comment: str = ""

    @property
    def rank(self) -> int:
        """Return the position of its kind among the constraints of a table: keys come first."""
        return list(BEGINNINGS.values()).index(self.kind)


@dataclass(frozen=True)
class IndexDefinition:
    """An index without a constraint; `columns` is () for one with an expression, a sort order or an operator class."""

    name: str
    table: str
    definition: str
    unique: bool
    columns: tuple[str, ...] = ()
    predicate: str = ""
    comment: str = ""


def split_comment(definition: str) -> tuple[str, str]:
    """Return a definition without its comment, and the comment, '' for none."""
    match = COMMENT.search(definition)
    if not match:
        return definition, ""
    text = match["text"].replace("''", "'")
    return definition[: match.start()], text.replace("\\\\", "\\") if match["escaped"] else text


def column_of(name: str, definition: str) -> ColumnDefinition:
    """Return the column of this qualified name and definition; raises ValueError for another kind of definition."""
    rest, comment = split_comment(definition)
    match = COLUMN.fullmatch(rest)
    if not match:
        raise ValueError(f"column {name} does not have the definition of a column: {definition!r}")
    return ColumnDefinition(
        last(name),
        match["type"],
        nullable=match["required"] is None,
        default=match["default"] or "",
        generated=match["identity"] or match["generated"] or "",
        collation=match["collation"] or "",
        rest=tuple(filter(None, match["rest"].split("\n"))),
        comment=comment,
    )


def constraint_of(name: str, definition: str) -> ConstraintDefinition:
    """Return the constraint of this qualified name and definition; raises ValueError for one of an unknown kind."""
    text, comment = split_comment(definition)
    kind: Kind | None = next((kind for beginning, kind in BEGINNINGS.items() if text.startswith(beginning)), None)
    if kind is None:
        raise ValueError(f"constraint {name} is of an unknown kind: {definition!r}")
    if match := FOREIGN_KEY.match(text):
        own, others = names_in(match["own"]), names_in(match["others"])
        action = match["rest"].partition("\n")[0].strip()
        return ConstraintDefinition(last(name), kind, text, own, match["target"], others, action, comment)
    match = _KEY.match(text)
    return ConstraintDefinition(last(name), kind, text, names_in(match["own"]) if match else (), comment=comment)


def index_of(name: str, definition: str) -> IndexDefinition:
    """Return the index of this qualified name and definition; raises ValueError for another kind of definition."""
    text, comment = split_comment(definition)
    match = _INDEX.fullmatch(text)
    if not match:
        raise ValueError(f"index {name} does not have the definition of an index: {definition!r}")
    method_and_rest = match["method_and_rest"]
    predicate = PREDICATE.search(method_and_rest.partition("\n")[0])
    without_predicate = method_and_rest[: predicate.start() + 1] if predicate else method_and_rest
    on_columns = INDEX_ON_COLUMNS.fullmatch(without_predicate.partition("\n")[0])
    return IndexDefinition(
        name=name,
        table=match["table"],
        definition=method_and_rest,
        unique=match["unique"] is not None,
        columns=names_in(on_columns["own"]) if on_columns else (),
        predicate=predicate["predicate"] if predicate else "",
        comment=comment,
    )


def names_in(text: str) -> tuple[str, ...]:
    """Return the names of a list that commas separate, each quoted as it was."""
    return tuple(name.removeprefix("PERIOD ") for name in re.findall(rf"(?:PERIOD )?{_NAME}", text))
