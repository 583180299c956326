"""The models of a shop, and the numbered SQL module that creates each table, in the form of the package `models`."""

from models.table_module import TableModule
from tests.fixture_schema.models.base import Base, tables_of
from tests.fixture_schema.models.catalogue import Category, Product
from tests.fixture_schema.models.customers import Address, Customer
from tests.fixture_schema.models.orders import Order, OrderLine
from tests.fixture_schema.models.shipping import SHIPPING_METHODS, ShippingMethod

metadata = Base.metadata

MODULES: dict[str, TableModule] = {
    "02-init-customers": tables_of("Customers: accounts and their addresses.", Customer, Address),
    "03-init-catalogue": tables_of("Catalogue: categories in a tree, and products.", Category, Product),
    "04-init-orders": tables_of("Orders: what customers have ordered.", Order),
    "05-init-order-lines": tables_of("Order lines: the products of an order.", OrderLine),
    "06-init-shipping": tables_of(
        "Shipping: ways to send an order, with their first rows.", ShippingMethod, seeds=(SHIPPING_METHODS,)
    ),
}

__all__ = ["MODULES", "Base", "TableModule", "metadata"]
