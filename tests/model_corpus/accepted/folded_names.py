"""Names that the models write without quotes, so that PostgreSQL folds them, and the same ones in quotes."""

# pyright: reportUnknownVariableType=false, reportUnknownArgumentType=false

from sqlalchemy import (
    CheckConstraint,
    Column,
    Enum,
    ForeignKey,
    ForeignKeyConstraint,
    Index,
    Integer,
    MetaData,
    PrimaryKeyConstraint,
    Sequence,
    Table,
    UniqueConstraint,
)
from sqlalchemy.sql import quoted_name


def folded(name: str) -> quoted_name:
    return quoted_name(name, quote=False)


FOLDED = folded("Folded")
metadata = MetaData(schema=FOLDED)

Table(
    "users",
    metadata,
    Column("id", Integer, Sequence("numbers", schema=FOLDED), primary_key=True),
    Column("mood", Enum("good", "bad", name="mood", schema=FOLDED)),
    Column("size", Integer, CheckConstraint("size > 0"), unique=True, index=True, comment="In metres."),
    Column("above", ForeignKey("Folded.users.id")),
    comment="People.",
)
Table("orders", metadata, Column("id", Integer, primary_key=True), schema="folded")
Table("lines", metadata, Column("id", Integer, primary_key=True), schema="Other", quote_schema=False)
Table(
    "quoted",
    metadata,
    Column("user", ForeignKey("Folded.users.id"), primary_key=True),
    schema="Folded",
    quote_schema=True,
)
Table("without_oids", metadata, Column("id", Integer, primary_key=True), postgresql_with_oids=False)
Table(
    "parts",
    metadata,
    Column("id", Integer, Sequence(folded("Numbers_Of_Parts"), schema="types")),
    Column("kind", Enum("a", "b", name=folded("Kind"), schema=folded("Types"))),
    Column("whole", Integer),
    PrimaryKeyConstraint("id", name=folded("Key_Of_Parts")),
    UniqueConstraint("kind", "whole", name=folded("Once")),
    CheckConstraint("whole <> id", name=folded("Not_Itself")),
    ForeignKeyConstraint(["whole"], ["Folded.parts.id"], name=folded("To_Whole")),
    Index(folded("By_Whole"), "whole"),
)
