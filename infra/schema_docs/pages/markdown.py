"""The contents as Markdown, as GitHub shows it: pictures, and tables with links."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING
from urllib.parse import quote

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from infra.schema_docs.pages.entries import ModuleEntry, PageContents, RuleEntry, SourceLink, TableEntry

SPECIAL = re.compile(r"(?=[\\`*_\[\]<>|&~$])|^(?=[#+-])|(?<=^[0-9])(?=[.)])|(?<=^[0-9]{2})(?=[.)])")
BACKTICKS = re.compile("`+")


def markdown(contents: PageContents, pictures: Mapping[str, str], *, root: str) -> str:
    """Give the document; `pictures` are names of SVG files by module, "" is the whole; `root` leads to the project."""
    return "\n".join(_Writer(pictures, root).lines(contents)) + "\n"


def text(value: str) -> str:
    """Give a text as it is read: nothing in it means anything to Markdown or HTML, and it stays in its line."""
    return SPECIAL.sub(r"\\", one_line(value))


def code(value: str) -> str:
    """Give a text as code that may stand in a table, '' for none."""
    if not value:
        return ""
    shown = one_line(value).replace("|", "\\|")
    fence = "`" * (max((len(run) for run in BACKTICKS.findall(shown)), default=0) + 1)
    space = " " if len(fence) > 1 else ""
    return f"{fence}{space}{shown}{space}{fence}"


def one_line(value: str) -> str:
    """Give a text in one line."""
    return " ".join(value.split())


class _Writer:
    """Writes the lines; knows the pictures' names and the way to the project."""

    def __init__(self, pictures: Mapping[str, str], root: str) -> None:
        self.pictures = pictures
        self.root = root

    def lines(self, contents: PageContents) -> Iterator[str]:
        """Give the whole document."""
        yield f"# {text(contents.title)}"
        yield ""
        yield "Written by `python -m infra docs` from the catalog that the modules leave; do not change it here."
        yield ""
        yield f"{contents.counts}."
        yield ""
        for module in contents.modules:
            tables = ", ".join(f"[{text(table.name)}](#{table.anchor})" for table in module.tables)
            yield f"- [{module.name}](#{module.anchor})" + (f": {tables}" if tables else "")
        yield from self.picture("", contents.title)
        for module in contents.modules:
            yield from self.module(module)

    def picture(self, name: str, title: str) -> Iterator[str]:
        """Give a picture, which opens in full size; nothing where there is none."""
        if name in self.pictures:
            yield from ("", f"[![{text(title)}]({self.pictures[name]})]({self.pictures[name]})")

    def module(self, module: ModuleEntry) -> Iterator[str]:
        """Give a module."""
        yield from ("", f'## <a id="{module.anchor}"></a>{module.name}')
        if module.description:
            yield from ("", text(module.description))
        yield from ("", self.link(module.path, module.path) + (f": {module.counts}." if module.counts else ""))
        yield from self.picture(module.name, module.name)
        for table in module.tables:
            yield from self.table(table)
        if module.others:
            yield from ("", "### Other objects", "")
            rows = [
                (code(one.name), one.kind, code(one.definition), text(one.comment), self.places(one.declared))
                for one in module.others
            ]
            yield from _table(("Name", "Kind", "Definition", "Comment", "Declared"), rows)

    def table(self, table: TableEntry) -> Iterator[str]:
        """Give a table with its columns, rules and references."""
        yield from ("", f'### <a id="{table.anchor}"></a>{text(table.name)}')
        if table.comment:
            yield from ("", text(table.comment))
        for note in filter(None, (*map(code, table.notes), self.places(table.declared))):
            yield from ("", note)
        yield ""
        rows = [
            (
                f'<a id="{column.anchor}"></a>{code(column.name)}',
                code(" ".join([column.type, *column.notes])),
                "" if column.nullable else "not null",
                code(column.default),
                " ".join([*column.keys, *(f"→ [{text(shown)}](#{target})" for shown, target in column.targets)]),
                text(column.comment),
                self.places(column.declared),
            )
            for column in table.columns
        ]
        yield from _table(("Column", "Type", "Null", "Default", "Keys", "Comment", "Declared"), rows)
        yield from self.rules("Keys and constraints", table.constraints)
        yield from self.rules("Indexes", table.indexes)
        if table.referred_to_by:
            yield from ("", "Referred to by:", "")
            for one in table.referred_to_by:
                keys = code(f"({one.columns}) → ({one.own_columns}) {one.action}")
                yield f"- [{text(one.table)}](#{one.anchor}) {keys}"

    def rules(self, title: str, entries: Sequence[RuleEntry]) -> Iterator[str]:
        """Give constraints or indexes; nothing where there are none."""
        if not entries:
            return
        rows = [
            (
                code(one.name),
                code(f"{'unique ' if one.kind == 'unique index' else ''}{one.before}{one.target}{one.after}"),
                text(one.comment),
                one.module,
                self.places(one.declared),
            )
            for one in entries
        ]
        yield ""
        yield from _table((title, "Definition", "Comment", "Module", "Declared"), rows)

    def places(self, declared: Sequence[SourceLink]) -> str:
        """Give links to where something is declared."""
        return " ".join(self.link(str(source), source.path, f"#L{source.line}") for source in declared)

    def link(self, shown: str, path: str, fragment: str = "") -> str:
        """Give a link to a file of the project."""
        return f"[{text(shown)}]({self.root}/{quote(path)}{fragment})"


def _table(titles: Sequence[str], rows: Sequence[Sequence[str]]) -> Iterator[str]:
    """Give a table without the columns that are empty in every row."""
    kept = [number for number in range(len(titles)) if any(row[number] for row in rows)]
    yield f"| {' | '.join(titles[number] for number in kept)} |"
    yield f"|{' --- |' * len(kept)}"
    for row in rows:
        yield f"| {' | '.join(row[number] for number in kept)} |"
