"""Rules on files: names, numbers, encoding, length, the first comment, and what cannot be parsed."""

from __future__ import annotations

from pathlib import PurePath
from typing import TYPE_CHECKING

from infra.findings.finding import Place
from infra.lint.rule import Hit, rule
from infra.modules.module import MODULE_NAME

if TYPE_CHECKING:
    from collections.abc import Iterator

    from infra.lint.rule import LintProject
    from infra.lint.source import SourceFile


@rule("M101", "The name of a module")
def name(project: LintProject) -> Iterator[Hit]:
    """A module is named NN-lower-case-words.sql; nothing else belongs into its directory."""
    remedy = "name it NN-lower-case-words.sql, or move it elsewhere"
    for path in project.sources.strangers:
        yield Hit(Place(path), "is not a module", remedy)
    for file in project.files:
        if file.name and not MODULE_NAME.fullmatch(file.name):
            yield Hit(Place(file.path), "is not named like a module", remedy)


@rule("M102", "A gap in the numbers")
def gap(project: LintProject) -> Iterator[Hit]:
    """Modules are numbered from 01 without a gap, so that a missing one is seen."""
    for number, before, path in _numbers(project):
        if number == 0:
            yield Hit(Place(path), "has the number 0", "number the modules from 01")
        elif number > before + 1:
            last = f" to {number - 1:02}" if number > before + 2 else ""
            left = f"number{'s' if last else ''} {before + 1:02}{last}"
            yield Hit(Place(path), f"leaves out {left}", "number the modules without a gap")


@rule("M103", "A number that comes twice")
def duplicate(project: LintProject) -> Iterator[Hit]:
    """Two modules of one number have no order."""
    taken: dict[tuple[str, int], str] = {}
    for number, _, path in _numbers(project):
        key = (str(PurePath(path).parent), number)
        if key in taken:
            other = Place(taken[key], label="has it too")
            what = f"has the number of {PurePath(taken[key]).name}"
            yield Hit(Place(path), what, "give each module a number of its own", others=(other,))
        taken.setdefault(key, path)


def _numbers(project: LintProject) -> Iterator[tuple[int, int, str]]:
    """Give number, number before and path of the modules of each directory that is looked at whole."""
    for directory, names in project.sources.directories:
        before = 0
        numbered = sorted((int(found["number"]), one) for one in names if (found := MODULE_NAME.fullmatch(one)))
        for number, one in numbered:
            yield number, before, str(PurePath(directory) / one)
            before = number


@rule("M104", "The encoding")
def encoding(project: LintProject) -> Iterator[Hit]:
    """PostgreSQL takes UTF-8, without byte order mark and NUL."""
    for file in project.files:
        if file.encoding:
            line, what, remedy = file.encoding
            yield Hit(file.line(line), what, remedy)


@rule("M105", "The length", "warning")
def length(project: LintProject) -> Iterator[Hit]:
    """A module is short enough to be read at once."""
    most = project.settings.max_lines
    for file in project.files:
        lines = file.text.count("\n") + (not file.text.endswith("\n") and bool(file.text))
        if lines > most:
            yield Hit(
                file.line(most + 1), f"has {lines} lines, {most} are allowed", "divide it into modules of one purpose"
            )


@rule("M106", "The first comment", "warning")
def first_comment(project: LintProject) -> Iterator[Hit]:
    """A module begins with a sentence that says what it is for."""
    for file in project.files:
        start = file.text.lstrip()
        if start and not _says_something(start):
            yield Hit(file.line(1), "does not begin with a comment", "say in the first line what it is for")


def _says_something(start: str) -> bool:
    if not start.startswith(("--", "/*")):
        return False
    first = start.split("*/", maxsplit=1)[0] if start.startswith("/*") else start[: len(_comment_lines(start))]
    return any(character.isalnum() for character in first)


def _comment_lines(start: str) -> str:
    lines: list[str] = []
    for line in start.split("\n"):
        if not line.lstrip().startswith("--"):
            break
        lines.append(line)
    return "\n".join(lines)


@rule("M108", "What PostgreSQL's parser refuses")
def syntax(project: LintProject) -> Iterator[Hit]:
    """What is no SQL fails when the module runs."""
    for file in project.files:
        for trouble in file.troubles:
            if trouble.what == "syntax":
                yield Hit(file.place(trouble.offset), trouble.message, trouble.hint or "write it as the manual has it")


@rule("M109", "A module without a statement")
def empty(project: LintProject) -> Iterator[Hit]:
    """A module that does nothing would be applied as if it did."""
    for file in project.files:
        if not file.statements and not file.troubles and not file.encoding:
            yield Hit(Place(file.path), "holds no statement", "write one, or remove the file")


@rule("M412", "What only psql understands")
def psql(project: LintProject) -> Iterator[Hit]:
    """Commands that begin with a backslash, and psql's variables, are no SQL: no driver can run them."""
    for file in project.files:
        for trouble in file.troubles:
            if trouble.what == "psql":
                yield Hit(_place(file, trouble.offset), trouble.message, "write it in SQL, or remove it")


@rule("M501", "A reserved word as a name")
def reserved(project: LintProject) -> Iterator[Hit]:
    """A reserved word is a name only in quotes; without them the statement fails."""
    for file in project.files:
        for trouble in file.troubles:
            if trouble.what == "reserved":
                word = trouble.message
                remedy = f'write "{word}", here and everywhere, or choose another name'
                yield Hit(_place(file, trouble.offset), f"{word} is a reserved word", remedy)


def _place(file: SourceFile, offset: int) -> Place:
    return file.place(offset)
