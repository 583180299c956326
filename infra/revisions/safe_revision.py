"""Writes the calls of a revision in their safe forms, where a statement would stop readers or writers for long."""

from __future__ import annotations

import ast
from itertools import groupby
from textwrap import indent
from typing import TYPE_CHECKING

from infra.hazards.hazard import hazards_of
from infra.hazards.measured import HazardKind
from infra.modules.safe_forms import safe_form

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import date

    from infra.hazards.measured import MeasuredStatement

_BLOCK = "with op.get_context().autocommit_block():  # each statement commits, so that no lock is held for long"
_WORKS = {HazardKind.SCAN, HazardKind.REWRITE}


def safe_lines(lines: Sequence[str], statements: Sequence[MeasuredStatement], first: int, *, today: date) -> list[str]:
    """Return the lines of a function's body with safe forms; `first` is the number of the first line in the file.

    `statements` is what was measured of them. What has no safe form as SQL stays as it is.
    """
    hazardous = {hazard.line for hazard in hazards_of(statements, {}, today=today) if hazard.kind in _WORKS}
    calls: list[tuple[bool, str]] = []
    for call in ast.parse("\n".join(lines)).body:
        source = "\n".join(lines[call.lineno - 1 : call.end_lineno])
        own = [part for part in statements if call.lineno <= part.line - first + 1 <= (call.end_lineno or 0)]
        forms = [safe_form(part.sql) for part in own] if hazardous & {part.line for part in own} else []
        if any(forms):
            safe = [text for form, part in zip(forms, own, strict=True) for text in form or [part.sql]]
            calls += [(True, f"op.execute({text!r})") for text in safe]
        else:
            calls.append((False, source))
    written: list[str] = []
    for is_safe, group in groupby(calls, key=lambda call: call[0]):
        texts = [text for _, text in group]
        block = [_BLOCK, *(indent(text, "    ") for text in texts)] if is_safe else texts
        written += "\n".join(block).splitlines()
    return written
