"""A dump's statements become modules: in their order, cut at the limit of lines, named after what they are for."""

from __future__ import annotations

import pytest

from infra.errors import ModuleError
from infra.modules.module import MODULE_NAME
from infra.sql_import.dump import read_dump
from infra.sql_import.modules import MAX_LINES, module_texts

DUMP = r"""
SET statement_timeout = 0;
\restrict abc
CREATE SCHEMA public;
CREATE EXTENSION IF NOT EXISTS pg_trgm WITH SCHEMA public;
CREATE TABLE public.a (id integer, t text DEFAULT 'x;
y');
ALTER TABLE public.a OWNER TO boss;
COPY public.a (id) FROM stdin;
1
2; CREATE TABLE no_table ();
\.
ALTER TABLE ONLY public.a ADD CONSTRAINT a_pkey PRIMARY KEY (id);
CREATE INDEX a_t ON public.a USING btree (t);
GRANT SELECT ON TABLE public.a TO reader;
"""


def test_statements_are_kept_or_counted() -> None:
    """Rows, owners, privileges and psql's own lines are left out by kind; nothing else is."""
    dump = read_dump(DUMP, "a.sql")
    assert [statement.purpose for statement in dump.statements] == ["extensions", "tables", "constraints", "indexes"]
    assert sorted(dump.left_out.values()) == [1, 2, 2, 2]
    assert list(module_texts(dump.statements, source="a.sql")) == [
        "01-extensions.sql",
        "02-tables.sql",
        "03-constraints.sql",
        "04-indexes.sql",
    ]


def test_a_module_has_no_more_lines_than_lint_allows() -> None:
    """Many tables become several modules whose names are a module's; a longer statement has one of its own."""
    tables = "".join(f"CREATE TABLE t{number} (\n    a integer,\n    b text\n);\n" for number in range(200))
    long = "CREATE VIEW v AS SELECT\n" + "1,\n" * MAX_LINES + "1;\n"
    texts = module_texts(read_dump(f"{tables}{long}", "a.sql").statements, source="a.sql")
    assert all(MODULE_NAME.fullmatch(name) for name in texts)
    lengths = [text.count("\n") for text in texts.values()]
    assert max(lengths[:-1]) <= MAX_LINES < lengths[-1]
    assert sum(text.count("CREATE TABLE") for text in texts.values()) == 200


def test_what_is_no_sql_has_its_place() -> None:
    """The line is that of the file, also after rows and psql's lines."""
    with pytest.raises(ModuleError) as refused:
        read_dump(f"{DUMP}CREATE TABEL b ();\n", "a.sql")
    assert refused.value.place.startswith("a.sql:16:8")
