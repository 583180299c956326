"""Parsing with error recovery: each statement of a text is parsed or reported, whatever is wrong with the others."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Literal

from infra.errors import ModuleError
from infra.modules.statements import Statement, cut_at_semicolons, parse

PSQL_LINE = re.compile(r"^[ \t]*\\(?P<command>\S+).*$", re.MULTILINE)
CLIENT_ROWS = re.compile(
    r"^COPY\b[^;]*\bFROM\s+STDIN\b[^;]*;[^\n]*\n(?P<rows>(?:[^\n]*\n)*?)^\\\.[^\n]*$", re.MULTILINE | re.IGNORECASE
)
LONGEST_WHOLE = 300_000  # characters parsed at once: the parser's time grows with the square of the statements
LONGEST_PART = 50_000  # characters parsed at once of a longer text, or of one with an error
MOST_JOINED = 200  # semicolons that the body of one BEGIN ATOMIC function may have


@dataclass(frozen=True)
class ParsedStatement:
    """A statement, its extent in the whole text in characters, and how many bytes come before the text parsed."""

    statement: Statement
    start: int
    end: int
    base: int


@dataclass(frozen=True)
class ParseProblem:
    """A part of the text that cannot be parsed, at an offset in characters."""

    kind: Literal["psql", "reserved", "syntax"]
    offset: int
    message: str  # for "reserved" the word alone, in lower case
    hint: str = ""


def parse_with_recovery(text: str, path: str) -> tuple[list[ParsedStatement], list[ParseProblem]]:
    """Parse a text; if that fails, parse it without psql's own lines and without the statements that have errors."""
    if len(text) <= LONGEST_WHOLE:
        try:
            return [ParsedStatement(parsed, parsed.start, parsed.end, 0) for parsed in parse(text, path)], []
        except ModuleError:
            pass
    statements, problems = _parse_in_parts(text)
    if not problems:
        return statements, problems
    without_psql, psql_problems = _without_psql(text)
    if without_psql == text:
        return statements, problems
    other_statements, remaining = _parse_in_parts(without_psql)
    if len(remaining) < len(problems):  # otherwise, what looked like psql's lines is inside a string
        return other_statements, [*psql_problems, *remaining]
    return statements, problems


def _parse_in_parts(text: str) -> tuple[list[ParsedStatement], list[ParseProblem]]:
    """Parse a text part by part, so that an error affects one statement only."""
    statements: list[ParsedStatement] = []
    problems: list[ParseProblem] = []
    extents = _extents(text)
    if not extents:  # the text has no tokens or cannot be cut into tokens: the parser reports which
        try:
            return [ParsedStatement(parsed, parsed.start, parsed.end, 0) for parsed in parse(text, "")], []
        except ModuleError as error:
            return [], [_problem(error, text, 0)]
    number = base = counted = 0
    while number < len(extents):
        start = extents[number][0]
        base, counted = base + len(text[counted:start].encode()), start
        number, result = _parse_next(text, extents, number)
        if isinstance(result, ModuleError):
            problems.append(_problem(result, text[start : extents[number - 1][1]], start))
        else:
            statements += [ParsedStatement(parsed, start + parsed.start, start + parsed.end, base) for parsed in result]
    return statements, problems


def _parse_next(text: str, extents: list[tuple[int, int]], number: int) -> tuple[int, list[Statement] | ModuleError]:
    """Parse from one extent on as many as LONGEST_PART allows, or up to an error; return the number of the next."""
    start = extents[number][0]
    last = number
    while last + 1 < len(extents) and extents[last + 1][1] - start <= LONGEST_PART:
        last += 1
    while last > number:
        part = text[start : extents[last][1]]
        try:
            return last + 1, parse(part, "")
        except ModuleError as error:  # try again up to the extent with the error, which is parsed by itself next time
            offset = start + _offset(error, part)
            with_error = max(index for index in range(number, last + 1) if extents[index][0] <= offset)
            last = min(last - 1, with_error - 1)
    return _parse_single(text, extents, number)


def _parse_single(text: str, extents: list[tuple[int, int]], number: int) -> tuple[int, list[Statement] | ModuleError]:
    """Parse one extent, joined with the following ones if it begins the body of a BEGIN ATOMIC function."""
    start, end = extents[number]
    try:
        return number + 1, parse(text[start:end], "")
    except ModuleError as error:
        first_error = error
    if re.search(r"\bATOMIC\b", text[start:end], re.IGNORECASE):
        for last in range(number + 1, min(number + MOST_JOINED, len(extents))):
            try:
                return last + 1, parse(text[start : extents[last][1]], "")
            except ModuleError:
                continue
    return number + 1, first_error


def _without_psql(text: str) -> tuple[str, list[ParseProblem]]:
    """Blank what only psql understands: rows after COPY … FROM stdin, and lines that begin with a backslash."""
    for match in CLIENT_ROWS.finditer(text):
        start, end = match.start("rows"), match.end()
        text = text[:start] + _blank(text[start:end]) + text[end:]
    problems = [
        ParseProblem("psql", match.start("command") - 1, f"\\{match['command']} is a command of psql")
        for match in PSQL_LINE.finditer(text)
    ]
    return PSQL_LINE.sub(lambda match: _blank(match[0]), text), problems


def _blank(text: str) -> str:
    """Return blanks with as many bytes and lines as a text."""
    return "".join("\n" if character == "\n" else " " * len(character.encode()) for character in text)


def _extents(text: str) -> list[tuple[int, int]]:
    """Cut at semicolons outside of parentheses; return [] if the text cannot be cut into tokens."""
    try:
        return list(cut_at_semicolons(text))
    except ModuleError:
        return []


def _problem(error: ModuleError, text: str, start: int) -> ParseProblem:
    """Classify an error of the parser; a reserved word is its cause if the parser gets further with it quoted."""
    offset = _offset(error, text)
    word = re.match(r"[A-Za-z_][A-Za-z_0-9$]*", text[offset:])
    if "psql" in error.hint:
        return ParseProblem("psql", start + offset, f"{error.what}: this is psql's, not SQL")
    if word:
        quoted = f'{text[:offset]}"{word[0].lower()}"{text[offset + len(word[0]) :]}'
        try:
            parse(quoted, "")
        except ModuleError as other:
            gets_further = _offset(other, quoted) > offset + len(word[0]) + 2
        else:
            gets_further = True
        if gets_further:
            return ParseProblem("reserved", start + offset, word[0].lower())
    return ParseProblem("syntax", start + offset, error.what, error.hint)


def _offset(error: ModuleError, text: str) -> int:
    if not error.at:
        return 0
    lines = text.split("\n")
    return sum(len(line) + 1 for line in lines[: error.at.line - 1]) + error.at.column - 1
