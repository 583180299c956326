"""Sequences and identity columns with every option, in schemas, as defaults of the server and of Python."""

# pyright: reportUnknownVariableType=false, reportUnknownArgumentType=false

from typing import Any

from sqlalchemy import BigInteger, Column, Identity, Integer, MetaData, Numeric, Sequence, SmallInteger, Table, text

metadata = MetaData(schema="counting")

down: Any = Sequence(
    "down", start=7, increment=-2, minvalue=-100, maxvalue=7, cycle=True, cache=3, schema="numbering", metadata=metadata
)
small: Any = Sequence("Small Numbers", data_type=SmallInteger, metadata=metadata)
Sequence("without_limits", nominvalue=True, nomaxvalue=True, metadata=metadata)

Table(
    "counted",
    metadata,
    Column("id", Integer, down, server_default=down.next_value(), primary_key=True),
    Column("small", SmallInteger, server_default=small.next_value()),
    Column(
        "big",
        BigInteger,
        Identity(always=True, start=-5, increment=5, minvalue=-10, maxvalue=1000, cycle=True, cache=9),
    ),
)
Table(
    "counted_too",
    metadata,
    Column("id", BigInteger, Identity(nominvalue=True, nomaxvalue=True), primary_key=True),
    Column("by_text", Integer, server_default=text("nextval('counting.without_limits')")),
    Column("by_python", Numeric(5), Sequence("by_python")),
)
Table("counted_small", metadata, Column("id", SmallInteger, Sequence("own", data_type=SmallInteger), primary_key=True))
