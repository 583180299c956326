"""Association tables, two metadata, 1.4 style, imperative mapping, mixins, joined and single table inheritance."""

# pyright: reportUnknownVariableType=false, reportUnknownArgumentType=false

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Column, DateTime, ForeignKey, Integer, MetaData, String, Table, func
from sqlalchemy.orm import (
    DeclarativeBase,
    Mapped,
    MappedAsDataclass,
    declarative_base,
    declared_attr,
    mapped_column,
    registry,
    relationship,
)

Old: Any = declarative_base()


class OldStyle(Old):
    __tablename__ = "old_style"
    id = Column(Integer, primary_key=True)
    name = Column("Name", String(50), nullable=False)


class Base(DeclarativeBase):
    metadata = MetaData()


class Stamped:
    created_at: Mapped[datetime] = mapped_column(DateTime(timezone=True), server_default=func.now())

    @declared_attr
    def owner_id(self) -> Mapped[int | None]:
        return mapped_column(ForeignKey("person.id"), index=True)


class Person(Base):
    __tablename__ = "person"
    id: Mapped[int] = mapped_column(primary_key=True)
    kind: Mapped[str]
    groups: Mapped[list["Group"]] = relationship(secondary="membership")
    __mapper_args__ = {"polymorphic_on": "kind", "polymorphic_identity": "person"}  # noqa: RUF012


class Employee(Person):
    __tablename__ = "employee"
    id: Mapped[int] = mapped_column(ForeignKey("person.id"), primary_key=True)
    salary: Mapped[int]
    __mapper_args__ = {"polymorphic_identity": "employee"}  # noqa: RUF012


class Guest(Person):
    invited_by: Mapped[str | None]
    __mapper_args__ = {"polymorphic_identity": "guest"}  # noqa: RUF012


class Group(Stamped, Base):
    __tablename__ = "group"
    id: Mapped[int] = mapped_column(primary_key=True)


membership = Table(
    "membership",
    Base.metadata,
    Column("person_id", ForeignKey("person.id"), primary_key=True),
    Column("group_id", ForeignKey("group.id"), primary_key=True),
)


class Dataclasses(MappedAsDataclass, DeclarativeBase):
    pass


class Point(Dataclasses):
    __tablename__ = "point"
    id: Mapped[int] = mapped_column(primary_key=True, init=False)
    x: Mapped[int | None] = mapped_column(default=None)


mapper_registry = registry()


@dataclass
class Imperative:
    id: int


for number in range(3):
    table = Table(f"imperative_{number}", mapper_registry.metadata, Column("id", Integer, primary_key=True))
    mapper_registry.map_imperatively(Imperative if number == 0 else type(f"Other{number}", (), {}), table)
