"""The names of roles in definitions: what a change of a module's record is when roles have other names."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from infra.catalog.catalog import ObjectId
from infra.catalog.changes import CatalogChange

if TYPE_CHECKING:
    from collections.abc import Mapping

    from infra.catalog.catalog import Catalog

_FUTURE = re.compile(r'(future \w+ of )("(?:[^"]|"")*"|[^ ]+)(.*)', re.DOTALL)
"""Default privileges, which name the role whose future objects they are for."""


def with_role_names(
    change: CatalogChange, names: Mapping[str, str], *, before: Catalog, after: Catalog
) -> CatalogChange:
    """Return a change with other names of roles, given quoted as in SQL, new ones by old ones.

    `before` and `after` are the catalog under the old names and the new ones: a definition that was as in `before` is
    as in `after`. Of another one only what is nothing but a role's name is replaced.
    """
    identities = {identity: _identity(identity, names) for identity in change.objects}
    objects: dict[ObjectId, str | None] = {}
    for identity, text in change.objects.items():
        renamed = identities[identity]
        if text is not None and before.objects.get(identity) == text:
            objects[renamed] = after.objects.get(renamed, text)
        else:
            objects[renamed] = names.get(text, text) if text and identity.kind == "owner" else text
    return CatalogChange(objects, frozenset(identities[identity] for identity in change.changed))


def _identity(identity: ObjectId, names: Mapping[str, str]) -> ObjectId:
    """Return the identity of privileges with the new names of the roles in it: `future tables of a to b`."""
    if identity.kind != "privileges":
        return identity
    subject, _, grantee = identity.name.rpartition(" to ")
    if future := _FUTURE.fullmatch(subject):
        subject = future[1] + names.get(future[2], future[2]) + future[3]
    return ObjectId(identity.kind, f"{subject} to {names.get(grantee, grantee)}")
