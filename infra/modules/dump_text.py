"""What is between the statements of a dump that psql runs: its own commands, and the rows of COPY."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from infra.errors import ModuleError
from infra.modules.statements import parse

if TYPE_CHECKING:
    from collections.abc import Iterator

_OF_PSQL = re.compile(
    r"^\\(?:un)?restrict .*$|^\\connect .*$|^COPY \S+ .*FROM stdin;\n(?P<rows>(?:.*\n)*?)\\\.$", re.MULTILINE
)


def psql_parts(text: str) -> Iterator[re.Match[str]]:
    """Yield the commands of psql in a text, and each COPY with its `rows`.

    What looks so within a constant, such as a comment or the body of a function, is none.
    """
    end = position = 0
    while found := _OF_PSQL.search(text, position):
        if _is_whole(text[end : found.start()]):
            yield found
            end = position = found.end()
        else:
            position = found.start() + 1


def blank_lines(text: str) -> str:
    """Return as many empty lines as a text has, so that places in the rest of a file stay right."""
    return "\n" * text.count("\n")


def _is_whole(text: str) -> bool:
    """Return whether a text ends between statements."""
    try:
        parse(text, "")
    except ModuleError:
        return False
    return True
