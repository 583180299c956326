"""The texts of all modules, as one resource: a preview shows their changed lines, once for all databases.

Each module of each database has only the digest of its text: with forty databases the state would hold forty copies.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import pulumi
from pulumi.dynamic import CreateResult, DiffResult, UpdateResult

from infra.modules.digests import text_digest
from infra.resources.base import DynamicResource, Properties, Provider

if TYPE_CHECKING:
    from collections.abc import Sequence

    from infra.modules.module import Module

LONGEST_TEXT = 1_048_576
"""Characters of a module's text that the state keeps; a longer text is cut, with a line that says so."""


class ModuleTextsProvider(Provider):
    """Stores texts; nothing acts on them. The state has them as inputs, and their digests as outputs."""

    def create(self, props: Properties) -> CreateResult:
        """Store the texts."""
        return CreateResult("modules", _digests(props))

    def diff(self, _id: str, _olds: Properties, _news: Properties) -> DiffResult:
        """Report a change when a text differs, or a module was added or removed."""
        return DiffResult(changes=_digests(_news)["digests"] != _olds["digests"])

    def update(self, _id: str, _olds: Properties, _news: Properties) -> UpdateResult:
        """Store the new texts."""
        return UpdateResult(_digests(_news))


def _digests(props: Properties) -> Properties:
    return {"digests": {name: text_digest(text) for name, text in props["texts"].items()}}


class ModuleTexts(DynamicResource, module="postgres", name="ModuleTexts"):
    """The texts of a stack's modules, by name."""

    def __init__(self, name: str, modules: Sequence[Module], opts: pulumi.ResourceOptions | None = None) -> None:
        texts = {module.name: shortened(module.text) for module in modules}
        super().__init__(ModuleTextsProvider, name, {"texts": texts, "digests": None}, opts)


def shortened(text: str) -> str:
    """Return a text as the state keeps it."""
    if len(text) <= LONGEST_TEXT:
        return text
    return f"{text[:LONGEST_TEXT]}\n-- … {len(text)} characters in all\n"
