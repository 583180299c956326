"""DDL that listeners execute: as DDL, as elements and texts of a function, before and after, for PostgreSQL or not."""

from typing import Any

from sqlalchemy import DDL, Column, Connection, Integer, MetaData, String, Table, event, text
from sqlalchemy.schema import CreateSchema

metadata = MetaData()

Table(
    "first", metadata, Column("id", Integer, primary_key=True), Column("name", String, server_default=text("label()"))
)
measured = Table("measured", metadata, Column("day", Integer, primary_key=True), postgresql_partition_by="RANGE (day)")

event.listen(metadata, "before_create", CreateSchema("extra"))
event.listen(
    metadata, "before_create", DDL("CREATE FUNCTION label() RETURNS text LANGUAGE sql AS $$ SELECT '50%%'::text $$;")
)
event.listen(metadata, "before_create", DDL("PRAGMA foreign_keys = ON").execute_if(dialect="sqlite"))
event.listen(metadata, "after_create", DDL("CREATE VIEW names AS SELECT name FROM first"))
event.listen(measured, "before_create", DDL("COMMENT ON SCHEMA extra IS 'before %(table)s'"))
event.listen(measured, "after_create", DDL("CREATE TABLE %(table)s_1 PARTITION OF %(table)s DEFAULT"))


@event.listens_for(Table, "after_create")
def comment_on_keys(table: Table, connection: Connection, **_options: Any) -> None:
    if table.metadata is metadata and connection.dialect.name == "postgresql":
        connection.execute(text(f"COMMENT ON COLUMN {table.name}.{next(iter(table.columns)).name} IS 'The key.'"))


@event.listens_for(metadata, "after_create")
def create_trigger(_metadata: MetaData, connection: Connection, **_options: Any) -> None:
    connection.exec_driver_sql("CREATE FUNCTION touch() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NEW; END'")
    connection.execute(text("CREATE TRIGGER touch BEFORE UPDATE ON first FOR EACH ROW EXECUTE FUNCTION touch()"))
