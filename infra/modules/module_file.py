"""A module with its digests, each computed when it is first needed: only a changed text needs the parser."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

from infra.lazy_module import LazyModule
from infra.modules.decision import Change, Digests
from infra.modules.digests import text_digest

if TYPE_CHECKING:
    from infra.modules import statements
    from infra.modules.module import Module
else:
    statements = LazyModule("infra.modules.statements")

_statements: dict[str, str] = {}
"""Digests of statements, by those of texts: each of many databases gets the same modules."""


@dataclass(frozen=True)
class ModuleFile:
    """A module as a plan compares it with the ledger."""

    module: Module

    @property
    def name(self) -> str:
        """The module's name."""
        return self.module.name

    @cached_property
    def text_digest(self) -> str:
        """The digest of the text."""
        return text_digest(self.module.text)

    @cached_property
    def statements_digest(self) -> str:
        """The digest of the statements; raises ModuleError where the text cannot be parsed."""
        if self.text_digest not in _statements:
            _statements[self.text_digest] = statements.statements_digest(self.module.text)
        return _statements[self.text_digest]

    @property
    def digests(self) -> Digests:
        """Both digests."""
        return Digests(self.text_digest, self.statements_digest)

    def change_since(self, applied: Digests | None) -> Change:
        """Return how the file differs from what the ledger has of it; `applied` is None for a module without a row."""
        if applied is None:
            return Change.NEW
        if self.text_digest == applied.text:
            return Change.SAME
        return Change.REFORMATTED if self.statements_digest == applied.statements else Change.CHANGED
