"""A module's statements and tokens, from PostgreSQL's own parser; the one file that imports it."""

from __future__ import annotations

import hashlib
import re
import sys
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import postgast
from postgast import PgQueryError, pg_query_pb2

from infra.errors import ModuleError, SourcePlace

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence

_COMMENTS = frozenset({pg_query_pb2.SQL_COMMENT, pg_query_pb2.C_COMMENT})
OPENING, CLOSING, SEMICOLON = pg_query_pb2.ASCII_40, pg_query_pb2.ASCII_41, pg_query_pb2.ASCII_59
BETWEEN_STATEMENTS = _COMMENTS | {SEMICOLON}
CASE_COUNTS = frozenset(
    {pg_query_pb2.SCONST, pg_query_pb2.USCONST, pg_query_pb2.BCONST, pg_query_pb2.XCONST, pg_query_pb2.UIDENT}
)
SYNTAX_ERROR = "42601"

PSQL_VARIABLE = re.compile(r""":(\w|'\w|"\w|\{)""")
COPY_FROM_CLIENT = re.compile(r"\bFROM\s+STDIN\b[^;]*;\s*\Z", re.IGNORECASE)
LONGEST_COPY = 10_000  # characters that a COPY statement with many columns may have
PAST_THE_END = (sys.maxsize, sys.maxsize)


@dataclass(frozen=True)
class Statement:
    """One statement: the parser's name of its kind, its tree, and its text from first to last word, in characters."""

    kind: str  # as in the parser's sources: create_stmt, index_stmt, transaction_stmt, …
    tree: Any
    start: int
    end: int


@dataclass(frozen=True)
class Word:
    """A word of SQL, from its first to its last character."""

    start: int
    end: int
    is_comment: bool


def place_of(text: str, path: str, offset: int) -> SourcePlace:
    """Turn an offset in characters into a place; offsets past the end give the end."""
    offset = min(offset, len(text))
    start = text.rfind("\n", 0, offset) + 1
    end = text.find("\n", offset)
    return SourcePlace(
        path, text.count("\n", 0, offset) + 1, offset - start + 1, text[start : end if end >= 0 else len(text)]
    )


def parse(text: str, path: str) -> list[Statement]:
    """Parse a module; raises ModuleError with PostgreSQL's own words at the place of a syntax error."""
    try:
        trees = postgast.parse(text).stmts
        tokens = postgast.scan(text).tokens
    except PgQueryError as error:
        raise _refusal(error, text, path) from None
    character = _character_offsets(text)
    statements: list[Statement] = []
    for tree, (start, end) in zip(trees, _extents(trees, tokens), strict=True):
        kind = tree.stmt.WhichOneof("node") or ""
        statements.append(Statement(kind, getattr(tree.stmt, kind), character(start), character(end)))
    return statements


def words(text: str) -> Iterator[Word]:
    """Give the words of a text and its comments; raises ModuleError where it cannot be cut into words."""
    try:
        tokens = postgast.scan(text).tokens
    except PgQueryError as error:
        raise ModuleError(error.message) from None
    character = _character_offsets(text)
    return (Word(character(one.start), character(one.end), one.token in _COMMENTS) for one in tokens)


def cut_at_semicolons(text: str) -> Iterator[tuple[int, int]]:
    """Cut a text at semicolons that stand outside of parentheses, whether or not it can be parsed.

    Raises ModuleError where it cannot be cut into words.
    """
    try:
        tokens = postgast.scan(text).tokens
    except PgQueryError as error:
        raise ModuleError(error.message) from None
    character = _character_offsets(text)
    depth = 0
    start: int | None = None
    last = None
    for last in tokens:  # not more of each than is needed: there are millions in a large file
        if start is None:
            start = last.start
        token = last.token
        if token == OPENING:
            depth += 1
        elif token == CLOSING:
            depth -= 1
        elif token == SEMICOLON and depth <= 0:
            yield character(start), character(last.end)
            start, depth = None, 0
    if start is not None and last is not None:
        yield character(start), character(last.end)


def statements_digest(text: str) -> str:
    """Digest the tokens, so that comments, white space and the case of unquoted words do not count.

    Tokens and not the parse tree: the tree's shape belongs to a version of the parser, and a newer one must not change
    every digest in every ledger. Raises PgQueryError for text that cannot be cut into tokens.
    """
    raw = text.encode()
    digest = hashlib.sha256()
    for token in postgast.scan(text).tokens:
        if token.token in _COMMENTS:
            continue
        word = raw[token.start : token.end]
        if token.token not in CASE_COUNTS and not word.startswith(b'"'):
            word = word.lower()
        digest.update(b"%d:%b," % (len(word), word))
    return "tokens1:" + digest.hexdigest()


def _extents(trees: Sequence[Any], tokens: Iterable[Any]) -> Iterator[tuple[int, int]]:
    """Give where each statement's first word begins and its last one ends, in bytes.

    The parser's own extents include comments. Tokens are taken one by one: a list of them costs seconds a megabyte.
    """
    words = ((token.start, token.end) for token in tokens if token.token not in BETWEEN_STATEMENTS)
    start, end = next(words, PAST_THE_END)
    for tree in trees:
        first, last = start, end
        limit = tree.stmt_location + tree.stmt_len if tree.stmt_len else PAST_THE_END[0]  # 0: all the rest
        while start < limit:
            last = end
            start, end = next(words, PAST_THE_END)
        yield first, last


def _character_offsets(text: str) -> Callable[[int], int]:
    """Give a function from byte offsets, as the parser gives them and in rising order, to offsets in characters."""
    raw = text.encode()
    seen_bytes = seen_characters = 0

    def character(offset: int) -> int:
        nonlocal seen_bytes, seen_characters
        seen_characters += len(raw[seen_bytes:offset].decode())
        seen_bytes = offset
        return seen_characters

    return character


def _refusal(error: PgQueryError, text: str, path: str) -> ModuleError:
    """Make the error; the parser counts the position in characters from 1, and gives 0 where it knows none."""
    if error.cursorpos == 0:
        return ModuleError(error.message, path=path)
    offset = error.cursorpos - 1
    return ModuleError(error.message, sqlstate=SYNTAX_ERROR, at=place_of(text, path, offset), hint=_hint(text, offset))


def _hint(text: str, offset: int) -> str:
    if text.startswith("\\", offset):
        return "a backslash outside of quotes begins a psql command; write it in SQL or remove it"
    if PSQL_VARIABLE.match(text, offset):
        return "psql variables are not SQL; write the value"
    if COPY_FROM_CLIENT.search(text[max(0, offset - LONGEST_COPY) : offset]):
        return "rows after COPY … FROM stdin are psql's, not SQL; write INSERT statements"
    return ""
