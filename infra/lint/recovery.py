"""Statements of a text in which some cannot be parsed: every one is parsed, or reported as one that cannot be."""

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
LONGEST_WHOLE = 300_000  # characters that are parsed at once: the parser's time grows with the square of the statements
LONGEST_PART = 50_000
MOST_JOINED = 200  # pieces that one BEGIN ATOMIC body may have


@dataclass(frozen=True)
class Piece:
    """A statement, its extent in the whole text in characters, and how many bytes come before its own text."""

    statement: Statement
    start: int
    end: int
    base: int


@dataclass(frozen=True)
class Trouble:
    """What cannot be parsed, at an offset in characters."""

    what: Literal["psql", "reserved", "syntax"]
    offset: int
    message: str
    hint: str = ""


def read_statements(text: str, path: str) -> tuple[list[Piece], list[Trouble]]:
    """Parse a text; where that fails, parse what is left without psql's own lines and the broken statements."""
    if len(text) <= LONGEST_WHOLE:
        try:
            return [Piece(one, one.start, one.end, 0) for one in parse(text, path)], []
        except ModuleError:
            pass
    pieces, troubles = _in_parts(text)
    if not troubles:
        return pieces, troubles
    without, commands = _without_psql(text)
    if without == text:
        return pieces, troubles
    others, left = _in_parts(without)
    if len(left) < len(troubles):  # else what looked like psql's stands in a string
        return others, [*commands, *left]
    return pieces, troubles


def _in_parts(text: str) -> tuple[list[Piece], list[Trouble]]:
    """Parse a text part by part, so that a broken statement spoils none of the others."""
    pieces: list[Piece] = []
    troubles: list[Trouble] = []
    cuts = _cuts(text)
    if not cuts:  # not even words, or nothing at all: the parser says
        try:
            return [Piece(one, one.start, one.end, 0) for one in parse(text, "")], []
        except ModuleError as error:
            return [], [_trouble(error, text, 0)]
    number = base = counted = 0
    while number < len(cuts):
        start = cuts[number][0]
        base, counted = base + len(text[counted:start].encode()), start
        number, found = _next(text, cuts, number)
        if isinstance(found, ModuleError):
            troubles.append(_trouble(found, text[start : cuts[number - 1][1]], start))
        else:
            pieces += [Piece(one, start + one.start, start + one.end, base) for one in found]
    return pieces, troubles


def _next(text: str, cuts: list[tuple[int, int]], number: int) -> tuple[int, list[Statement] | ModuleError]:
    """Parse as many pieces at once as a part of the text may have, or else the next one."""
    start = cuts[number][0]
    last = number
    while last + 1 < len(cuts) and cuts[last + 1][1] - start <= LONGEST_PART:
        last += 1
    while last > number:
        try:
            return last + 1, parse(text[start : cuts[last][1]], "")
        except ModuleError as error:  # go on before the piece that is wrong, which is the next one then
            offset = start + _offset(error, text[start : cuts[last][1]])
            last = min(last - 1, max(one for one in range(number, last + 1) if cuts[one][0] <= offset) - 1)
    return _parse_from(text, cuts, number)


def _parse_from(text: str, cuts: list[tuple[int, int]], number: int) -> tuple[int, list[Statement] | ModuleError]:
    """Parse a piece, joined with the following ones where it is the beginning of a body in SQL."""
    start, end = cuts[number]
    try:
        return number + 1, parse(text[start:end], "")
    except ModuleError as error:
        failed = error
    if re.search(r"\bATOMIC\b", text[start:end], re.IGNORECASE):
        for last in range(number + 1, min(number + MOST_JOINED, len(cuts))):
            try:
                return last + 1, parse(text[start : cuts[last][1]], "")
            except ModuleError:
                continue
    return number + 1, failed


def _without_psql(text: str) -> tuple[str, list[Trouble]]:
    """Blank what only psql understands: rows after COPY … FROM stdin, and lines that begin with a backslash."""
    for rows in CLIENT_ROWS.finditer(text):
        start, end = rows.span("rows")
        end = rows.end()
        text = text[:start] + _blank(text[start:end]) + text[end:]
    troubles = [
        Trouble("psql", line.start("command") - 1, f"\\{line['command']} is a command of psql")
        for line in PSQL_LINE.finditer(text)
    ]
    return PSQL_LINE.sub(lambda line: _blank(line[0]), text), troubles


def _blank(text: str) -> str:
    """Give as many bytes and lines, all of them blank."""
    return "".join("\n" if each == "\n" else " " * len(each.encode()) for each in text)


def _cuts(text: str) -> list[tuple[int, int]]:
    """Cut at semicolons that stand outside of parentheses; empty where not even words can be told apart."""
    try:
        return list(cut_at_semicolons(text))
    except ModuleError:
        return []


def _trouble(error: ModuleError, text: str, start: int) -> Trouble:
    """Say what the parser found; a reserved word is the trouble where quoting it lets the parser get further."""
    offset = _offset(error, text)
    word = re.match(r"[A-Za-z_][A-Za-z_0-9$]*", text[offset:])
    if "psql" in error.hint:
        return Trouble("psql", start + offset, f"{error.what}: this is psql's, not SQL")
    if word:
        quoted = f'{text[:offset]}"{word[0].lower()}"{text[offset + len(word[0]) :]}'
        try:
            parse(quoted, "")
        except ModuleError as other:
            further = _offset(other, quoted) > offset + len(word[0]) + 2
        else:
            further = True
        if further:
            return Trouble("reserved", start + offset, word[0].lower())
    return Trouble("syntax", start + offset, error.what, error.hint)


def _offset(error: ModuleError, text: str) -> int:
    if not error.at:
        return 0
    lines = text.split("\n")
    return sum(len(line) + 1 for line in lines[: error.at.line - 1]) + error.at.column - 1
