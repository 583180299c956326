"""Differences between two catalogs: objects that are missing, extra or different, each with a line diff."""

from __future__ import annotations

from dataclasses import dataclass
from difflib import SequenceMatcher
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

    from infra.catalog.catalog import Catalog, ObjectId


@dataclass(frozen=True)
class Difference:
    """One object that differs; `expected` or `found` is None in the catalog that does not have it."""

    identity: ObjectId
    expected: str | None
    found: str | None

    @property
    def verdict(self) -> str:
        """Return missing, extra or different."""
        if self.found is None:
            return "missing"
        return "extra" if self.expected is None else "different"

    def reversed(self) -> Difference:
        """Return the difference of the second catalog from the first."""
        return Difference(self.identity, self.found, self.expected)

    def __str__(self) -> str:
        return "\n".join([f"{self.identity} is {self.verdict}", *_line_diff(_lines(self.expected), _lines(self.found))])


def differences(expected: Catalog, found: Catalog) -> list[Difference]:
    """Compare two catalogs object by object; return the differences in the order of kinds and names, [] for none."""
    names = sorted(expected.objects.keys() | found.objects.keys())
    pairs = ((name, expected.objects.get(name), found.objects.get(name)) for name in names)
    return [Difference(name, before, after) for name, before, after in pairs if before != after]


def _line_diff(before: list[str], after: list[str]) -> Iterator[str]:
    """Yield all lines: with a minus those that are only expected, with a plus those that are only found.

    difflib.ndiff is not used, because it also compares similar lines, which takes minutes for a long function.
    """
    for _, start, end, other_start, other_end in SequenceMatcher(None, before, after).get_opcodes():
        if before[start:end] == after[other_start:other_end]:
            yield from (f"    {line}" for line in before[start:end])
        else:
            yield from (f"  - {line}" for line in before[start:end])
            yield from (f"  + {line}" for line in after[other_start:other_end])


def _lines(definition: str | None) -> list[str]:
    return [_visible(line) for line in definition.split("\n")] if definition else []


def _visible(line: str) -> str:
    """Return a line with carriage returns, unusual spaces and control characters as escapes: only they may differ."""
    return "".join(
        character if character.isprintable() or character == "\t" else ascii(character)[1:-1] for character in line
    )
