"""A listener's DDL of another database, for every dialect."""

from sqlalchemy import DDL, Column, Integer, MetaData, Table, event

metadata = MetaData()

numbers = Table("numbers", metadata, Column("id", Integer))
event.listen(numbers, "after_create", DDL("ALTER TABLE numbers ENGINE = InnoDB"))
