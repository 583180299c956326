"""Names that are quoted or not by request, that have odd characters, and keys that are not the columns' names."""

from sqlalchemy import CheckConstraint, Column, ForeignKey, Integer, MetaData, Table
from sqlalchemy.sql import quoted_name

metadata = MetaData(schema="Quoting")

Table(
    quoted_name("Folded", quote=False),
    metadata,
    Column(quoted_name("Id", quote=False), Integer, primary_key=True),
    Column(quoted_name("Above", quote=False), Integer, ForeignKey("Quoting.Folded.Id"), unique=True, index=True),
    Column("value", Integer, CheckConstraint("value > 0"), unique=True, index=True),
)
Table(
    quoted_name("plain", quote=True),
    metadata,
    Column("x", Integer, quote=True, primary_key=True),
    Column("y", Integer, ForeignKey("Quoting.plain.x")),
)
Table(
    "dollar$",
    metadata,
    Column("a$b", Integer, primary_key=True, key="a_key_that_is_longer_than_a_name_of_postgresql_may_be_in_a_database"),
    Column("per%cent", Integer, CheckConstraint('"per%cent" > 0')),
    Column("par(en)", Integer, index=True),
    Column("col:on", Integer, unique=True),
)
