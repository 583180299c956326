"""Reads definitions back: what a column, a constraint or an index says, from the lines that a snapshot gave."""

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
    rf"CREATE (?P<unique>UNIQUE )?INDEX {_NAME} ON (?:ONLY )?(?P<table>{_NAME}(?:\.{_NAME})*) USING (?P<what>.*)",
    re.DOTALL,
)
PLAIN_INDEX = re.compile(rf"\w+ {NAMES.format('own')}(?: INCLUDE \([^)]*\))?(?: NULLS NOT DISTINCT)?(?: WITH \(.*\))?")
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
    """A column; `default` is an expression, `generated` how it is computed or numbered, `rest` what else is set."""

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
    """A constraint; `columns` are those it names, `target` and `target_columns` what a foreign key refers to."""

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
        """Give the place of its kind among all: keys come first."""
        return list(BEGINNINGS.values()).index(self.kind)


@dataclass(frozen=True)
class IndexDefinition:
    """An index that is not a constraint's own; `columns` are () where it is on expressions or orders them specially."""

    name: str
    table: str
    definition: str
    unique: bool
    columns: tuple[str, ...] = ()
    predicate: str = ""
    comment: str = ""


def split_comment(definition: str) -> tuple[str, str]:
    """Take the comment off a definition; '' where there is none."""
    found = COMMENT.search(definition)
    if not found:
        return definition, ""
    text = found["text"].replace("''", "'")
    return definition[: found.start()], text.replace("\\\\", "\\") if found["escaped"] else text


def column_of(name: str, definition: str) -> ColumnDefinition:
    """Read a column by its qualified name."""
    rest, comment = split_comment(definition)
    found = COLUMN.fullmatch(rest)
    if not found:
        raise ValueError(f"column {name} is not defined as a column is: {definition!r}")
    return ColumnDefinition(
        last(name),
        found["type"],
        nullable=found["required"] is None,
        default=found["default"] or "",
        generated=found["identity"] or found["generated"] or "",
        collation=found["collation"] or "",
        rest=tuple(filter(None, found["rest"].split("\n"))),
        comment=comment,
    )


def constraint_of(name: str, definition: str) -> ConstraintDefinition:
    """Read a constraint by its qualified name."""
    text, comment = split_comment(definition)
    kind: Kind | None = next((kind for beginning, kind in BEGINNINGS.items() if text.startswith(beginning)), None)
    if kind is None:
        raise ValueError(f"constraint {name} is of no kind that is known: {definition!r}")
    if found := FOREIGN_KEY.match(text):
        own, others = names_in(found["own"]), names_in(found["others"])
        action = found["rest"].partition("\n")[0].strip()
        return ConstraintDefinition(last(name), kind, text, own, found["target"], others, action, comment)
    found = _KEY.match(text)
    return ConstraintDefinition(last(name), kind, text, names_in(found["own"]) if found else (), comment=comment)


def index_of(name: str, definition: str) -> IndexDefinition:
    """Read an index by its qualified name."""
    text, comment = split_comment(definition)
    found = _INDEX.fullmatch(text)
    if not found:
        raise ValueError(f"index {name} is not defined as an index is: {definition!r}")
    what = found["what"]
    predicate = PREDICATE.search(what.partition("\n")[0])
    first = what[: predicate.start() + 1] if predicate else what
    plain = PLAIN_INDEX.fullmatch(first.partition("\n")[0])
    return IndexDefinition(
        name=name,
        table=found["table"],
        definition=what,
        unique=found["unique"] is not None,
        columns=names_in(plain["own"]) if plain else (),
        predicate=predicate["predicate"] if predicate else "",
        comment=comment,
    )


def names_in(text: str) -> tuple[str, ...]:
    """Take a list of names apart at its commas, leaving each quoted as it was."""
    return tuple(name.removeprefix("PERIOD ") for name in re.findall(rf"(?:PERIOD )?{_NAME}", text))
