"""Statements and tokens of a module, by PostgreSQL's own parser; the only file that imports the parser."""

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
    """One statement: the parser's name of its kind, its parse tree, and where it starts and ends, in characters."""

    kind: str  # as in the parser's sources: create_stmt, index_stmt, transaction_stmt, …
    tree: Any
    start: int
    end: int


@dataclass(frozen=True)
class Word:
    """One token of SQL or a comment: where it starts and ends, in characters."""

    start: int
    end: int
    is_comment: bool


def place_of(text: str, path: str, offset: int) -> SourcePlace:
    """Return the line and column of an offset in characters; an offset past the end is the end."""
    offset = min(offset, len(text))
    start = text.rfind("\n", 0, offset) + 1
    end = text.find("\n", offset)
    return SourcePlace(
        path, text.count("\n", 0, offset) + 1, offset - start + 1, text[start : end if end >= 0 else len(text)]
    )


def parse(text: str, path: str) -> list[Statement]:
    """Return the statements of a module; raises ModuleError with PostgreSQL's message and place for a syntax error."""
    try:
        trees = postgast.parse(text).stmts
        tokens = postgast.scan(text).tokens
    except PgQueryError as error:
        raise _syntax_error(error, text, path) from None
    to_characters = _character_offsets(text)
    statements: list[Statement] = []
    for tree, (start, end) in zip(trees, _extents(trees, tokens), strict=True):
        kind = tree.stmt.WhichOneof("node") or ""
        statements.append(Statement(kind, getattr(tree.stmt, kind), to_characters(start), to_characters(end)))
    return statements


def rewritten(text: str, change: Callable[[Any], None]) -> str:
    """Return the only statement of a text as PostgreSQL writes it, after `change` was called with its parse tree."""
    result = postgast.parse(text)
    stmt = result.stmts[0].stmt
    change(getattr(stmt, stmt.WhichOneof("node") or ""))
    return postgast.deparse(result)


def is_keyword(name: str) -> bool:
    """Return whether an identifier has to be quoted to be one."""
    return any(token.keyword_kind == pg_query_pb2.RESERVED_KEYWORD for token in postgast.scan(name).tokens)


def words(text: str) -> Iterator[Word]:
    """Return the tokens of a text, with comments; raises ModuleError where it has none, as after an open quote."""
    try:
        tokens = postgast.scan(text).tokens
    except PgQueryError as error:
        raise ModuleError(error.message) from None
    to_characters = _character_offsets(text)
    return (Word(to_characters(token.start), to_characters(token.end), token.token in _COMMENTS) for token in tokens)


def cut_at_semicolons(text: str) -> Iterator[tuple[int, int]]:
    """Yield where each statement starts and ends, in characters; also of a text that cannot be parsed as a whole.

    A statement ends at a semicolon outside of parentheses. Raises ModuleError for text that has no tokens.
    """
    try:
        tokens = postgast.scan(text).tokens
    except PgQueryError as error:
        raise ModuleError(error.message) from None
    to_characters = _character_offsets(text)
    depth = 0
    start: int | None = None
    last = None
    for last in tokens:  # few operations for each: a large file has millions
        if start is None:
            start = last.start
        token = last.token
        if token == OPENING:
            depth += 1
        elif token == CLOSING:
            depth -= 1
        elif token == SEMICOLON and depth <= 0:
            yield to_characters(start), to_characters(last.end)
            start, depth = None, 0
    if start is not None and last is not None:
        yield to_characters(start), to_characters(last.end)


def statements_digest(text: str) -> str:
    """Return the digest of the tokens, in which comments, white space and the case of unquoted words do not count.

    The tokens are used, not the parse tree: the shape of the tree depends on the version of the parser, and a newer one
    must not change every digest in every ledger. Raises PgQueryError for text that has no tokens.
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
    """Yield where the first token of each statement starts and its last one ends, in bytes.

    The extents that the parser returns include comments. Tokens are read one at a time, because a list of them takes
    seconds for a megabyte of SQL.
    """
    extents = ((token.start, token.end) for token in tokens if token.token not in BETWEEN_STATEMENTS)
    start, end = next(extents, PAST_THE_END)
    for tree in trees:
        first, last = start, end
        limit = tree.stmt_location + tree.stmt_len if tree.stmt_len else PAST_THE_END[0]  # 0: all the rest
        while start < limit:
            last = end
            start, end = next(extents, PAST_THE_END)
        yield first, last


def _character_offsets(text: str) -> Callable[[int], int]:
    """Return a function that turns offsets in bytes, as the parser has them, into offsets in characters.

    It must be called with rising offsets, since it counts on from the previous one.
    """
    raw = text.encode()
    byte_count = character_count = 0

    def to_characters(offset: int) -> int:
        nonlocal byte_count, character_count
        character_count += len(raw[byte_count:offset].decode())
        byte_count = offset
        return character_count

    return to_characters


def _syntax_error(error: PgQueryError, text: str, path: str) -> ModuleError:
    """Return the parser's error as ours; its position counts characters from 1, and is 0 where it has none."""
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
