"""Modules, the numbered SQL files: reads a directory of them, and refuses what could not be run."""

from __future__ import annotations

import re
import stat
from dataclasses import dataclass
from errno import ELOOP, ENOENT
from pathlib import PurePath
from typing import TYPE_CHECKING

from infra.errors import ModuleFileError

if TYPE_CHECKING:
    from pathlib import Path

DEFAULT_DIRECTORY = "sql"
"""The folder of a stack's modules that names none, seen from Pulumi.yaml."""

FOLDER_SETTINGS = "modules.yaml"
"""The one file beside the modules in their directory; infra/folder reads it."""

MODULE_NAME = re.compile(r"(?P<number>[0-9]{2,4})-(?P<title>[a-z0-9]+(?:-[a-z0-9]+)*)\.sql")


@dataclass(frozen=True)
class Module:
    """One SQL file: its number, its name without `.sql`, its path as messages show it, its text with Unix line ends."""

    number: int
    name: str
    path: str
    text: str


def order(name: str) -> tuple[int, str]:
    """Return the key that sorts modules by name: numbers are compared as numbers, so that 99 comes before 100.

    In a ledger the name of another program may be before the module's.
    """
    return int(name.rpartition(" ")[2].partition("-")[0]), name


class ModuleDirectoryError(ModuleFileError):
    """All problems of a directory of modules at once, a line each."""

    def __init__(self, directory: str, problems: list[ModuleFileError]) -> None:
        count = f"{len(problems)} problems" if len(problems) > 1 else "1 problem"
        super().__init__(f"{count} with the SQL modules, nothing was run", place=directory)
        self.problems = problems

    def __str__(self) -> str:
        return "\n".join([super().__str__(), *(f"  {problem}" for problem in self.problems)])


def require_directory(directory: Path) -> None:
    """Raise ModuleFileError where there is no such directory."""
    if not directory.is_dir():
        raise ModuleFileError("no such directory", place=str(directory), remedy="create it, or name another directory")


def load_modules(directory: Path, *, shown_as: str | None = None) -> list[Module]:
    """Read the modules of a directory, in the order of their numbers.

    `shown_as` is the directory's name in messages and previews. Names that begin with a dot, and the settings, are
    ignored; every other entry must be a module. Raises ModuleDirectoryError with all problems, ModuleFileError for an
    unreadable directory.
    """
    display_directory = PurePath(shown_as) if shown_as is not None else directory
    try:
        entries = sorted(directory.iterdir())
        entries = [entry for entry in entries if not entry.name.startswith(".") and entry.name != FOLDER_SETTINGS]
    except OSError as error:
        raise ModuleFileError(
            f"cannot be read ({error.strerror})",
            place=str(display_directory),
            remedy="create it or set `modules.directory`",
        ) from None
    if not entries:
        problem = ModuleFileError("holds no module", place=str(display_directory), remedy="add 01-….sql")
        raise ModuleDirectoryError(str(display_directory), [problem])
    problems: list[ModuleFileError] = []
    modules: list[Module] = []
    for entry in entries:
        try:
            modules.append(load_module(entry, str(display_directory / _printable(entry.name))))
        except ModuleFileError as problem:
            problems.append(problem)
    problems.extend(_numbering([entry.name for entry in entries], display_directory))
    if problems:
        raise ModuleDirectoryError(str(display_directory), problems)
    return sorted(modules, key=lambda module: module.number)


def _printable(name: str) -> str:
    return name if name.isprintable() else repr(name)


def load_module(path: Path, display_path: str) -> Module:
    """Read one module; raises ModuleFileError for a file that is none, or cannot be read."""
    name = MODULE_NAME.fullmatch(path.name)
    if not name:
        raise ModuleFileError(
            "is not named like a module",
            place=display_path,
            remedy="name it NN-lower-case-words.sql or move it elsewhere",
        )
    try:
        if not stat.S_ISREG(path.stat().st_mode):
            raise ModuleFileError("is not a file", place=display_path, remedy="a module is one SQL file")
        raw = path.read_bytes()
    except OSError as error:
        is_broken_link = error.errno in {ENOENT, ELOOP}  # it was listed, so it is there
        remedy = "repair or remove the symbolic link" if is_broken_link else "make it readable"
        raise ModuleFileError(f"cannot be read ({error.strerror})", place=display_path, remedy=remedy) from None
    return Module(int(name["number"]), path.stem, display_path, decode(raw, display_path))


def decode(raw: bytes, display_path: str) -> str:
    """Return a module's text; raises ModuleFileError for text that PostgreSQL would not accept as it is.

    That is a byte order mark, which is no white space to PostgreSQL; NUL, which no text may contain; and anything else
    than UTF-8 (PostgreSQL manual, 24.3).
    """
    if raw.startswith((b"\xef\xbb\xbf", b"\xff\xfe", b"\xfe\xff")):
        raise ModuleFileError(
            "begins with a byte order mark", place=f"{display_path}:1:1", remedy="save it as plain UTF-8"
        )
    if b"\0" in raw:
        line = raw.count(b"\n", 0, raw.index(b"\0")) + 1
        raise ModuleFileError("holds a NUL byte", place=f"{display_path}:{line}", remedy="save it as UTF-8")
    try:
        text = raw.decode("utf-8")
    except UnicodeDecodeError as error:
        line = raw.count(b"\n", 0, error.start) + 1
        raise ModuleFileError(
            f"is not UTF-8 (byte 0x{raw[error.start]:02x})", place=f"{display_path}:{line}", remedy="save it as UTF-8"
        ) from None
    return text.replace("\r\n", "\n")


def _numbering(names: list[str], display_directory: PurePath) -> list[ModuleFileError]:
    """Return a problem for each number that occurs twice or is left out: either would make the order uncertain."""
    problems: list[ModuleFileError] = []
    numbered = sorted((int(match["number"]), name) for name in names if (match := MODULE_NAME.fullmatch(name)))
    expected = 1
    previous = ""
    for number, name in numbered:
        if number < expected:
            what, remedy = f"has the number of {previous}", "give each module a number of its own"
            if number == 0:
                what, remedy = "has the number 0", "number the modules from 01"
            problems.append(ModuleFileError(what, place=str(display_directory / name), remedy=remedy))
        elif number > expected:
            gap = f" {expected:02}" if number == expected + 1 else f"s {expected:02} to {number - 1:02}"
            problems.append(
                ModuleFileError(
                    f"leaves out number{gap}",
                    place=str(display_directory / name),
                    remedy="number the modules without a gap",
                )
            )
        expected = number + 1
        previous = name
    return problems
