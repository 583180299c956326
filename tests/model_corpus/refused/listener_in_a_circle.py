"""A table that needs a listener's function is declared, and so created, before the table that the function needs."""

from sqlalchemy import DDL, Column, ForeignKey, Integer, MetaData, Table, event, text

metadata = MetaData()

Table("a", metadata, Column("id", Integer, ForeignKey("b.id"), server_default=text("first_of_b()")))
b = Table("b", metadata, Column("id", Integer, primary_key=True))
event.listen(b, "after_create", DDL("CREATE FUNCTION first_of_b() RETURNS int LANGUAGE sql AS 'SELECT id FROM b'"))
