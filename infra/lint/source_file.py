"""A file of SQL: its text, its statements with their places, and what is wrong with it as a file."""

from __future__ import annotations

import re
from bisect import bisect_right
from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING

from infra.errors import ModuleFileError
from infra.findings.finding import Place
from infra.lint.column_types import ColumnType, read_column_type
from infra.lint.recovery import ParseProblem, parse_with_recovery
from infra.modules.creations import Creation, creations
from infra.modules.module import MODULE_NAME, decode

if TYPE_CHECKING:
    from infra.modules.tree import Tree

BYTE_ORDER_MARK = "\ufeff"


@dataclass(frozen=True, eq=False)
class LocatedStatement:
    """A statement in a file: the parser's name of its kind, its tree, and its extent in characters."""

    file: SourceFile
    kind: str
    tree: Tree
    start: int
    end: int
    base: int  # bytes of the file before the text that was parsed: the parser's locations count from there

    @cached_property
    def creations(self) -> tuple[Creation, ...]:
        """Return the objects that it creates."""
        return tuple(creations(self.kind, self.tree))

    @cached_property
    def _column_types(self) -> dict[int, ColumnType]:
        return {}

    def column_type(self, type_name: Tree) -> ColumnType:
        """Read a TypeName of this statement, once: the schema model and the rules need the same ones."""
        location = type_name.location
        column_type = self._column_types.get(location)
        if column_type is None:
            column_type = self._column_types[location] = read_column_type(type_name)
        return column_type

    @property
    def text(self) -> str:
        """Return the statement as written."""
        return self.file.text[self.start : self.end]

    def place(self, location: int | None = None, *, label: str = "") -> Place:
        """Return the place of a location in its tree, or where it begins; 0 and less are no location."""
        if location is None or location <= 0:
            return self.file.place(self.start, label=label)
        return self.file.place(self.character(location), label=label)

    def character(self, location: int) -> int:
        """Convert a location of the parser, in bytes, to an offset in characters of the file."""
        return self.file.character(self.base + location)


@dataclass(frozen=True)
class Origin:
    """Where a name or an object is written: a statement and the parser's location in it, -1 for its beginning."""

    statement: LocatedStatement
    location: int = -1

    def place(self, label: str = "") -> Place:
        """Return the place in the file."""
        return self.statement.place(self.location, label=label)

    def __str__(self) -> str:
        place = self.place()
        return f"{place.path}:{place.line}"


@dataclass(eq=False)
class SourceFile:
    """A file of SQL; `name` is "" for standard input."""

    path: str
    name: str
    text: str
    reported: bool = True  # False: read only because the other files depend on it
    encoding_problem: tuple[int, str, str] | None = None  # line, what is wrong, remedy
    statements: list[LocatedStatement] = field(default_factory=list["LocatedStatement"])
    problems: list[ParseProblem] = field(default_factory=list[ParseProblem])

    @cached_property
    def number(self) -> int | None:
        """Return the number that its name begins with, None if it is not named like a module."""
        match = MODULE_NAME.fullmatch(self.name)
        return int(match["number"]) if match else None

    @cached_property
    def title(self) -> str:
        """Return its name without number and `.sql`."""
        match = MODULE_NAME.fullmatch(self.name)
        return match["title"] if match else self.name.rpartition(".")[0]

    @cached_property
    def raw(self) -> bytes:
        """Return its text in bytes, as the parser counts."""
        return self.text.encode()

    @cached_property
    def lines(self) -> list[str]:
        """Return its lines; only line feeds end one."""
        return self.text.split("\n")

    def statement_at(self, offset: int) -> LocatedStatement | None:
        """Return the statement that contains the character at this offset."""
        number = bisect_right(self.statements, offset, key=lambda statement: statement.start)
        statement = self.statements[number - 1] if number else None
        return statement if statement and offset < statement.end else None

    @cached_property
    def _line_starts(self) -> list[int]:
        return [0, *(match.end() for match in re.finditer("\n", self.text))]

    @cached_property
    def _line_starts_in_bytes(self) -> list[int]:
        return [0, *(match.end() for match in re.finditer(b"\n", self.raw))]

    def character(self, offset: int) -> int:
        """Convert an offset in bytes to one in characters."""
        line = bisect_right(self._line_starts_in_bytes, offset)
        start = self._line_starts_in_bytes[line - 1]
        return self._line_starts[line - 1] + len(self.raw[start:offset].decode(errors="ignore"))

    def place(self, offset: int, *, label: str = "") -> Place:
        """Convert an offset in characters to a place."""
        line = bisect_right(self._line_starts, min(offset, len(self.text)))
        column = offset - self._line_starts[line - 1] + 1
        return Place(self.path, line, column, label=label, text=self.lines[line - 1].rstrip("\r"))

    def line(self, number: int) -> Place:
        """Return a line as a place, 0 for the whole file."""
        text = self.lines[number - 1] if 0 < number <= len(self.lines) else ""
        return Place(self.path, number, 1 if text.strip() else 0, text=text)


def parse_file(path: str, name: str, raw: bytes, *, reported: bool = True) -> SourceFile:
    """Decode and parse a file; what is wrong with its encoding or its statements is stored in it, not raised."""
    encoding_problem = None
    try:
        text = decode(raw, path)
    except ModuleFileError as error:
        numbers = error.place[len(path) :].split(":")
        encoding_problem = (int(numbers[1]), error.what, error.remedy)
        text = raw.decode("utf-8", "replace").replace("\0", " ").lstrip(BYTE_ORDER_MARK).replace("\r\n", "\n")
    file = SourceFile(path, name, text, reported, encoding_problem)
    statements, file.problems = parse_with_recovery(text, path)
    file.statements = [
        LocatedStatement(file, parsed.statement.kind, parsed.statement.tree, parsed.start, parsed.end, parsed.base)
        for parsed in statements
    ]
    return file
