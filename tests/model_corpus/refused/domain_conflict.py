"""Two domains of one name with other checks, in tables of two metadata."""

# pyright: reportUnknownVariableType=false, reportUnknownArgumentType=false

from sqlalchemy import Column, Integer, MetaData, Table
from sqlalchemy.dialects.postgresql import DOMAIN

first, second = MetaData(), MetaData()
Table("one_table", first, Column("a", DOMAIN("positive", Integer, check="VALUE > 0")))
Table("other_table", second, Column("a", DOMAIN("positive", Integer, check="VALUE >= 0")))
