"""Comments on tables, columns, and constraints of every kind."""

from sqlalchemy import CheckConstraint, Column, ForeignKeyConstraint, Integer, MetaData, PrimaryKeyConstraint, Table
from sqlalchemy import UniqueConstraint as Unique

metadata = MetaData()

Table(
    "commented",
    metadata,
    Column("id", Integer, comment="It's 100% the key.\nTwo lines; and \\ a backslash."),
    Column("above", Integer, comment=""),
    PrimaryKeyConstraint("id", name="commented_pkey", comment="The key."),
    Unique("above", "id", name="one_pair", comment="No pair twice."),
    CheckConstraint("above <> id", name="not_itself", comment="Nothing is above itself."),
    ForeignKeyConstraint(["above"], ["commented.id"], name="above", comment="What is above."),
    comment="A table's comment.",
)
