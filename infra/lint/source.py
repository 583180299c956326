"""The files that are looked at: their texts, statements and places, and what is wrong with them as files."""

from __future__ import annotations

import re
import sys
from bisect import bisect_right
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

from infra.errors import InfraError, ModuleFileError
from infra.findings.finding import Place
from infra.lint.creations import Creation, creations
from infra.lint.recovery import Piece, Trouble, read_statements
from infra.lint.schema import ColumnType, type_of
from infra.modules.module import MODULE_NAME, decode

if TYPE_CHECKING:
    from collections.abc import Sequence

    from infra.lint.tree import Tree

STDIN = Path("-")  # as a path, what comes through a pipe; it has no name that a rule could be about
BYTE_ORDER_MARKS = "\ufeff"


@dataclass(frozen=True, eq=False)
class Located:
    """A statement in a file: the parser's name of its kind, its tree, its first and last character."""

    file: SourceFile
    kind: str
    tree: Tree
    start: int
    end: int
    base: int  # bytes before the text that the parser was given

    @cached_property
    def makes(self) -> tuple[Creation, ...]:
        """Give the objects that it makes."""
        return tuple(creations(self.kind, self.tree))

    @cached_property
    def _types(self) -> dict[int, ColumnType]:
        return {}

    def type_of(self, type_name: Tree) -> ColumnType:
        """Read a TypeName of this statement, once: the model and the rules ask for the same ones."""
        location = type_name.location
        found = self._types.get(location)
        if found is None:
            found = self._types[location] = type_of(type_name)
        return found

    @property
    def text(self) -> str:
        """Give the statement as written."""
        return self.file.text[self.start : self.end]

    def place(self, location: int | None = None, *, label: str = "") -> Place:
        """Give where it begins, or the place of a location in its tree; 0 and less are no location."""
        if location is None or location <= 0:
            return self.file.place(self.start, label=label)
        return self.file.place(self.character(location), label=label)

    def character(self, location: int) -> int:
        """Turn a location of the parser, in bytes, into one in characters of the file."""
        return self.file.character(self.base + location)


@dataclass(eq=False)
class SourceFile:
    """One file; `number` is None where it is not named like a module."""

    path: str
    name: str
    text: str
    reported: bool = True  # False: only there so that others can be judged
    encoding: tuple[int, str, str] | None = None  # line, what is wrong, remedy
    statements: list[Located] = field(default_factory=list["Located"])
    troubles: list[Trouble] = field(default_factory=list[Trouble])

    @cached_property
    def number(self) -> int | None:
        """Give the number that its name begins with."""
        found = MODULE_NAME.fullmatch(self.name)
        return int(found["number"]) if found else None

    @cached_property
    def title(self) -> str:
        """Give its name without number and `.sql`."""
        found = MODULE_NAME.fullmatch(self.name)
        return found["title"] if found else self.name.rpartition(".")[0]

    @cached_property
    def raw(self) -> bytes:
        """Give its text in bytes, as the parser counts."""
        return self.text.encode()

    @cached_property
    def lines(self) -> list[str]:
        """Give its lines; only line feeds end one."""
        return self.text.split("\n")

    def statement_at(self, offset: int) -> Located | None:
        """Give the statement that has this character."""
        number = bisect_right(self.statements, offset, key=lambda one: one.start)
        found = self.statements[number - 1] if number else None
        return found if found and offset < found.end else None

    @cached_property
    def _starts(self) -> list[int]:
        return [0, *(found.end() for found in re.finditer("\n", self.text))]

    @cached_property
    def _starts_in_bytes(self) -> list[int]:
        return [0, *(found.end() for found in re.finditer(b"\n", self.raw))]

    def character(self, offset: int) -> int:
        """Turn an offset in bytes into one in characters."""
        line = bisect_right(self._starts_in_bytes, offset)
        start = self._starts_in_bytes[line - 1]
        return self._starts[line - 1] + len(self.raw[start:offset].decode(errors="ignore"))

    def place(self, offset: int, *, label: str = "") -> Place:
        """Turn an offset in characters into a place."""
        line = bisect_right(self._starts, min(offset, len(self.text)))
        return Place(
            self.path, line, offset - self._starts[line - 1] + 1, label=label, text=self.lines[line - 1].rstrip("\r")
        )

    def line(self, number: int) -> Place:
        """Give a line as a place, 0 for the file."""
        text = self.lines[number - 1] if 0 < number <= len(self.lines) else ""
        return Place(self.path, number, 1 if text.strip() else 0, text=text)


def source_file(path: str, name: str, raw: bytes, *, reported: bool = True) -> SourceFile:
    """Read a file's text and statements; what is wrong with either is kept, not raised."""
    encoding = None
    try:
        text = decode(raw, path)
    except ModuleFileError as error:
        numbers = error.place[len(path) :].split(":")
        encoding = (int(numbers[1]), error.what, error.remedy)
        text = raw.decode("utf-8", "replace").replace("\0", " ").lstrip(BYTE_ORDER_MARKS).replace("\r\n", "\n")
    file = SourceFile(path, name, text, reported, encoding)
    pieces, file.troubles = read_statements(text, path)
    file.statements = [_located(file, piece) for piece in pieces]
    return file


def _located(file: SourceFile, piece: Piece) -> Located:
    return Located(file, piece.statement.kind, piece.statement.tree, piece.start, piece.end, piece.base)


@dataclass(frozen=True)
class Sources:
    """All files in their order, and what stands among them without being SQL."""

    files: list[SourceFile]
    strangers: list[str]  # paths
    directories: list[tuple[str, list[str]]]  # those that are looked at whole, with the names in them


def read_sources(paths: Sequence[Path]) -> Sources:
    """Read files and directories; a module is judged together with the other modules of its directory.

    Raises InfraError where a path cannot be read or there is no SQL.
    """
    found: dict[Path, bool] = {}
    strangers: list[str] = []
    directories: list[tuple[str, list[str]]] = []
    for path in paths:
        if path == STDIN:
            found[path] = True
            continue
        if path.is_dir():
            entries = sorted(one for one in path.iterdir() if not one.name.startswith("."))
            strangers += [str(one) for one in entries if one.suffix != ".sql" or not one.is_file()]
            directories.append((str(path), [one.name for one in entries]))
            found.update(dict.fromkeys((one for one in entries if one.suffix == ".sql" and one.is_file()), True))
            continue
        if MODULE_NAME.fullmatch(path.name):
            beside = (one for one in path.parent.iterdir() if MODULE_NAME.fullmatch(one.name) and one.is_file())
            found = {**dict.fromkeys(beside, False), **found}
        found[path] = True
    if not any(found.values()) and not strangers:
        raise InfraError("no SQL files", place=", ".join(map(str, paths)), remedy="name a directory or a file of SQL")
    files = [
        source_file(str(path), "" if path == STDIN else path.name, _bytes(path), reported=reported)
        for path, reported in sorted(found.items(), key=lambda item: _natural(item[0]))
    ]
    return Sources(files, strangers, directories)


def _bytes(path: Path) -> bytes:
    try:
        return sys.stdin.buffer.read() if path == STDIN else path.read_bytes()
    except OSError as error:
        raise InfraError(f"cannot be read ({error.strerror})", place=str(path), remedy="name what is there") from None


def _natural(path: Path) -> tuple[str, list[tuple[int, str]]]:
    """Give a sort key by which 9 comes before 10, and 010 beside 10."""
    pieces = re.findall(r"[0-9]+|[^0-9]+", path.name)
    return str(path.parent), [(int(piece), "") if piece.isdecimal() else (-1, piece) for piece in pieces]
