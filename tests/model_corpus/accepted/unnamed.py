"""Constraints without a name and without a naming convention: all kinds, in numbers, at the limit of 63 bytes."""

from sqlalchemy import (
    CheckConstraint,
    Column,
    ForeignKey,
    ForeignKeyConstraint,
    Integer,
    MetaData,
    PrimaryKeyConstraint,
    String,
    Table,
    UniqueConstraint,
)
from sqlalchemy.dialects.postgresql import INT4RANGE, ExcludeConstraint

metadata = MetaData()

parent = Table(
    "parent",
    metadata,
    Column("id", Integer),
    Column("code", String, unique=True),
    PrimaryKeyConstraint("id", "code"),
)
child = Table(
    "child",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("parent_id", Integer),
    Column("parent_code", String, ForeignKey("parent.code")),
    Column("above_id", Integer, ForeignKey("child.id")),
    Column("low", Integer, CheckConstraint("low > 0"), CheckConstraint("low < 10"), CheckConstraint("low <> 5")),
    Column("high", Integer),
    Column("during", INT4RANGE),
    ForeignKeyConstraint(["parent_id", "parent_code"], ["parent.id", "parent.code"]),
    ForeignKeyConstraint(["above_id"], ["child.id"]),
    CheckConstraint("low < high"),
    CheckConstraint("high > 1"),
    CheckConstraint("high > 2"),
    CheckConstraint("true"),
    CheckConstraint("high > low"),
    UniqueConstraint("low", "high"),
    UniqueConstraint("high", "low"),
    ExcludeConstraint(("during", "&&")),
)
child.append_constraint(CheckConstraint(child.c.low > 7))

# Two constraints of different tables that PostgreSQL would give one name.
Table("a_b", metadata, Column("c", Integer, ForeignKey("child.id"), unique=True))
Table("a", metadata, Column("b_c", Integer, ForeignKey("child.id"), unique=True))

long_name = "a_table_whose_name_is_so_long_that_it_has_to_be_cut_for_a_key"
Table(
    long_name,
    metadata,
    Column("a_column_with_a_long_name", Integer, ForeignKey("child.id"), CheckConstraint("true"), unique=True),
    Column("and_another_one_of_that_kind_that_is_even_longer_than_that", Integer, primary_key=True),
    UniqueConstraint("a_column_with_a_long_name", "and_another_one_of_that_kind_that_is_even_longer_than_that"),
)
Table(
    "größe_und_länge_von_straßen_in_österreich_und_übersee",
    metadata,
    Column("fläche_öffentlicher_grünflächen", Integer, ForeignKey("child.id"), unique=True),
)
