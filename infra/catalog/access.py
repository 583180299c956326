"""Privileges and owners: which object each is about, and which of them no module granted on what modules made."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from infra.catalog.catalog import DATABASE, ObjectId

if TYPE_CHECKING:
    from collections.abc import Mapping

    from infra.catalog.catalog import Catalog
    from infra.catalog.changes import CatalogChange

_KINDS = {
    "function": ("procedure", "aggregate"),
    "type": ("enum", "domain", "range", "composite type"),
}
"""Kinds of objects whose owners and privileges PostgreSQL keeps under a more general kind."""

FUTURE = re.compile(r"future (?P<what>\w+) of (?P<creator>.*?)(?: in schema (?P<schema>.*))?", re.DOTALL)
"""Default privileges: those of what a role will create, in a schema or in all."""

_IN_ALL_SCHEMAS = frozenset({"tables", "sequences", "schemas"})
"""The default privileges in all schemas that the stack declares (infra/postgres/access.py), and not modules."""

TO_PUBLIC = {"functions": "EXECUTE", "types": "USAGE"}
"""What PostgreSQL itself grants to PUBLIC on new objects (manual, 5.8), and default privileges may revoke."""


def subject_of(identity: ObjectId) -> str:
    """Return what an owner or privileges are about: `table public.x` of the privileges `table public.x to a_role`."""
    return identity.name.rpartition(" to ")[0] if identity.kind == "privileges" else identity.name


def objects_of(subject: str) -> set[str]:
    """Return what a subject of privileges may be called in the catalog: a `function` is perhaps a procedure."""
    kind, _, name = subject.partition(" ")
    return {subject, *(f"{other} {name}" for other in _KINDS.get(kind, ()))}


def declared_by_stack(change: CatalogChange) -> list[ObjectId]:
    """Return what is the stack's in a module's change: the database's row, privileges on schema public and of what is
    created in any schema.

    A schema public that the module made anew has what default privileges grant.
    """
    schema = ObjectId("schema", "public")
    is_new = schema in change.objects and schema not in change.changed

    def is_declared(identity: ObjectId) -> bool:
        if identity.kind != "privileges":
            return identity == DATABASE
        subject = subject_of(identity)
        if future := FUTURE.fullmatch(subject):
            return future["what"] in _IN_ALL_SCHEMAS and not future["schema"]
        return subject == "schema public" and not is_new

    return sorted(filter(is_declared, change.objects))


def unmanaged_privileges(live: Catalog, expected: Mapping[ObjectId, str]) -> list[ObjectId]:
    """Return the privileges that no module granted on what modules made, or on what their owner will make.

    Those on the database and on schema public are the stack's, as are the default privileges in all schemas.
    """
    made = {str(identity) for identity in expected} - {"schema public"}
    owned = {identity.name: role for identity, role in expected.items() if identity.kind == "owner"}

    def is_about_them(identity: ObjectId, privileges: str) -> bool:
        subject = subject_of(identity)
        if future := FUTURE.fullmatch(subject):
            is_declared = future["what"] in _IN_ALL_SCHEMAS and not future["schema"]
            is_normal = identity.name.endswith(" to PUBLIC") and privileges == TO_PUBLIC.get(future["what"])
            return future["creator"] in owned.values() and not is_declared and not is_normal
        # Of objects that a former version of the program adopted the ledger may have neither owner nor privileges.
        was_read = subject in owned or not subject.startswith(("function ", "type "))
        return was_read and not made.isdisjoint(objects_of(subject))

    return sorted(
        identity
        for identity, privileges in live.of("privileges").objects.items()
        if identity not in expected and is_about_them(identity, privileges)
    )
