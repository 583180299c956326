"""Keys in a circle between three schemas, and copies of a table in another schema and of another name."""

# pyright: reportUnknownArgumentType=false, reportUnknownVariableType=false

from sqlalchemy import CheckConstraint, Column, Enum, ForeignKey, Integer, MetaData, Table, Text

metadata, copies = MetaData(), MetaData()

Table(
    "ring",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("next", Integer, ForeignKey("second.ring.id", use_alter=True, name="to_second")),
    schema="first",
)
Table(
    "ring",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("next", Integer, ForeignKey("first.ring.id")),
    Column("last", Integer, ForeignKey("third.ring.id", use_alter=True)),
    schema="second",
)
Table(
    "ring",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("next", Integer, ForeignKey("first.ring.id")),
    schema="third",
)
original = Table(
    "original",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("kind", Enum("a", "b", name="kind_of_original")),
    Column("name", Text, index=True, unique=True),
    Column("above", ForeignKey("original.id")),
    CheckConstraint("id > 0", name="positive"),
)
original.to_metadata(copies, schema="copies")
original.to_metadata(copies, name="renamed")
