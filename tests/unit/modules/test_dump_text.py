"""Finding what psql alone understands in a dump."""

from __future__ import annotations

from infra.modules.dump_text import psql_parts

DUMP = r"""\restrict abc
COMMENT ON TABLE t IS 'a;
COPY t (a) FROM stdin;
\.
\restrict x';
COPY t (a) FROM stdin;
COPY t (a) FROM stdin;
\\.
\.
\unrestrict abc
"""


def test_what_looks_like_copy_within_a_constant_is_none() -> None:
    r"""Commands and rows are found between statements: a comment may have the same lines, and rows may as well."""
    assert [(found[0].splitlines()[0], found["rows"]) for found in psql_parts(DUMP)] == [
        (r"\restrict abc", None),
        ("COPY t (a) FROM stdin;", "COPY t (a) FROM stdin;\n\\\\.\n"),
        (r"\unrestrict abc", None),
    ]
