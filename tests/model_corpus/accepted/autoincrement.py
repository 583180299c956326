"""Integer keys that SQLAlchemy numbers, and keys that look like them."""

# pyright: reportUnknownVariableType=false, reportUnknownArgumentType=false

from typing import Any

from sqlalchemy import BigInteger, Column, ForeignKey, Identity, Integer, Sequence, SmallInteger, String, text
from sqlalchemy.orm import DeclarativeBase
from sqlalchemy.types import TypeDecorator


class Base(DeclarativeBase):
    pass


class Number(TypeDecorator[int]):
    impl = BigInteger
    cache_ok = True


class Plain(Base):
    __tablename__ = "plain"
    id = Column(Integer, primary_key=True)


class Big(Base):
    __tablename__ = "big"
    id = Column(BigInteger, primary_key=True)


class Small(Base):
    __tablename__ = "small"
    id = Column(SmallInteger, primary_key=True)


class Decorated(Base):
    __tablename__ = "decorated"
    id = Column(Number, primary_key=True)


class ByForeignKey(Base):
    __tablename__ = "by_foreign_key"
    id = Column(ForeignKey("plain.id"), primary_key=True)


class Composite(Base):
    __tablename__ = "composite"
    one_id = Column(Integer, primary_key=True)
    two_id = Column(Integer, primary_key=True)


class PartlyNumbered(Base):
    __tablename__ = "partly_numbered"
    id = Column(Integer, primary_key=True, autoincrement=True)
    version = Column(Integer, primary_key=True)


class NotNumbered(Base):
    __tablename__ = "not_numbered"
    id = Column(Integer, primary_key=True, autoincrement=False)


class OptionalSequence(Base):
    __tablename__ = "optional_sequence"
    id = Column(Integer, Sequence("never_created", optional=True), primary_key=True)


class OwnSequence(Base):
    __tablename__ = "own_sequence"
    id = Column(Integer, Sequence("own_numbers", start=100), primary_key=True)


class OnServer(Base):
    __tablename__ = "on_server"
    numbers: Any = Sequence("server_numbers", metadata=Base.metadata)
    id = Column(Integer, numbers, server_default=numbers.next_value(), primary_key=True)


class Explicit(Base):
    __tablename__ = "explicit"
    id = Column(Integer, Identity(always=True, start=10, increment=10, minvalue=10, cycle=True), primary_key=True)


class Default(Base):
    __tablename__ = "with_default"
    id = Column(Integer, primary_key=True, server_default=text("42"))


class Text(Base):
    __tablename__ = "by_text"
    id = Column(String, primary_key=True)
