"""A module is a numbered SQL file; this reads a directory of them and refuses what could not be run as it stands."""

from __future__ import annotations

import re
import stat
from dataclasses import dataclass
from typing import TYPE_CHECKING

from infra.errors import ModuleFileError

if TYPE_CHECKING:
    from pathlib import Path

NAME = re.compile(r"(?P<number>[0-9]{2,4})-(?P<title>[a-z0-9]+(?:-[a-z0-9]+)*)\.sql")


@dataclass(frozen=True)
class Module:
    """One SQL file: its number, its name without `.sql`, the path to show, and its text with Unix line ends."""

    number: int
    name: str
    path: str
    text: str


class ModuleDirectoryError(ModuleFileError):
    """Everything that is wrong with a directory of modules, a line each."""

    def __init__(self, directory: str, problems: list[ModuleFileError]) -> None:
        count = f"{len(problems)} problems" if len(problems) > 1 else "1 problem"
        super().__init__(f"{count} with the SQL modules, nothing was run", place=directory)
        self.problems = problems

    def __str__(self) -> str:
        return "\n".join([super().__str__(), *(f"  {problem}" for problem in self.problems)])


def load_modules(directory: Path, *, shown_as: str | None = None) -> list[Module]:
    """Read the modules of a directory in their order; `shown_as` is the directory's name in messages and previews.

    Names beginning with a dot are left alone; everything else must be a module. Raises ModuleDirectoryError with every
    problem at once.
    """
    shown = shown_as if shown_as is not None else str(directory)
    try:
        entries = sorted(entry for entry in directory.iterdir() if not entry.name.startswith("."))
    except OSError as error:
        raise ModuleFileError(
            f"cannot be read ({error.strerror})", place=shown, remedy="create it or set `modules.directory`"
        ) from None
    problems: list[ModuleFileError] = []
    modules: list[Module] = []
    for entry in entries:
        try:
            modules.append(_load(entry, f"{shown}/{entry.name}"))
        except ModuleFileError as problem:
            problems.append(problem)
    modules.sort(key=lambda module: (module.number, module.name))
    if not problems:
        problems.extend(_numbering(modules, shown))
    if problems:
        raise ModuleDirectoryError(shown, problems)
    return modules


def _load(path: Path, shown: str) -> Module:
    name = NAME.fullmatch(path.name)
    if not name:
        raise ModuleFileError(
            "is not named like a module", place=shown, remedy="name it NN-lower-case-words.sql or move it elsewhere"
        )
    try:
        if not stat.S_ISREG(path.stat().st_mode):
            raise ModuleFileError("is not a file", place=shown, remedy="a module is one SQL file")
        raw = path.read_bytes()
    except OSError as error:
        remedy = "the link leads nowhere: mend or remove it" if path.is_symlink() else "mend its permissions"
        raise ModuleFileError(f"cannot be read ({error.strerror})", place=shown, remedy=remedy) from None
    return Module(int(name["number"]), path.stem, shown, decode(raw, shown))


def decode(raw: bytes, shown: str) -> str:
    """Give a module's text; PostgreSQL takes UTF-8 without a byte order mark and without NUL (manual, 24.3)."""
    if raw.startswith((b"\xef\xbb\xbf", b"\xff\xfe", b"\xfe\xff")):
        raise ModuleFileError("begins with a byte order mark", place=f"{shown}:1:1", remedy="save it as plain UTF-8")
    if b"\0" in raw:
        line = raw.count(b"\n", 0, raw.index(b"\0")) + 1
        raise ModuleFileError("holds a NUL byte", place=f"{shown}:{line}", remedy="save it as UTF-8")
    try:
        text = raw.decode("utf-8")
    except UnicodeDecodeError as error:
        line = raw.count(b"\n", 0, error.start) + 1
        raise ModuleFileError(
            f"is not UTF-8 (byte 0x{raw[error.start]:02x})", place=f"{shown}:{line}", remedy="save it as UTF-8"
        ) from None
    return text.replace("\r\n", "\n")


def _numbering(modules: list[Module], shown: str) -> list[ModuleFileError]:
    """Report numbers that occur twice and gaps: either would make the order a guess."""
    problems: list[ModuleFileError] = []
    if not modules:
        return [ModuleFileError("holds no module", place=shown, remedy="add 01-….sql")]
    expected = 1
    for previous, module in zip([None, *modules], modules, strict=False):
        if previous and previous.number == module.number:
            problems.append(
                ModuleFileError(
                    f"has the number of {previous.path.rsplit('/', 1)[-1]}",
                    place=module.path,
                    remedy="give each module a number of its own",
                )
            )
            continue
        if module.number != expected:
            gap = f"{expected:02}" if module.number == expected + 1 else f"{expected:02} to {module.number - 1:02}"
            problems.append(
                ModuleFileError(
                    f"leaves out number {gap}", place=module.path, remedy="number the modules without a gap"
                )
            )
        expected = module.number + 1
    return problems
