"""The scene of a structure: rows with their keys, links with their cardinality, stubs of other modules."""

from __future__ import annotations

import pytest

from infra.catalog.catalog import ObjectId
from infra.catalog.structure import Structure, structure_of
from infra.schema_docs.diagram.scene import module_scene, whole_scene
from infra.schema_docs.diagram.types import short_type

ROWS = {
    ("table", "public.user"): "comment 'People.'",
    ("column", "public.user.id"): "type bigint\nnot null",
    ("column", "public.user.email"): "type character varying(80)\nnot null",
    ("column", "public.user.nick"): "type text",
    ("constraint", "public.user.pk"): "PRIMARY KEY (id)",
    ("index", "public.u"): "CREATE UNIQUE INDEX u ON public.user USING btree (email)",
    ("table", "public.profile"): "",
    ("column", "public.profile.user_id"): "type bigint\nnot null",
    ("constraint", "public.profile.pk"): "PRIMARY KEY (user_id)",
    ("constraint", "public.profile.fk"): "FOREIGN KEY (user_id) REFERENCES public.user(id) ON DELETE CASCADE",
    ("table", "public.post"): "",
    ("column", "public.post.author"): "type bigint",
    ("column", "public.post.day"): "type date\nnot null",
    ("column", "public.post.reply_to"): "type date",
    ("constraint", "public.post.once"): "UNIQUE (author, day)",
    ("constraint", "public.post.fk"): "FOREIGN KEY (author) REFERENCES public.user(id)",
    ("constraint", "public.post.pair"): "FOREIGN KEY (author, reply_to) REFERENCES public.post(author, day)",
    ("table", "public.alone"): "",
}
MAKERS = {"public.user": "02-a", "public.profile": "02-a", "public.post": "03-b", "public.alone": "03-b"}


@pytest.fixture
def structure() -> Structure:
    """Return users with profiles, posts that reply to posts, and a table without links."""
    definitions = {ObjectId(*identity): text for identity, text in ROWS.items()}
    return structure_of(definitions, {ObjectId("table", name): module for name, module in MAKERS.items()}, MAKERS)


def test_rows_have_their_keys(structure: Structure) -> None:
    """Primary and foreign keys, unique columns and those that are unique together are marked."""
    rows = {
        f"{box.title}.{row.column}": (" ".join(row.keys), row.type, row.required)
        for box in whole_scene(structure).boxes
        for row in box.rows
    }
    assert rows == {
        "user.email": ("U", "varchar(80)", True),
        "user.id": ("PK", "bigint", True),
        "user.nick": ("", "text", False),
        "profile.user_id": ("PK FK", "bigint", True),
        "post.author": ("FK U1", "bigint", False),
        "post.day": ("U1", "date", True),
        "post.reply_to": ("FK", "date", False),
    }


def test_links_say_how_many_may_refer(structure: Structure) -> None:
    """At most one row refers where the referring columns are unique; a row need not refer where they may be null."""
    assert {str(link): (link.many, link.optional) for link in whole_scene(structure).links} == {
        "profile (user_id) → user (id) ON DELETE CASCADE": (False, False),
        "post (author) → user (id)": (True, True),
        "post (author, reply_to) → post (author, day)": (True, True),
    }


def test_a_module_shows_others_as_stubs(structure: Structure) -> None:
    """Tables of other modules are shown if they refer or are referred to, with only the columns that do."""
    assert [
        (box.title, box.stub, [row.column for row in box.rows]) for box in module_scene(structure, "02-a").boxes
    ] == [
        ("user", False, ["email", "id", "nick"]),
        ("profile", False, ["user_id"]),
        ("post", True, ["author"]),
    ]
    scene = module_scene(structure, "03-b")
    assert [(box.title, box.stub) for box in scene.boxes] == [("user", True), ("post", False), ("alone", False)]
    assert scene.modules == ("02-a", "03-b")
    assert len(scene.links) == 2


TYPES = [
    ("character varying", "varchar"),
    ("character varying(36)[]", "varchar(36)[]"),
    ("character(3)", "char(3)"),
    ("timestamp with time zone", "timestamptz"),
    ("timestamp(3) with time zone[]", "timestamptz(3)[]"),
    ("timestamp without time zone", "timestamp"),
    ("time(0) without time zone", "time(0)"),
    ("time with time zone", "timetz"),
    ("double precision", "float8"),
    ("real", "float4"),
    ("bit varying(8)", "varbit(8)"),
    ("numeric(10,4)", "numeric(10,4)"),
    ("public.realm", "public.realm"),
    ("realm", "realm"),
    ('"character varying"', '"character varying"'),
]


@pytest.mark.parametrize(("long", "alias"), TYPES)
def test_types_have_short_names(long: str, alias: str) -> None:
    """PostgreSQL's aliases replace the long names, and nothing else is shortened."""
    assert short_type(long) == alias
