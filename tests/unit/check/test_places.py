"""Where an object is declared: the line of a model, the line of a module."""

from __future__ import annotations

from pathlib import Path

import pytest

from infra.catalog.catalog import ObjectId
from infra.check.in_models import ModelPlaces
from infra.check.in_modules import extensions_of, place_in
from infra.modules.module import Module
from tests.fixture_schema import shop

ROOT = Path(__file__).parents[3]
MODELS = ModelPlaces(shop().models)

# kind and name, the definition, the file of models, and how its line begins
IN_MODELS = [
    ("table", "public.customers", "", "customers.py", '    __tablename__ = "customers"'),
    ("table", 'public."order"', "", "orders.py", '    __tablename__ = "order"'),
    ("column", "public.customers.email", "", "customers.py", "    email: Mapped[str] = mapped_column(unique=True"),
    ("column", "public.products.metadata", "", "catalogue.py", "    details: Mapped"),
    ("constraint", "public.customers.customers_pkey", "", "customers.py", "    id: Mapped[str]"),
    ("constraint", "public.addresses.addresses_customer_id_fkey", "", "customers.py", "    customer_id: Mapped[str]"),
    (
        "constraint",
        "public.shipping_methods.uq_shipping_methods_carrier_name",
        "",
        "shipping.py",
        '        UniqueConstraint("carrier", "name", name="uq_shipping_methods_carrier_name")',
    ),
    (
        "index",
        "public.ix_addresses_customer_id",
        "CREATE INDEX ix_addresses_customer_id ON public.addresses USING btree (customer_id)",
        "customers.py",
        "    customer_id: Mapped[str]",
    ),
    (
        "sequence",
        "public.shipping_methods_id_seq",
        "owned by public.shipping_methods.id",
        "shipping.py",
        "    id: Mapped",
    ),
    ("column order", "public.customers", "", "customers.py", '    __tablename__ = "customers"'),
    ("owner", "table public.customers", "", "customers.py", '    __tablename__ = "customers"'),
    ("privileges", "table public.customers to a", "", "customers.py", "class Customer(Base):"),
    ("trigger", "public.customers.undeclared", "", "customers.py", "class Customer(Base):"),
]


@pytest.mark.parametrize(("kind", "name", "text", "file", "line"), IN_MODELS)
def test_a_model_is_found(  # noqa: PLR0917 (a case)
    kind: str, name: str, text: str, file: str, line: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The place is that of the attribute, of the name in the class, or of the class."""
    monkeypatch.chdir(ROOT)
    place = MODELS.place_of(ObjectId(kind, name), text)
    assert place
    assert place.path == f"tests/fixture_schema/models/{file}"
    assert place.text.startswith(line)
    assert (ROOT / place.path).read_text(encoding="utf-8").splitlines()[place.line - 1] == place.text


@pytest.mark.parametrize(
    ("kind", "name"), [("table", "public.undeclared"), ("table", "other.customers"), ("extension", "pg_trgm")]
)
def test_what_no_model_declares_has_no_place(kind: str, name: str) -> None:
    """An object that the models do not declare has no place in them."""
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
ALTER TABLE s.u ALTER COLUMN later TYPE text;
"""

# kind, name, whether the place of the comment is wanted, line and column
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
    ("column", "s.u.later", False, 22, 1),
    ("table", "public.not_here", False, 0, 0),
]


@pytest.mark.parametrize(("kind", "name", "comment", "line", "column"), IN_MODULES)
def test_a_statement_is_found(kind: str, name: str, *, comment: bool, line: int, column: int) -> None:
    """The place is that of the statement, the column or the constraint, in characters; 0 for an unknown object."""
    place = place_in(Module(1, "01-a", "sql/01-a.sql", TEXT), ObjectId(kind, name), comment=comment)
    assert (place.path, place.line, place.column) == ("sql/01-a.sql", line, column)
    assert place.text == (TEXT.splitlines()[line - 1] if line else "")


def test_extensions_are_found_with_their_places() -> None:
    """Each extension that a module creates is found at its statement."""
    extensions = extensions_of([Module(1, "01-a", "sql/01-a.sql", TEXT)])
    assert {name: place.line for name, place in extensions.items()} == {"uuid-ossp": 3}
