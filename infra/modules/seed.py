"""Seeds: files of SQL with the rows that a new database gets after its modules."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from infra.errors import ModuleFileError
from infra.modules.digests import text_digest
from infra.modules.module import decode

if TYPE_CHECKING:
    from pathlib import Path


@dataclass(frozen=True)
class SeedFile:
    """The file of a seed: its path as messages show it, its text and the digest of that."""

    path: str
    text: str
    digest: str


def read_seed(path: Path, shown_as: str) -> SeedFile:
    """Read a seed; raises ModuleFileError for a file that is missing or is no UTF-8."""
    try:
        text = decode(path.read_bytes(), shown_as)
    except OSError as error:
        raise ModuleFileError(
            f"cannot be read ({error.strerror})",
            place=shown_as,
            remedy="a seed is a file of SQL, seen from Pulumi.yaml",
        ) from None
    return SeedFile(shown_as, text, text_digest(text))
