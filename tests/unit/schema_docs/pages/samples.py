"""Structures to describe: one with an object of each kind, and one in which every text is markup."""

from __future__ import annotations

from infra.catalog.catalog import ObjectId
from infra.catalog.structure import Structure, structure_of
from infra.schema_docs.diagram.drawing import lay_out
from infra.schema_docs.diagram.scene import whole_scene
from infra.schema_docs.diagram.svg import render_svg
from infra.schema_docs.pages.contents import anchor, page_contents
from infra.schema_docs.pages.entries import ModuleDescription, PageContents

MARKUP = "<img src=x onerror=hurt=1>"
SCRIPT = "</title></style></script><script>hurt=1</script>&amp;{{ 7*7 }}`|*_"


def structure_from(rows: dict[tuple[str, str], str], *, module: str = "02-a") -> Structure:
    """Return the structure of definitions by kind and name, all created by one module."""
    definitions = {ObjectId(*identity): text for identity, text in rows.items()}
    return structure_of(definitions, dict.fromkeys(definitions, module))


def simple() -> Structure:
    """Return two tables, one of which refers to the other, and a view."""
    return structure_from(
        {
            ("table", "public.a"): "comment 'The first.'",
            ("column order", "public.a"): "id, name",
            ("column", "public.a.id"): "type bigint\nnot null\ngenerated always as identity",
            ("column", "public.a.name"): "type character varying(40)\ndefault 'x'::text\ncomment 'Its | name.'",
            ("constraint", "public.a.a_pkey"): "PRIMARY KEY (id)",
            (
                "index",
                "public.a_name",
            ): "CREATE INDEX a_name ON public.a USING btree (lower(name)) WHERE (name <> ''::text)",
            ("table", "public.b"): "",
            ("column order", "public.b"): "a_id",
            ("column", "public.b.a_id"): "type bigint",
            ("constraint", "public.b.b_a_id_fkey"): "FOREIGN KEY (a_id) REFERENCES public.a(id) ON DELETE CASCADE",
            ("constraint", "public.b.positive"): "CHECK ((a_id > 0))",
            ("view", "public.v"): "SELECT a.id\nFROM public.a;\ncomment 'Only keys.'",
            ("owner", "table public.a"): "somebody",
        }
    )


def sample_contents(structure: Structure, *, path: str = "sql/02-a.sql", text: str = "Two tables.") -> PageContents:
    """Return the contents of a structure with one module."""
    files = {("public", "a"): path}
    return page_contents(structure, [ModuleDescription("02-a", path, text)], [files], "A schema")


def hostile() -> tuple[PageContents, dict[str, str]]:
    """Return contents and a picture in which every text that comes from a schema is markup."""
    quoted = SCRIPT.replace("'", "''")
    name = f'public."{MARKUP}"'
    structure = structure_from(
        {
            ("table", name): f"with ({MARKUP})\ncomment '{quoted}'",
            ("column order", name): f'"{SCRIPT}"',
            ("column", f'{name}."{SCRIPT}"'): f"type \"{MARKUP}\"\ndefault '{quoted}'\ncomment '{quoted}{MARKUP}'",
            ("constraint", f'{name}."{MARKUP}"'): f"CHECK (('{MARKUP}' <> '{quoted}'))\ncomment '{quoted}'",
            ("index", f'public."{MARKUP}i"'): f'CREATE INDEX "{MARKUP}i" ON {name} USING btree (("{SCRIPT}"))',
            ("view", f'public."{SCRIPT}"'): f"SELECT '{quoted}';\ncomment '{quoted}'",
        }
    )
    contents = sample_contents(structure, path=f'sql/{MARKUP}"quoted".sql', text=SCRIPT)
    picture = render_svg(
        lay_out(whole_scene(structure, SCRIPT)), style=False, link_to=lambda table: f"#{anchor('table', table)}"
    )
    return contents, {"": picture}
