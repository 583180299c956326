"""DDL of listeners that needs some tables, types and schemas, and that others need: where `create_all` executes it."""

# pyright: reportUnknownVariableType=false, reportUnknownArgumentType=false

from typing import Any

from sqlalchemy import (
    DDL,
    CheckConstraint,
    Column,
    Connection,
    Enum,
    ForeignKey,
    Index,
    Integer,
    MetaData,
    String,
    Table,
    event,
    func,
    text,
)
from sqlalchemy.dialects.postgresql import DOMAIN
from sqlalchemy.schema import CreateSchema

metadata = MetaData()

state = Enum("open", "closed", name="bill_state", metadata=metadata)
event.listen(
    metadata,
    "before_create",
    DDL("CREATE FUNCTION is_code(text) RETURNS boolean IMMUTABLE LANGUAGE sql AS $$ SELECT $1 <> '' $$"),
)
event.listen(
    metadata,
    "before_create",
    DDL("CREATE FUNCTION new_bill() RETURNS bill_state LANGUAGE sql AS $$ SELECT 'open'::bill_state $$"),
)

accounts = Table("accounts", metadata, Column("id", Integer, primary_key=True), Column("name", String))
bills = Table(
    "bills",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("account_id", Integer, ForeignKey("accounts.id"), server_default=text("any_account()")),
    Column("state", state, server_default=text("new_bill()")),
    Column("code", DOMAIN("bill_code", String(8), check="is_code(VALUE)")),
    CheckConstraint("half(id) >= 0", name="half"),
)
Index("by_half", func.half(bills.c.id))
reminders = Table(
    "reminders",
    metadata,
    Column("bill_id", ForeignKey("bills.id"), primary_key=True),
    Column("level", Enum("first", "last", name="reminder_level")),
    schema="reminding",
)
Table("letters", metadata, Column("bill_id", ForeignKey("reminding.reminders.bill_id")), schema="reminding")

for statement in (
    "CREATE FUNCTION account_before(int) RETURNS int LANGUAGE sql AS 'SELECT max(id) FROM accounts WHERE id < $1'",
    "CREATE FUNCTION any_account() RETURNS integer LANGUAGE sql AS 'SELECT account_before(1000)'",
    "CREATE FUNCTION half(integer) RETURNS integer IMMUTABLE LANGUAGE sql AS 'SELECT $1 / 2'",
    "COMMENT ON FUNCTION half(integer) IS 'Of an id.'",
):
    event.listen(accounts, "after_create", DDL(statement))
event.listen(bills, "before_create", DDL("CREATE VIEW debtors AS SELECT name FROM accounts").execute_if("postgresql"))
event.listen(bills, "after_create", CreateSchema("reminding"))
event.listen(
    reminders,
    "before_create",
    DDL("CREATE FUNCTION is_last(reminder_level) RETURNS boolean LANGUAGE sql AS $$ SELECT $1 = 'last' $$"),
)
event.listen(
    reminders,
    "after_create",
    DDL("CREATE OR REPLACE FUNCTION any_account() RETURNS integer LANGUAGE sql AS 'SELECT min(id) FROM bills'"),
)


@event.listens_for(Table, "before_create")
def create_log(table: Table, connection: Connection, **_options: Any) -> None:
    if table is reminders:
        connection.execute(text("CREATE FUNCTION log_of(bills) RETURNS text LANGUAGE sql AS 'SELECT $1.code::text'"))
