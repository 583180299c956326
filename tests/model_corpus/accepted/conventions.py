"""Naming conventions with functions of the models' own, for every kind of constraint, beside names that are exact."""

from hashlib import sha256
from typing import Any

from sqlalchemy import (
    Boolean,
    CheckConstraint,
    Column,
    Enum,
    ForeignKey,
    ForeignKeyConstraint,
    Index,
    Integer,
    MetaData,
    Table,
    Text,
    UniqueConstraint,
)
from sqlalchemy.dialects.postgresql import INT4RANGE, ExcludeConstraint
from sqlalchemy.sql.naming import conv


def digest(constraint: ForeignKeyConstraint, table: Table) -> str:
    return sha256(
        "".join([table.name, *(element.target_fullname for element in constraint.elements)]).encode()
    ).hexdigest()


convention: dict[Any, Any] = {
    "digest": digest,
    "fk": "fk_%(digest)s",
    "ix": "ix_%(column_0N_label)s",
    "uq": "uq_%(table_name)s_%(column_0_key)s",
    "ck": "ck_%(table_name)s_%(constraint_name)s",
    "pk": "pk_%(table_name)s",
    ExcludeConstraint: "ex_%(table_name)s",
}
metadata = MetaData(naming_convention=convention, schema="conventions")

Table(
    "named",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("code", Text, key="other_key", unique=True),
    Column("a", Text),
    Column("b", Text),
    Column("kind", Enum("x", "y", native_enum=False, create_constraint=True, name="kind")),
    Column("flag", Boolean(create_constraint=True, name="flag")),
    Column("during", INT4RANGE),
    CheckConstraint("id > 0", name=conv("exactly_this")),
    CheckConstraint("id > 1", name="by_convention"),
    UniqueConstraint("a", "b"),
    Index(None, "a", "b"),
    ExcludeConstraint(("during", "&&")),
)
Table(
    "naming",
    metadata,
    Column("id", Integer, ForeignKey("conventions.named.id"), primary_key=True),
    Column("own", Integer, ForeignKey("conventions.named.id", name="own_name"), index=True),
    UniqueConstraint("own", "id", name="own_key"),
)
