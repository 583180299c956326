"""The extensions that a stack wants and a server does not offer, a sentence each."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Collection, Sequence


def missing_extensions(wanted: Sequence[str], offered: Collection[str], source: str, remedy: str) -> list[str]:
    """Name each missing extension, where it was looked for, what there is, and what to do."""
    has = ", ".join(sorted(offered))
    return [
        f"extension {name} is not offered by this PostgreSQL ({source}), which has {has}; {remedy}"
        for name in wanted
        if name not in offered
    ]
