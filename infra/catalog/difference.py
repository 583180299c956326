"""How two catalogs differ: objects that are missing, extra or different, each readable as a line diff."""

from __future__ import annotations

import difflib
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from infra.catalog.catalog import Catalog, ObjectId


@dataclass(frozen=True)
class Difference:
    """One object that is not as expected; `expected` or `found` is None where the object is not there."""

    identity: ObjectId
    expected: str | None
    found: str | None

    @property
    def verdict(self) -> str:
        """Say in a word what is the matter: missing, extra or different."""
        if self.found is None:
            return "missing"
        return "extra" if self.expected is None else "different"

    def __str__(self) -> str:
        head = f"{self.identity} is {self.verdict}"
        lines = difflib.ndiff((self.expected or "").splitlines(), (self.found or "").splitlines())
        return "\n".join([head, *(f"  {line}" for line in lines if not line.startswith("?"))])


def differences(expected: Catalog, found: Catalog) -> list[Difference]:
    """Compare two catalogs object by object, in the order of their names; [] when they are equal."""
    names = sorted(expected.objects.keys() | found.objects.keys())
    pairs = ((name, expected.objects.get(name), found.objects.get(name)) for name in names)
    return [Difference(name, before, after) for name, before, after in pairs if before != after]
