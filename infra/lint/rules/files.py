"""Rules on files: names, numbers, encoding, length, the first comment, and what cannot be parsed."""

from __future__ import annotations

from pathlib import PurePath
from typing import TYPE_CHECKING

from infra.findings.finding import Place
from infra.lint.rule import Violation, rule
from infra.modules.module import MODULE_NAME

if TYPE_CHECKING:
    from collections.abc import Iterator

    from infra.lint.rule import LintProject
    from infra.lint.source_file import SourceFile


@rule("M101", "The name of a module")
def module_name(project: LintProject) -> Iterator[Violation]:
    """A module is named NN-lower-case-words.sql; its directory contains nothing else."""
    remedy = "name it NN-lower-case-words.sql, or move it elsewhere"
    for path in project.sources.other_entries:
        yield Violation(Place(path), "is not a module", remedy)
    for file in project.files:
        if file.name and not MODULE_NAME.fullmatch(file.name):
            yield Violation(Place(file.path), "is not named like a module", remedy)


@rule("M102", "A gap in the numbers")
def number_gap(project: LintProject) -> Iterator[Violation]:
    """Modules are numbered from 01 without a gap, so that a missing one is noticed."""
    for number, previous, path in _numbers(project):
        if number == 0:
            yield Violation(Place(path), "has the number 0", "number the modules from 01")
        elif number > previous + 1:
            last = f" to {number - 1:02}" if number > previous + 2 else ""
            missing = f"number{'s' if last else ''} {previous + 1:02}{last}"
            yield Violation(Place(path), f"leaves out {missing}", "number the modules without a gap")


@rule("M103", "A number that comes twice")
def duplicate_number(project: LintProject) -> Iterator[Violation]:
    """Two modules of one number have no order."""
    paths: dict[tuple[str, int], str] = {}
    for number, _, path in _numbers(project):
        key = (str(PurePath(path).parent), number)
        if key in paths:
            other = Place(paths[key], label="has it too")
            message = f"has the number of {PurePath(paths[key]).name}"
            yield Violation(Place(path), message, "give each module a number of its own", others=(other,))
        paths.setdefault(key, path)


def _numbers(project: LintProject) -> Iterator[tuple[int, int, str]]:
    """Yield number, previous number and path of each module in the directories that are linted as a whole."""
    for directory, names in project.sources.directories:
        previous = 0
        for number, name in sorted(
            (int(match["number"]), name) for name in names if (match := MODULE_NAME.fullmatch(name))
        ):
            yield number, previous, str(PurePath(directory) / name)
            previous = number


@rule("M104", "The encoding")
def file_encoding(project: LintProject) -> Iterator[Violation]:
    """PostgreSQL accepts UTF-8 without a byte order mark and without NUL characters."""
    for file in project.files:
        if file.encoding_problem:
            line, problem, remedy = file.encoding_problem
            yield Violation(file.line(line), problem, remedy)


@rule("M105", "The length", "warning")
def file_length(project: LintProject) -> Iterator[Violation]:
    """A module is short enough to be read at once."""
    max_lines = project.settings.max_lines
    for file in project.files:
        lines = file.text.count("\n") + (not file.text.endswith("\n") and bool(file.text))
        if lines > max_lines:
            message = f"has {lines} lines, {max_lines} are allowed"
            yield Violation(file.line(max_lines + 1), message, "divide it into modules of one purpose")


@rule("M106", "The first comment", "warning")
def first_comment(project: LintProject) -> Iterator[Violation]:
    """A module begins with a sentence that says what it is for."""
    for file in project.files:
        text = file.text.lstrip()
        if text and not _begins_with_comment(text):
            yield Violation(file.line(1), "does not begin with a comment", "describe in the first line what it is for")


def _begins_with_comment(text: str) -> bool:
    """Return whether a text begins with a comment that contains words."""
    comment = text.partition("*/")[0] if text.startswith("/*") else _leading_comment_lines(text)
    return any(character.isalnum() for character in comment)


def _leading_comment_lines(text: str) -> str:
    lines: list[str] = []
    for line in text.split("\n"):
        if not line.lstrip().startswith("--"):
            break
        lines.append(line)
    return "\n".join(lines)


@rule("M108", "What PostgreSQL's parser refuses")
def syntax_error(project: LintProject) -> Iterator[Violation]:
    """A statement that PostgreSQL's parser refuses fails when the module runs."""
    for file in project.files:
        for problem in file.problems:
            if problem.kind == "syntax":
                remedy = problem.hint or "write it as in PostgreSQL's manual"
                yield Violation(file.place(problem.offset), problem.message, remedy)


@rule("M109", "A module without a statement")
def empty_module(project: LintProject) -> Iterator[Violation]:
    """A module that does nothing would be recorded as applied like any other."""
    for file in project.files:
        if not _has_content(file):
            yield Violation(Place(file.path), "holds no statement", "write one, or remove the file")


def _has_content(file: SourceFile) -> bool:
    return bool(file.statements or file.problems or file.encoding_problem)


@rule("M412", "What only psql understands")
def psql_command(project: LintProject) -> Iterator[Violation]:
    """Commands that begin with a backslash, and psql's variables, are not SQL: no driver can run them."""
    for file in project.files:
        for problem in file.problems:
            if problem.kind == "psql":
                yield Violation(file.place(problem.offset), problem.message, "write it in SQL, or remove it")


@rule("M501", "A reserved word as a name")
def reserved_word(project: LintProject) -> Iterator[Violation]:
    """A reserved word is a name only in quotes; without them the statement fails."""
    for file in project.files:
        for problem in file.problems:
            if problem.kind == "reserved":
                word = problem.message
                remedy = f'write "{word}", here and everywhere, or choose another name'
                yield Violation(file.place(problem.offset), f"{word} is a reserved word", remedy)
