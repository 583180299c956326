"""Customers and their addresses: a parent and its children."""

from datetime import datetime

from sqlalchemy import ForeignKey, String
from sqlalchemy.orm import Mapped, mapped_column

from tests.fixture_schema.models.base import Base


class Customer(Base):
    __tablename__ = "customers"
    __table_args__ = ({"comment": "Accounts of the shop."},)

    id: Mapped[str] = mapped_column(primary_key=True, comment="Identifier supplied by the caller.")
    email: Mapped[str] = mapped_column(unique=True, index=True, comment="Address used to sign in; unique.")
    full_name: Mapped[str | None] = mapped_column(index=True, comment="Name shown to other people.")
    phone: Mapped[str | None] = mapped_column(comment="Telephone number, as it was typed.")
    role: Mapped[str | None] = mapped_column(default="buyer", comment="One of buyer, seller.")
    plan: Mapped[str | None] = mapped_column(comment="One of free, pro.")
    is_trial: Mapped[bool | None] = mapped_column(default=False, comment="Whether the account is on trial.")
    created_at: Mapped[datetime | None] = mapped_column(comment="When the account was created.")


class Address(Base):
    __tablename__ = "addresses"
    __table_args__ = ({"comment": "Postal addresses of customers."},)

    id: Mapped[str] = mapped_column(primary_key=True, comment="Identifier supplied by the caller.")
    customer_id: Mapped[str] = mapped_column(ForeignKey("customers.id"), index=True, comment="The customer.")
    label: Mapped[str] = mapped_column(comment="What the customer calls it.")
    lines: Mapped[list[str]] = mapped_column(comment="The lines of the address.")
    country: Mapped[str] = mapped_column(String(2), index=True, comment="Country code, as in ISO 3166.")
