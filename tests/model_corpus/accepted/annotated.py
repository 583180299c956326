"""Mapped columns: Annotated, maps of types, mixins with table arguments, dataclasses, composites, one table of many."""

# ruff: noqa: RUF012
# pyright: reportUnknownArgumentType=false, reportUnknownMemberType=false, reportIncompatibleVariableOverride=false

import dataclasses
import datetime as dt
import decimal
import enum
import uuid
from typing import Annotated, Any, Literal

from sqlalchemy import (
    TIMESTAMP,
    CheckConstraint,
    DateTime,
    Enum,
    FetchedValue,
    ForeignKey,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    Numeric,
    String,
    Text,
    func,
    literal_column,
    text,
)
from sqlalchemy.dialects import postgresql
from sqlalchemy.ext.declarative import AbstractConcreteBase
from sqlalchemy.orm import (
    DeclarativeBase,
    Mapped,
    MappedAsDataclass,
    column_property,
    composite,
    declared_attr,
    deferred,
    mapped_column,
    relationship,
)

Key = Annotated[int, mapped_column(primary_key=True)]
Short = Annotated[str, 30]
Moment = Annotated[dt.datetime, mapped_column(DateTime(timezone=True), server_default=func.now(), index=True)]


class Status(enum.Enum):
    PENDING = "p"
    DONE = "d"


@dataclasses.dataclass
class Point:
    x: int
    y: int


class Base(DeclarativeBase):
    metadata = MetaData(schema="annotated")
    type_annotation_map = {
        Short: String(30),
        dt.datetime: TIMESTAMP(timezone=True),
        dict[str, Any]: postgresql.JSONB,
        list[str]: postgresql.ARRAY(String),
        enum.Enum: Enum(enum.Enum, native_enum=False, length=12),
        bytes: LargeBinary,
    }


class Common:
    @declared_attr.directive
    def __tablename__(cls: Any) -> str:  # noqa: N805
        return f"{cls.__name__.lower()}s"

    @declared_attr.directive
    def __table_args__(cls: Any) -> Any:  # noqa: N805
        name = cls.__name__.lower()
        return (Index(f"made_{name}", "made"), CheckConstraint("id > 0", name=f"check_{name}"), {"comment": name})

    id: Mapped[Key]
    made: Mapped[Moment]


class Account(Common, Base):
    name: Mapped[Short] = mapped_column(unique=True)
    nick: Mapped[str | None]
    status: Mapped[Status]
    level: Mapped[Literal["low", "high"]]
    data: Mapped[dict[str, Any]]
    tags: Mapped[list[str]]
    amount: Mapped[decimal.Decimal] = mapped_column(Numeric(10, 2))
    uid: Mapped[uuid.UUID] = mapped_column(server_default=text("gen_random_uuid()"))
    lasting: Mapped[dt.timedelta]
    day: Mapped[dt.date]
    share: Mapped[float]
    blob: Mapped[bytes]
    shown: Mapped[str] = column_property(literal_column("name || '!'", String))
    late: Mapped[str | None] = deferred(mapped_column("late_text", Text))
    place: Mapped[Point] = composite(mapped_column("place_x"), mapped_column("place_y"))


class Visit(MappedAsDataclass, Base, kw_only=True):
    __tablename__ = "visits"
    id: Mapped[Key] = mapped_column(init=False)
    purpose: Mapped[str] = mapped_column(default="x", insert_default="y", sort_order=-5)
    account_id: Mapped[int] = mapped_column(ForeignKey("annotated.accounts.id", ondelete="CASCADE"))
    account: Mapped[Account] = relationship(default=None)


class Person(Base):
    __tablename__ = "persons"
    id: Mapped[Key]
    kind: Mapped[str]
    __mapper_args__ = {"polymorphic_on": "kind", "polymorphic_identity": "person"}


class Manager(Person):
    bonus: Mapped[int | None] = mapped_column(index=True)
    start: Mapped[dt.date | None] = mapped_column(use_existing_column=True)
    __mapper_args__ = {"polymorphic_identity": "manager"}


class Engineer(Person):
    start: Mapped[dt.date | None] = mapped_column(use_existing_column=True)
    above_id: Mapped[int | None] = mapped_column(ForeignKey("annotated.persons.id"))
    __mapper_args__ = {"polymorphic_identity": "engineer"}


class Shape(AbstractConcreteBase, Base):
    name: Mapped[str]


class Square(Shape):
    __tablename__ = "squares"
    id: Mapped[Key]
    width: Mapped[float]
    __mapper_args__ = {"polymorphic_identity": "square", "concrete": True}


class Versioned(Base):
    __tablename__ = "versioned"
    id: Mapped[Key]
    version: Mapped[int] = mapped_column("xmin", Integer, system=True, server_default=FetchedValue())
    __mapper_args__ = {"version_id_col": version, "version_id_generator": False}
