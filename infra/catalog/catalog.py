"""The catalog: every object of a database with its definition as readable lines, so that two can be compared."""

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
    "type",
    "collation",
    "conversion",
    "operator",
    "operator family",
    "operator class",
    "operator of access method",
    "function of access method",
    "cast",
    "text search parser",
    "text search template",
    "text search dictionary",
    "text search configuration",
    "language",
    "transform",
    "access method",
    "foreign-data wrapper",
    "server",
    "user mapping",
    "publication",
    "publication relation",
    "publication namespace",
    "subscription",
    "security label",
)
"""The kinds of objects that make up a schema: they are in the fingerprint, and equal schemas have equal ones.

From `type` (a base type) on they have PostgreSQL's own names (manual, 9.27.6), and no definition but their comment.
"""

SETTING = "database setting"
"""A parameter that a module set for all sessions of its database, by ALTER DATABASE."""

OWNED = ("large object", SETTING)
"""Kinds that go with their module and are not compared as objects: large objects have another name in each database,
and settings are compared with what the stack declares of its database (infra/postgres/declared_attributes.py)."""

ACCESS = ("owner", "privileges")
"""Owners and privileges: they name roles, which differ between databases, so they are compared separately."""

NOTES = ("column order", "extension version")
"""Kinds whose differences are reported as notes only."""

NOT_COMPARED = (
    "rows of tables",
    "where sequences stand",
    "roles and their settings (declared in the stack)",
    "the database's own settings, privileges and comment (declared in the stack)",
    "definitions of base types, operators, operator classes and families, casts, transforms, access methods, languages",
    "definitions of text search objects, collations and conversions",
    "definitions of foreign data wrappers, servers, user mappings, publications and subscriptions",
    "comments on extensions, and what depends on one by ALTER … DEPENDS ON EXTENSION",
    "large objects",
    "tablespaces",
    "what an owner may do with its own objects",
)
"""What no comparison of this program reads; every output lists it, so that its absence is not mistaken for equality."""


class ObjectId(NamedTuple):
    """The identity of an object: its kind, and its name with schema, quoted as in SQL."""

    kind: str
    name: str

    def __str__(self) -> str:
        return f"{self.kind} {self.name}"


DATABASE = ObjectId("database", "privileges, owner or limits")
"""The database's own row, which is the stack's and read only to see that a module did not change it."""


@dataclass(frozen=True)
class Catalog:
    """The objects of one database at one time; a definition is text in lines, '' for an object that only has a name."""

    objects: Mapping[ObjectId, str] = field(default_factory=lambda: MappingProxyType[ObjectId, str]({}))

    def of(self, *kinds: str) -> Catalog:
        """Return the objects of these kinds."""
        return Catalog({identity: text for identity, text in self.objects.items() if identity.kind in kinds})

    def structure(self) -> Catalog:
        """Return the objects of the kinds that make up a schema."""
        return self.of(*STRUCTURE)


def fingerprint(catalog: Catalog) -> str:
    """Return the digest of a catalog's structure: equal for equal schemas, on every server and in every database."""
    digest = hashlib.sha256()
    for identity, text in sorted(catalog.structure().objects.items()):
        for part in (*identity, text):
            raw = part.encode()
            digest.update(b"%d:%b," % (len(raw), raw))
    return "catalog1:" + digest.hexdigest()


def catalog_of(rows: Iterable[tuple[str, str, str]]) -> Catalog:
    """Return the catalog of rows (kind, name, definition)."""
    return Catalog({ObjectId(kind, name): text for kind, name, text in rows})
