"""The picture of a review: the tables that differ before and after, and nothing else."""

from __future__ import annotations

from infra.catalog.catalog import ObjectId
from infra.review.picture import MOST_DRAWN, picture

Definitions = dict[ObjectId, str]


def table(name: str, *columns: str, key: str = "") -> Definitions:
    """Return the definitions of a table with integer columns, and with a foreign key from the first of them."""
    found = {ObjectId("table", name): ""}
    found |= {ObjectId("column", f"{name}.{column}"): "type integer\nnot null" for column in columns}
    if key:
        text = f"FOREIGN KEY ({columns[0]}) REFERENCES {key}(id)"
        found[ObjectId("constraint", f"{name}.{name.partition('.')[2]}_fkey")] = text
    return found


USERS = table("public.users", "id")
ORDERS = table("public.orders", "id", "user_id")


def test_a_new_column_is_drawn_before_and_after() -> None:
    """Only its table is in the picture, in both diagrams, and not those that refer to it."""
    others = USERS | table("public.lines", "order_id", key="public.orders")
    paid = table("public.orders", "id", "user_id", "paid")
    (_, before), (_, after) = picture(others | ORDERS, others | paid)
    assert 'title: "before"' in before
    assert 'title: "after"' in after
    assert '"orders" {' in before
    assert ("paid" in before, "paid" in after) == (False, True)
    assert not any(name in before + after for name in ("users", "lines"))


def test_a_new_table_has_an_after_only_and_what_it_refers_to() -> None:
    """The table that a foreign key leads to is a stub with the referenced column alone."""
    ((side, after),) = picture(USERS, USERS | table("public.notes", "user_id", key="public.users"))
    assert side == "after"
    assert '"notes" }o--|| "users" : "user_id"' in after


def test_nothing_is_drawn_of_other_changes() -> None:
    """An index, a view or a comment, no change at all, and more tables than anybody reads."""
    index = {ObjectId("index", "public.i"): "CREATE INDEX i ON public.users USING btree (id)"}
    assert picture(USERS, USERS | index) == []
    assert picture(USERS, USERS) == []
    many: Definitions = {}
    for number in range(MOST_DRAWN + 1):
        many |= table(f"public.t{number}", "id")
    assert picture({}, many) == []
