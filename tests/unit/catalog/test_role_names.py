"""The names of roles in what a module did, when roles have other names."""

from __future__ import annotations

from infra.catalog.catalog import Catalog, ObjectId
from infra.catalog.changes import CatalogChange
from infra.catalog.role_names import with_role_names

NAMES = {"a": "b", '"a to b"': '"c of d"'}


def renamed(kind: str, name: str, text: str | None = "x") -> tuple[str, str | None]:
    """Return name and definition of one object after the roles were renamed, in a catalog that has none of it."""
    change = CatalogChange({ObjectId(kind, name): text}, frozenset({ObjectId(kind, name)}))
    result = with_role_names(change, NAMES, before=Catalog({}), after=Catalog({}))
    assert result.changed == result.objects.keys()
    ((identity, definition),) = result.objects.items()
    assert identity.kind == kind
    return identity.name, definition


def test_privileges_name_the_grantee() -> None:
    """The grantee is what stands after the last `to`; other roles keep their names."""
    assert renamed("privileges", "table public.a to a") == ("table public.a to b", "x")
    assert renamed("privileges", "table public.a to aa") == ("table public.a to aa", "x")


def test_default_privileges_name_the_role_that_creates() -> None:
    """The role whose future objects they are for is renamed too, with or without a schema."""
    assert renamed("privileges", "future tables of a to z") == ("future tables of b to z", "x")
    assert renamed("privileges", "future tables of a in schema a to a") == ("future tables of b in schema a to b", "x")
    assert renamed("privileges", 'future types of "a to b" to PUBLIC') == ('future types of "c of d" to PUBLIC', "x")


def test_owners_are_names() -> None:
    """The definition of an owner is a name; a dropped object has none."""
    assert renamed("owner", "table public.a", "a") == ("table public.a", "b")
    assert renamed("owner", "table public.a", "z") == ("table public.a", "z")
    assert renamed("owner", "table public.a", None) == ("table public.a", None)


def test_other_definitions_are_read_from_the_catalog() -> None:
    """A definition that was as in the database is as in the database now; another one is drift, and stays."""
    policy = ObjectId("policy", "public.t.p")
    change = CatalogChange({policy: "to a"})
    before, after = Catalog({policy: "to a"}), Catalog({policy: "to b"})
    assert with_role_names(change, NAMES, before=before, after=after).objects == {policy: "to b"}
    drifted = Catalog({policy: "to a, z"})
    assert with_role_names(change, NAMES, before=drifted, after=after).objects == {policy: "to a"}
