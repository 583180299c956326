"""Metadata without tables: what a sequence, a type and a listener create is as much of the models as a table."""

# pyright: reportUnknownVariableType=false, reportUnknownArgumentType=false

from sqlalchemy import DDL, Column, Enum, Integer, MetaData, Sequence, Table, event

with_sequence, with_type, with_listener = MetaData(), MetaData(schema="lonely"), MetaData()

Sequence("lonely", metadata=with_sequence, start=5)
mood = Enum("a", "b", name="lonely_mood", metadata=with_type)
event.listen(with_listener, "after_create", DDL("CREATE FUNCTION lonely() RETURNS integer LANGUAGE sql AS 'SELECT 1'"))
with_table = MetaData()
Table("beside_lonely", with_table, Column("id", Integer, primary_key=True))
