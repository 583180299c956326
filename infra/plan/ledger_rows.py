"""The rows of a ledger as values: whose it is, and what each module did."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

    from infra.catalog.changes import CatalogChange
    from infra.modules.decision import Digests

ORPHANED = "orphaned"
"""The outcome of a module whose file was removed while its objects stay."""


@dataclass(frozen=True)
class LedgerIdentity:
    """The stack, server and database that a ledger belongs to; `system_identifier` is pg_control_system()'s."""

    stack: str
    system_identifier: str
    database: int


@dataclass(frozen=True)
class LedgerEntry:
    """A module's row; `seeds` is how many rows it inserted, by table."""

    module: str
    digests: Digests
    outcome: str
    effect: CatalogChange
    seeds: Mapping[str, int] = field(default_factory=dict[str, int])
