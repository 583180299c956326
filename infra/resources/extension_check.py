"""The extensions that a stack asks for and a server does not offer, a sentence each."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Collection, Sequence


def missing_extensions(required: Sequence[str], offered: Collection[str], source: str, remedy: str) -> list[str]:
    """Return a sentence for each missing extension: its name, where it was looked for, what there is, what to do."""
    available = ", ".join(sorted(offered))
    return [
        f"extension {name} is not offered by this PostgreSQL ({source}), which has {available}; {remedy}"
        for name in required
        if name not in offered
    ]
