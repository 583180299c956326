"""SQL that the models' own functions compile: options of a table, a view; a constraint that a listener adds."""

# pyright: reportUnknownMemberType=false, reportUnknownParameterType=false, reportMissingParameterType=false
# pyright: reportUnknownVariableType=false, reportUntypedFunctionDecorator=false
# ruff: noqa: ANN001, ANN003

from sqlalchemy import CheckConstraint, Column, Integer, MetaData, Select, Table, Text, event, select
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.schema import AddConstraint, CreateTable, DDLElement


class CreateView(DDLElement):
    def __init__(self, name: str, query: "Select[tuple[int]]") -> None:
        self.name = name
        self.query = query


@compiles(CreateTable, "postgresql")
def create_table(element, compiler, **options):
    created = compiler.visit_create_table(element, **options)
    return f"{created} WITH (fillfactor = 70)" if element.element.info.get("changes_often") else created


@compiles(CreateView)
def create_view(element, compiler, **_options):
    return f"CREATE VIEW {element.name} AS {compiler.sql_compiler.process(element.query, literal_binds=True)}"


metadata = MetaData()

filled = Table(
    "filled", metadata, Column("id", Integer, primary_key=True), Column("name", Text), info={"changes_often": True}
)
event.listen(metadata, "after_create", CreateView("half_filled", select(filled.c.id).where(filled.c.name == "50%")))
later = CheckConstraint("id > 5", name="added_later")
filled.append_constraint(later)
event.listen(filled, "after_create", AddConstraint(later))
