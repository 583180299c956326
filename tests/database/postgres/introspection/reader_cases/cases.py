"""Cases of the catalog reader: for every kind of object and every attribute, how it is created and how it is read.

There is a text file for each query. Its cases are separated by lines of four hyphens: statements for an empty database,
a line with an arrow and the kind and name of one object, and the definition that this object has then.
"""

from __future__ import annotations

from pathlib import Path
from typing import NamedTuple

from infra.catalog.catalog import ObjectId

FOLDER = Path(__file__).parent


class Case(NamedTuple):
    """Statements for an empty database, and one object with its definition."""

    query: str
    number: int
    setup: str
    identity: ObjectId
    definition: str

    def __str__(self) -> str:
        return f"{self.query} {self.number}: {self.identity}"


def read(file: Path) -> list[Case]:
    """Return the cases of a file."""
    cases: list[Case] = []
    for number, text in enumerate(file.read_text(encoding="utf-8").split("----\n"), 1):
        setup, _, rest = text.partition("\n=> ")
        head, _, definition = rest.partition("\n")
        kind, _, name = head.partition(": ")
        cases.append(Case(file.stem, number, setup, ObjectId(kind, name), definition.removesuffix("\n")))
    return cases


CASES = [case for file in sorted(FOLDER.glob("*.txt")) for case in read(file)]
