"""A module's statements as PostgreSQL's parser reads them, places in its text, and the digest of its statements."""

from __future__ import annotations

import time

import pytest

from infra.errors import ModuleError, SourcePlace
from infra.modules.statements import parse, place_of, statements_digest

SECONDS_FOR_1_MB = 6  # it takes about 0.8; a list of all tokens took 20


def parts(text: str) -> list[tuple[str, str]]:
    """Return kind and text of each statement."""
    return [(statement.kind, text[statement.start : statement.end]) for statement in parse(text, "x.sql")]


def refusal(text: str) -> ModuleError:
    with pytest.raises(ModuleError) as refused:
        parse(text, "sql/01-x.sql")
    return refused.value


@pytest.mark.parametrize(
    ("text", "kind"),
    [
        ("CREATE TABLE t (a int)", "create_stmt"),
        ("CREATE TABLE t AS SELECT 1", "create_table_as_stmt"),
        ("CREATE UNIQUE INDEX ON t (a)", "index_stmt"),
        ("ALTER TABLE t ADD CONSTRAINT c CHECK (a > 0)", "alter_table_stmt"),
        ("CREATE EXTENSION IF NOT EXISTS pgcrypto", "create_extension_stmt"),
        ("CREATE FUNCTION f() RETURNS int BEGIN ATOMIC SELECT 1; SELECT 2; END", "create_function_stmt"),
        ("CREATE RULE r AS ON INSERT TO t DO ALSO (DELETE FROM a; DELETE FROM b)", "rule_stmt"),
        ("COMMENT ON TABLE t IS 'x'", "comment_stmt"),
        ("INSERT INTO t VALUES (1)", "insert_stmt"),
        ("DO $$BEGIN; END$$", "do_stmt"),
        ("BEGIN", "transaction_stmt"),
        ("SELECT 1", "select_stmt"),
    ],
)
def test_a_statement_has_the_parsers_name_of_its_kind(text: str, kind: str) -> None:
    """A statement is whole, with semicolons inside it, and its kind is the parser's."""
    assert parts(text) == [(kind, text)]


def test_a_statement_has_its_tree() -> None:
    """The tree is the parser's, of the kind that the statement says."""
    (statement,) = parse("CREATE TABLE s.t (a int)", "x.sql")
    assert (statement.tree.relation.schemaname, statement.tree.relation.relname) == ("s", "t")


@pytest.mark.parametrize(
    "text",
    [
        "SELECT 1; SELECT 2;",
        "SELECT 1;SELECT 2",
        ";;SELECT 1;;\n;SELECT 2;;",
        "-- a;\nSELECT 1 -- b;\n; -- c\nSELECT 2 -- d",
        "/* a; /* b; */ c; */ SELECT 1 /* d */;\n/* e */ SELECT 2; /* f */",
        "\r\n\tSELECT 1\r\n;\f SELECT 2\v\n",
    ],
)
def test_a_statement_goes_from_its_first_word_to_its_last(text: str) -> None:
    """Comments, nested ones too, white space and semicolons around a statement are no part of it."""
    assert parts(text) == [("select_stmt", "SELECT 1"), ("select_stmt", "SELECT 2")]


@pytest.mark.parametrize(
    "statement",
    [
        "SELECT '; SELECT 2; --'",
        "SELECT 'it''s; /* '",
        "SELECT e'\\'; '",
        "SELECT $$; -- '$$",
        "SELECT $a$ $b$; $b$; $a$",
        'SELECT 1 AS "; -- "',
        "SELECT U&'\\003b' || U&'!003b' UESCAPE '!'",
        "SELECT 1 -- ; SELECT 2\n + 2",
        "SELECT 1 /* ; /* ; */ ; */ + 2",
        "SELECT '100%', ':name', '\\d', E'\\\\.'",
    ],
)
def test_a_semicolon_in_quotes_or_comments_ends_nothing(statement: str) -> None:
    """Strings, dollar quotes, quoted names and comments inside a statement hide every semicolon."""
    assert parts(f"{statement};\nSELECT 2;") == [("select_stmt", statement), ("select_stmt", "SELECT 2")]


def test_offsets_are_in_characters() -> None:
    """Where characters have two, three and four bytes, each statement's text is still exactly its own."""
    statements = ["SELECT 'äöü'", "COMMENT ON TABLE größe IS '€ 5'", 'SELECT 1 AS "😀"', "INSERT INTO t VALUES ('ß')"]
    text = "-- größe €😀\n" + ";  -- ä\n".join(statements) + ";\n-- ende ü"
    assert [part for _, part in parts(text)] == statements


def test_nothing_to_do_is_no_statement() -> None:
    """Empty text, white space, comments and semicolons alone hold no statement."""
    for text in ("", " \n\t", "-- a", "/* a */", ";", ";-- a\n;"):
        assert parts(text) == []


@pytest.mark.parametrize(
    ("offset", "line", "column", "shown"),
    [
        (0, 1, 1, "ab"),
        (1, 1, 2, "ab"),
        (2, 1, 3, "ab"),
        (3, 2, 1, ""),
        (4, 3, 1, "äc"),
        (5, 3, 2, "äc"),
        (6, 3, 3, "äc"),
        (99, 3, 3, "äc"),
    ],
)
def test_places_count_lines_and_characters_from_1(offset: int, line: int, column: int, shown: str) -> None:
    """An offset has a line, a column and the line's text; past the end is the end."""
    assert place_of("ab\n\näc", "x.sql", offset) == SourcePlace("x.sql", line, column, shown)


def test_a_syntax_error_is_said_in_postgresqls_words_at_its_place() -> None:
    """The message has path, line, column, the line itself and a caret under the word."""
    assert str(refusal("SELECT 1;\nCREATE TABEL t ();\nSELECT 2;")) == (
        'sql/01-x.sql:2:8: syntax error at or near "TABEL" [42601]\n'  # codespell:ignore
        "  CREATE TABEL t ();\n"
        "         ^"
    )


@pytest.mark.parametrize(
    ("text", "line", "column"),
    [
        ("SELECT 'ää'; SELCT 1;", 1, 14),
        ("SELECT '€€€';\nSELECT '😀' SELCT 1 2;", 2, 18),
        ("-- ä\nSELECT 'ä", 2, 8),
        ("-- ä\n/* ä", 2, 1),
        ("SELECT 'ä'\n  + ", 2, 5),
        ("größe", 1, 1),
    ],
)
def test_a_syntax_error_stands_in_characters(text: str, line: int, column: int) -> None:
    """Characters of several bytes before the error do not move its place."""
    at = refusal(text).at
    assert at
    assert (at.line, at.column) == (line, column)


def test_the_caret_stands_under_the_word_behind_tabs() -> None:
    """Tabs before the column are tabs above the caret too, so that both lines move alike."""
    at = refusal("SELECT\n\tä, \tb c d").at
    assert at
    assert at.with_caret() == "  \tä, \tb c d\n  \t   \t    ^"


def test_an_error_without_a_place_names_the_file() -> None:
    """An error without a position, such as an escape that is not valid text, names the file and not its first line."""
    refused = refusal("SELECT 1;\nSELECT e'\\xff';")
    assert str(refused) == 'sql/01-x.sql: invalid byte sequence for encoding "UTF8": 0xff'
    assert refused.at is None


BACKSLASH = "a backslash outside of quotes begins a psql command; write it in SQL or remove it"
VARIABLE = "psql variables are not SQL; write the value"
ROWS = "rows after COPY … FROM stdin are psql's, not SQL; write INSERT statements"


@pytest.mark.parametrize(
    ("text", "hint"),
    [
        ("\\set x 1", BACKSLASH),
        ("SELECT 1;\n\\i other.sql\n", BACKSLASH),
        ("\\echo don't", BACKSLASH),
        ("SELECT 1 \\gexec", BACKSLASH),
        ("-- ä\n\\connect x", BACKSLASH),
        ("SELECT :name", VARIABLE),
        ("SELECT 'ä' || :'name'", VARIABLE),
        ('SELECT * FROM :"table"', VARIABLE),
        ("SELECT :{?name}", VARIABLE),
        ("COPY t (a, b) FROM stdin;\n1\tone\n\\.\n", ROWS),
        ("copy t from STDIN with (format csv);\nx,y\n", ROWS),
        ("SELECT a ? b : 'c'", ""),
        ("SELCT 1", ""),
        ("COPY t FROM stdin; SELECT 1; SELCT", ""),
        ("SELECT '\\' \\", BACKSLASH),
    ],
)
def test_what_only_psql_understands_has_a_hint(text: str, hint: str) -> None:
    """Backslash commands, variables and rows of COPY are syntax errors that say what they are; others say nothing."""
    assert refusal(text).hint == hint


def test_what_looks_like_psql_inside_quotes_is_sql() -> None:
    """A backslash or colon in a string, a comment, a cast or a slice is not taken for a psql command."""
    for text in (
        "SELECT '\\set :x'",
        "-- \\set :x\nSELECT 1",
        "SELECT a[1:2], a::int",
        "SELECT f(a := 1)",
        "SELECT $$\\i$$",
    ):
        assert len(parts(text)) == 1


SAME = [
    ("comment", "SELECT 1; -- one\n/* two /* three */ */ SELECT 2;", "SELECT 1; SELECT 2;"),
    ("white space", "SELECT\n\t1 ;\r\n\fSELECT  2;\n", "SELECT 1;SELECT 2;"),
    ("case of key words", "select Distinct 1;", "SELECT DISTINCT 1;"),
    ("case of unquoted names", "SELECT A.Größe FROM Tabelle A", "select a.größe from tabelle a"),
    ("case of numbers", "SELECT 1E5, 0xFF", "SELECT 1e5, 0Xff"),
    ("space between signs", "SELECT(1)+2,a.b", "SELECT ( 1 ) + 2 , a . b"),
]

OTHER = [
    ("a literal's text", "SELECT 'a'", "SELECT 'b'"),
    ("a literal's case", "SELECT 'a'", "SELECT 'A'"),
    ("a literal's white space", "SELECT 'a b'", "SELECT 'a  b'"),
    ("a literal's escapes", "SELECT 'a\\n'", "SELECT e'a\\n'"),
    ("a literal of Unicode escapes", "SELECT U&'\\0041a'", "SELECT U&'\\0041A'"),
    ("a comment in a literal", "SELECT '/* a */'", "SELECT '/* b */'"),
    ("a number", "SELECT 1", "SELECT 1.0"),
    ("a quoted name's case", 'SELECT "a"', 'SELECT "A"'),
    ("a quoted name's space", 'SELECT "a b"', 'SELECT "a  b"'),
    ("a quoted name of Unicode escapes", 'SELECT U&"\\0041a"', 'SELECT U&"\\0041A"'),
    ("quotes around a name", 'SELECT "a"', "SELECT a"),
    ("a body's comment", "DO $$BEGIN /* a */ END$$", "DO $$BEGIN /* b */ END$$"),
    ("a body's white space", "DO $$BEGIN END$$", "DO $$BEGIN  END$$"),
    ("a body's case", "DO $$BEGIN END$$", "DO $$begin END$$"),
    ("case outside ASCII, which PostgreSQL leaves as it is", "SELECT Ä", "SELECT ä"),
    ("order", "SELECT 1; SELECT 2;", "SELECT 2; SELECT 1;"),
    ("one more", "SELECT 1;", "SELECT 1; SELECT 1;"),
    ("where a word ends", "SELECT a b", "SELECT ab"),
    ("where a string ends", "SELECT 'a', 'b'", "SELECT 'a,b'"),
    ("where a sign ends", "SELECT a ~-b", "SELECT a ~ -b"),
]


@pytest.mark.parametrize(("text", "again"), [case[1:] for case in SAME], ids=[case[0] for case in SAME])
def test_the_digest_is_blind_to(text: str, again: str) -> None:
    """Comments, white space and the case of what is not quoted do not count."""
    assert statements_digest(text) == statements_digest(again)


@pytest.mark.parametrize(("text", "other"), [case[1:] for case in OTHER], ids=[case[0] for case in OTHER])
def test_the_digest_sees(text: str, other: str) -> None:
    """Whatever PostgreSQL may do otherwise counts: literals, quoted names, bodies, order, signs."""
    assert statements_digest(text) != statements_digest(other)


def test_the_digest_is_the_same_for_ever() -> None:
    """The digest is in every ledger, so that another algorithm needs another prefix."""
    assert statements_digest("CREATE TABLE t (a int); -- ä\n") == (
        "tokens1:57fa22a1f738aa18e6448ef6acdc036db583ae8c016e77d88f3ce29aca6592a3"
    )
    assert statements_digest("") == "tokens1:e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"


def test_inserts_take_time_in_proportion_to_their_size() -> None:
    """A module of 10,000 statements and one of 10,000 rows, half a MB each, are parsed and digested within seconds."""
    many = "INSERT INTO prices (id, name) VALUES (1, 'größe');\n" * 10_000
    single = "INSERT INTO prices (id, name) VALUES\n" + "    (1, 'größe und menge von allem, was es gibt'),\n" * 10_000
    single += "    (2, 'ß');"
    started = time.process_time()
    statements = parse(many, "x.sql")
    assert len(statements) == 10_000
    assert many[statements[-1].start : statements[-1].end] == "INSERT INTO prices (id, name) VALUES (1, 'größe')"
    (statement,) = parse(single, "x.sql")
    assert (statement.start, statement.end) == (0, len(single) - 1)
    assert statements_digest(many) != statements_digest(single)
    assert time.process_time() - started < SECONDS_FOR_1_MB
