"""A catalog is every object of a database with its definition, readable and in lines, so that two can be compared."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

STRUCTURE = (
    "schema",
    "extension",
    "enum",
    "domain",
    "range",
    "composite type",
    "function",
    "procedure",
    "aggregate",
    "sequence",
    "table",
    "column",
    "constraint",
    "index",
    "constraint index",
    "statistics",
    "view",
    "materialized view",
    "rule",
    "trigger",
    "policy",
    "event trigger",
)
"""The kinds that make a schema what it is: these are fingerprinted, and two databases must agree in them."""

ACCESS = ("owner", "privileges")
"""Who owns what and who may do what: names of roles differ between databases, so these are compared on their own."""

NOTES = ("column order", "extension version")
"""Differences worth a note and no more."""

NOT_COMPARED = (
    "rows of tables",
    "where sequences stand",
    "roles and their settings (declared in the stack)",
    "the database's own settings, privileges and comment (declared in the stack)",
    "base types, operators, operator classes, casts, transforms, access methods and languages",
    "comments on extensions, and what depends on one by ALTER … DEPENDS ON EXTENSION",
    "text search configurations",
    "foreign data wrappers and servers",
    "publications and subscriptions",
    "collations and conversions",
    "large objects and security labels",
    "tablespaces",
    "what an owner may do with its own objects",
)
"""What no comparison of this program looks at; said in its output, so that nobody takes silence for equality."""


class ObjectId(NamedTuple):
    """What an object is called: its kind, and its name with schema, quoted as SQL would have it."""

    kind: str
    name: str

    def __str__(self) -> str:
        return f"{self.kind} {self.name}"


@dataclass(frozen=True)
class Catalog:
    """The objects of one database at one moment; a definition is text in lines, '' when the name says it all."""

    objects: Mapping[ObjectId, str] = field(default_factory=lambda: MappingProxyType[ObjectId, str]({}))

    def of(self, *kinds: str) -> Catalog:
        """Give the part that is of these kinds."""
        return Catalog({identity: text for identity, text in self.objects.items() if identity.kind in kinds})

    def structure(self) -> Catalog:
        """Give the part in which two databases of one schema must agree."""
        return self.of(*STRUCTURE)


def fingerprint(catalog: Catalog) -> str:
    """Digest the structure of a catalog; equal schemas have equal fingerprints, on every server and database."""
    digest = hashlib.sha256()
    for identity, text in sorted(catalog.structure().objects.items()):
        for part in (*identity, text):
            raw = part.encode()
            digest.update(b"%d:%b," % (len(raw), raw))
    return "catalog1:" + digest.hexdigest()


def catalog_of(rows: Iterable[tuple[str, str, str]]) -> Catalog:
    """Make a catalog of rows (kind, name, definition)."""
    return Catalog({ObjectId(kind, name): text for kind, name, text in rows})
