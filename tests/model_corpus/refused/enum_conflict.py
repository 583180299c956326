"""Two enums of one name with other values: create_all would silently create the first."""

from sqlalchemy import Column, Enum, MetaData, Table

metadata = MetaData()
Table("one_table", metadata, Column("a", Enum("x", "y", name="mood")))
Table("other_table", metadata, Column("a", Enum("x", "z", name="mood")))
