"""Unique constraints that repeat a key, or each other: PostgreSQL takes them for one, in one CREATE TABLE."""

from sqlalchemy import Column, Integer, MetaData, PrimaryKeyConstraint, String, Table, UniqueConstraint
from sqlalchemy.dialects.postgresql import INT4RANGE, ExcludeConstraint

metadata = MetaData()

Table("unique_key", metadata, Column("id", Integer, primary_key=True, unique=True), Column("name", String))
Table(
    "twice",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("a", Integer, unique=True),
    Column("b", Integer),
    Column("during", INT4RANGE),
    UniqueConstraint("a", name="first_of_a"),
    UniqueConstraint("a", "b"),
    UniqueConstraint("a", "b", name="takes_its_name_from_the_second"),
    UniqueConstraint("b", "a", name="another_order"),
    UniqueConstraint("a", "b", deferrable=True, name="another_moment"),
    UniqueConstraint("a", "b", postgresql_nulls_not_distinct=True, name="other_nulls"),
    ExcludeConstraint(("during", "&&")),
    ExcludeConstraint(("during", "&&"), name="takes_its_name_too"),
)
Table(
    "named_by_a_unique_constraint",
    metadata,
    Column("one", Integer),
    Column("two", Integer),
    PrimaryKeyConstraint("one", "two"),
    UniqueConstraint("one", "two", name="name_of_the_key"),
)
Table("named_key", metadata, Column("id", Integer), PrimaryKeyConstraint("id", name="key"), UniqueConstraint("id"))
