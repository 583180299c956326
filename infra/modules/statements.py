"""A module's statements and tokens, from PostgreSQL's own parser; the one file that imports it."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from typing import Any

import postgast
from postgast import PgQueryError, pg_query_pb2

from infra.errors import ModuleError, Place

COMMENTS = frozenset({pg_query_pb2.SQL_COMMENT, pg_query_pb2.C_COMMENT})
QUOTED = frozenset({pg_query_pb2.SCONST, pg_query_pb2.USCONST, pg_query_pb2.BCONST, pg_query_pb2.XCONST})


@dataclass(frozen=True)
class Statement:
    """One statement: the parser's name of its kind, its tree, and where it begins and ends, in characters from 0."""

    kind: str  # as in the parser's sources: create_stmt, index_stmt, transaction_stmt, …
    tree: Any
    start: int
    end: int


def place_of(text: str, path: str, offset: int) -> Place:
    """Turn an offset in characters into a place; offsets past the end give the end."""
    offset = min(offset, len(text))
    start = text.rfind("\n", 0, offset) + 1
    end = text.find("\n", offset)
    return Place(
        path, text.count("\n", 0, offset) + 1, offset - start + 1, text[start : end if end >= 0 else len(text)]
    )


def parse(text: str, path: str) -> list[Statement]:
    """Parse a module; raises ModuleError with PostgreSQL's own words at the place of a syntax error."""
    characters = _Offsets(text)
    try:
        raw = postgast.parse(text).stmts
        tokens = [token for token in postgast.scan(text).tokens if token.token not in COMMENTS]
    except PgQueryError as error:
        at = place_of(text, path, characters.of_byte(max(error.cursorpos - 1, 0)))
        raise ModuleError(error.message, sqlstate="42601", at=at, hint=_hint(at)) from None
    statements: list[Statement] = []
    first = 0
    for one in raw:
        begin, length = one.stmt_location, one.stmt_len
        end = begin + length if length else len(text.encode())
        while tokens[first].start < begin or tokens[first].token == pg_query_pb2.ASCII_59:
            first += 1
        kind = one.stmt.WhichOneof("node") or ""
        start = characters.of_byte(tokens[first].start)
        statements.append(Statement(kind, getattr(one.stmt, kind), start, characters.of_byte(end)))
    return statements


def statements_digest(text: str) -> str:
    """Digest the tokens, so that comments, white space and the case of unquoted words do not count.

    Tokens and not the parse tree: the tree's shape belongs to a version of the parser, and a newer one must not change
    every digest in every ledger. Raises PgQueryError for text that cannot be cut into tokens.
    """
    raw = text.encode()
    digest = hashlib.sha256()
    for token in postgast.scan(text).tokens:
        if token.token in COMMENTS:
            continue
        word = raw[token.start : token.end]
        if token.token not in QUOTED and not word.startswith(b'"'):
            word = word.lower()
        digest.update(b"%d:%b," % (len(word), word))
    return "tokens1:" + digest.hexdigest()


def _hint(at: Place) -> str:
    here = at.text[at.column - 1 :]
    if here.startswith("\\"):
        return "a line that begins with a backslash is a psql command, not SQL; write it in SQL or remove it"
    if here.startswith(":"):
        return "psql variables are not SQL; write the value"
    return ""


class _Offsets:
    """Byte offsets, as the parser gives them, to character offsets."""

    def __init__(self, text: str) -> None:
        self.raw = None if text.isascii() else text.encode()
        self.seen_bytes = self.seen_characters = 0

    def of_byte(self, offset: int) -> int:
        if self.raw is None:
            return offset
        if offset < self.seen_bytes:
            self.seen_bytes = self.seen_characters = 0
        self.seen_characters += len(self.raw[self.seen_bytes : offset].decode("utf-8", "ignore"))
        self.seen_bytes = offset
        return self.seen_characters
