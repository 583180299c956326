"""Orders, and the association of orders with products. One table has the name of a key word, which SQL has to quote."""

from datetime import datetime
from decimal import Decimal

from sqlalchemy import CheckConstraint, ForeignKey, Index, Numeric, String, func
from sqlalchemy.orm import Mapped, mapped_column

from tests.fixture_schema.models.base import Base


class Order(Base):
    __tablename__ = "order"
    __table_args__ = (
        Index("idx_order_customer_placed", "customer_id", "placed_at"),
        {"comment": "What a customer has ordered at one time."},
    )

    id: Mapped[str] = mapped_column(primary_key=True, comment="Identifier supplied by the caller.")
    customer_id: Mapped[str] = mapped_column(ForeignKey("customers.id"), comment="Who ordered.")
    status: Mapped[str] = mapped_column(String(20), server_default="open", comment="One of open, paid, sent.")
    placed_at: Mapped[datetime] = mapped_column(server_default=func.now(), comment="When it was ordered.")
    note: Mapped[str | None] = mapped_column(comment="What the customer wrote.")


class OrderLine(Base):
    __tablename__ = "order_lines"
    __table_args__ = (
        CheckConstraint("quantity > 0", name="order_lines_quantity_check"),
        {"comment": "Products of an order: the association of orders with products."},
    )

    order_id: Mapped[str] = mapped_column(
        ForeignKey("order.id", ondelete="CASCADE"), primary_key=True, comment="The order."
    )
    sku: Mapped[str] = mapped_column(ForeignKey("products.sku"), primary_key=True, index=True, comment="The product.")
    quantity: Mapped[int] = mapped_column(comment="How many pieces.")
    unit_price: Mapped[Decimal] = mapped_column(Numeric(10, 2), comment="Price of one piece when it was ordered.")
