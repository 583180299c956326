"""The catalogue: categories that refer to each other, and the products in them."""

from decimal import Decimal
from typing import Any

from sqlalchemy import CheckConstraint, ForeignKey, Identity, Numeric, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from tests.fixture_schema.models.base import Base


class Category(Base):
    __tablename__ = "categories"
    __table_args__ = (
        UniqueConstraint("parent_id", "name", name="uq_categories_parent_name"),
        {"comment": "Categories of products: a tree."},
    )

    id: Mapped[int] = mapped_column(Identity(), primary_key=True, comment="Number given by the database.")
    parent_id: Mapped[int | None] = mapped_column(
        ForeignKey("categories.id"), comment="The category above; null at the top."
    )
    name: Mapped[str] = mapped_column(comment="Name shown to customers.")


class Product(Base):
    __tablename__ = "products"
    __table_args__ = (
        CheckConstraint("price >= 0", name="products_price_check"),
        {"comment": "Products that the shop sells."},
    )

    sku: Mapped[str] = mapped_column(primary_key=True, comment="Stock keeping unit, supplied by the caller.")
    category_id: Mapped[int | None] = mapped_column(
        ForeignKey("categories.id", ondelete="SET NULL"), index=True, comment="The category, if it is in one."
    )
    name: Mapped[str] = mapped_column(index=True, comment="Name shown to customers.")
    price: Mapped[Decimal] = mapped_column(Numeric(10, 2), comment="Price of one piece, in euros.")
    tags: Mapped[list[str]] = mapped_column(default=list, comment="Words to search for.")
    details: Mapped[dict[str, Any] | None] = mapped_column("metadata", comment="Further properties.")
