"""Where an object is declared: the line of a model, the line of a module."""

from __future__ import annotations

from pathlib import Path

import pytest

import models
from infra.catalog.catalog import ObjectId
from infra.check.in_models import models_of
from infra.check.in_modules import extensions_of, place_in
from infra.modules.module import Module

ROOT = Path(__file__).parents[3]
MODELS = models_of(models.metadata, models.Base)

# kind and name, what the definition says, the file, and how its line begins
IN_MODELS = [
    ("table", "public.userbase", "", "models/user.py", '    __tablename__ = "userbase"'),
    ("table", 'public."references"', "", "models/content.py", '    __tablename__ = "references"'),
    ("column", "public.userbase.email", "", "models/user.py", "    email: Mapped[str] = mapped_column(unique=True"),
    ("column", "public.demo_feedback.metadata", "", "models/demo.py", "    feedback_metadata: Mapped"),
    ("constraint", "public.userbase.userbase_pkey", "", "models/user.py", "    id: Mapped[UuidKey]"),
    ("constraint", "public.secrets.secrets_user_id_fkey", "", "models/user.py", "    user_id: Mapped[str]"),
    (
        "constraint",
        "public.demo_scenarios.uq_demo_scenarios_industry_name",
        "",
        "models/demo.py",
        '        UniqueConstraint("industry", "scenario_name", name="uq_demo_scenarios_industry_name")',
    ),
    (
        "index",
        "public.ix_secrets_user_id",
        "CREATE INDEX ix_secrets_user_id ON public.secrets USING btree (user_id)",
        "models/user.py",
        "    user_id: Mapped[str]",
    ),
    ("sequence", "public.demo_feedback_id_seq", "owned by public.demo_feedback.id", "models/demo.py", "    id: Mapped"),
    ("column order", "public.userbase", "", "models/user.py", '    __tablename__ = "userbase"'),
    ("owner", "table public.userbase", "", "models/user.py", '    __tablename__ = "userbase"'),
    ("privileges", "table public.userbase to a", "", "models/user.py", "class User(Base):"),
    ("trigger", "public.userbase.nobodys", "", "models/user.py", "class User(Base):"),
]


@pytest.mark.parametrize(("kind", "name", "text", "file", "line"), IN_MODELS)
def test_a_model_is_found(  # noqa: PLR0917 (a case)
    kind: str, name: str, text: str, file: str, line: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """File and line are those of the attribute, of the name in the class, or of the class."""
    monkeypatch.chdir(ROOT)
    found = MODELS.place_of(ObjectId(kind, name), text)
    assert found
    assert found.path == file
    assert found.text.startswith(line)
    assert (ROOT / file).read_text(encoding="utf-8").splitlines()[found.line - 1] == found.text


@pytest.mark.parametrize(
    ("kind", "name"), [("table", "public.nobodys"), ("table", "other.userbase"), ("extension", "pg_trgm")]
)
def test_what_no_model_declares_has_no_place(kind: str, name: str) -> None:
    """What is not in the models is not placed somewhere in them."""
    assert MODELS.place_of(ObjectId(kind, name)) is None


TEXT = """\
-- Everything, "quoted" and not: CREATE TABLE not_here (a integer);
CREATE SCHEMA s;
CREATE EXTENSION IF NOT EXISTS "uuid-ossp";
CREATE TYPE s.mood AS ENUM ('low');
CREATE TABLE "T t" (
    -- Ä comment with "column" names: b
    a integer,
    "b c" integer CONSTRAINT "B" CHECK ("b c" > 0)
);
CREATE TABLE s.u (a integer);
ALTER TABLE s.u ADD CONSTRAINT u_key UNIQUE (a),
    ADD b integer;
CREATE INDEX i ON s.u (a);
CREATE VIEW v AS SELECT 1 AS a;
CREATE FUNCTION s.f(integer) RETURNS integer LANGUAGE sql AS 'SELECT 1';
CREATE TRIGGER g BEFORE INSERT ON s.u EXECUTE FUNCTION s.g();
CREATE POLICY p ON s.u USING (true);
COMMENT ON COLUMN s.u.a IS 'ä';
GRANT SELECT ON s.u TO PUBLIC;
CREATE SEQUENCE s.q;
CREATE MATERIALIZED VIEW s.m AS SELECT 1 AS a;
"""

# kind, name, whether the comment is looked for, line and column
IN_MODULES = [
    ("schema", "s", False, 2, 1),
    ("extension", '"uuid-ossp"', False, 3, 1),
    ("enum", "s.mood", False, 4, 1),
    ("table", 'public."T t"', False, 5, 1),
    ("column", 'public."T t".a', False, 7, 5),
    ("column", 'public."T t"."b c"', False, 8, 5),
    ("constraint", 'public."T t"."B"', False, 8, 19),
    ("constraint", 'public."T t"."T t_pkey"', False, 5, 1),
    ("table", "s.u", False, 10, 1),
    ("column", "s.u.a", False, 10, 19),
    ("column", "s.u.a", True, 18, 1),
    ("column", "s.u.b", False, 12, 9),
    ("constraint", "s.u.u_key", False, 11, 21),
    ("index", "s.i", False, 13, 1),
    ("view", "public.v", False, 14, 1),
    ("function", "s.f(integer)", False, 15, 1),
    ("trigger", "s.u.g", False, 16, 1),
    ("policy", "s.u.p", False, 17, 1),
    ("privileges", "table s.u to PUBLIC", False, 19, 1),
    ("sequence", "s.q", False, 20, 1),
    ("materialized view", "s.m", False, 21, 1),
    ("table", "s.u", True, 10, 1),
    ("table", "public.not_here", False, 0, 0),
]


@pytest.mark.parametrize(("kind", "name", "comment", "line", "column"), IN_MODULES)
def test_a_statement_is_found(kind: str, name: str, *, comment: bool, line: int, column: int) -> None:
    """Line and column, in characters, are those of the statement, the column or the constraint; 0 for what is not."""
    found = place_in(Module(1, "01-a", "sql/01-a.sql", TEXT), ObjectId(kind, name), comment=comment)
    assert (found.path, found.line, found.column) == ("sql/01-a.sql", line, column)
    assert found.text == (TEXT.splitlines()[line - 1] if line else "")


def test_extensions_are_found_with_their_places() -> None:
    """Each extension that a module creates, and where."""
    found = extensions_of([Module(1, "01-a", "sql/01-a.sql", TEXT)])
    assert {name: place.line for name, place in found.items()} == {"uuid-ossp": 3}
