"""The contents as Markdown in GitHub's form: pictures, and tables with links."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING
from urllib.parse import quote

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from infra.schema_docs.pages.entries import ModuleEntry, PageContents, RuleEntry, TableEntry

SPECIAL = re.compile(r"(?=[\\`*_\[\]<>|&~$])|^(?=[#+-])|(?<=^[0-9])(?=[.)])|(?<=^[0-9]{2})(?=[.)])")
BACKTICKS = re.compile("`+")


def render_markdown(contents: PageContents, pictures: Mapping[str, str], *, root: str) -> str:
    """Return the document.

    `pictures` are names of SVG files by module, with the whole schema under ""; `root` is the relative path from the
    document to the project.
    """
    return "\n".join(_Writer(pictures, root).lines(contents)) + "\n"


def escape_text(value: str) -> str:
    """Return a text in one line, with everything escaped that has a meaning in Markdown or HTML."""
    return SPECIAL.sub(r"\\", single_line(value))


def code_span(value: str) -> str:
    """Return a text as a code span that may stand in a table, '' for an empty text.

    The fence is longer than any run of backticks in the text (CommonMark, 6.1); a bar would end the cell of a table.
    """
    if not value:
        return ""
    shown = single_line(value).replace("|", "\\|")
    fence = "`" * (max((len(run) for run in BACKTICKS.findall(shown)), default=0) + 1)
    space = " " if len(fence) > 1 else ""
    return f"{fence}{space}{shown}{space}{fence}"


def single_line(value: str) -> str:
    """Return a text in one line, with single spaces."""
    return " ".join(value.split())


class _Writer:
    """A writer of the document's lines, with the names of the pictures and the path to the project."""

    def __init__(self, pictures: Mapping[str, str], root: str) -> None:
        self.pictures = pictures
        self.root = root

    def lines(self, contents: PageContents) -> Iterator[str]:
        """Yield the lines of the whole document."""
        yield f"# {escape_text(contents.title)}"
        yield ""
        yield "Written by `python -m infra docs` from the catalog that the modules leave; do not change it here."
        yield ""
        yield f"{contents.counts}."
        yield ""
        for module in contents.modules:
            tables = ", ".join(f"[{escape_text(table.name)}](#{table.anchor})" for table in module.tables)
            yield f"- [{module.name}](#{module.anchor})" + (f": {tables}" if tables else "")
        yield from self.picture("", contents.title)
        for module in contents.modules:
            yield from self.module(module)

    def picture(self, name: str, title: str) -> Iterator[str]:
        """Yield the lines of a picture that links to its file; none where there is no picture."""
        if name in self.pictures:
            yield from ("", f"[![{escape_text(title)}]({self.pictures[name]})]({self.pictures[name]})")

    def module(self, module: ModuleEntry) -> Iterator[str]:
        """Yield the lines of a module."""
        yield from ("", f'## <a id="{module.anchor}"></a>{module.name}')
        if module.description:
            yield from ("", escape_text(module.description))
        yield from ("", self.link(module.path, module.path) + (f": {module.counts}." if module.counts else ""))
        yield from self.picture(module.name, module.name)
        for table in module.tables:
            yield from self.table(table)
        if module.others:
            yield from ("", "### Other objects", "")
            rows = [
                (
                    code_span(other.name),
                    other.kind,
                    code_span(other.definition),
                    escape_text(other.comment),
                )
                for other in module.others
            ]
            yield from _table(("Name", "Kind", "Definition", "Comment"), rows)

    def table(self, table: TableEntry) -> Iterator[str]:
        """Yield the lines of a table with its columns, constraints, indexes and references."""
        yield from ("", f'### <a id="{table.anchor}"></a>{escape_text(table.name)}')
        if table.comment:
            yield from ("", escape_text(table.comment))
        files = " ".join(self.link(path, path) for path in table.declared)
        for note in filter(None, (*map(code_span, table.notes), files)):
            yield from ("", note)
        yield ""
        rows = [
            (
                f'<a id="{column.anchor}"></a>{code_span(column.name)}',
                code_span(" ".join([column.type, *column.notes])),
                "" if column.nullable else "not null",
                code_span(column.default),
                " ".join([*column.keys, *(f"→ [{escape_text(shown)}](#{target})" for shown, target in column.targets)]),
                escape_text(column.comment),
            )
            for column in table.columns
        ]
        yield from _table(("Column", "Type", "Null", "Default", "Keys", "Comment"), rows)
        yield from self.rules("Keys and constraints", table.constraints)
        yield from self.rules("Indexes", table.indexes)
        if table.referred_to_by:
            yield from ("", "Referred to by:", "")
            for reference in table.referred_to_by:
                keys = code_span(f"({reference.columns}) → ({reference.own_columns}) {reference.action}")
                yield f"- [{escape_text(reference.table)}](#{reference.anchor}) {keys}"

    def rules(self, title: str, entries: Sequence[RuleEntry]) -> Iterator[str]:
        """Yield the lines of constraints or indexes; none where there are no entries."""
        if not entries:
            return
        rows = [
            (
                code_span(entry.name),
                code_span(
                    f"{'unique ' if entry.kind == 'unique index' else ''}{entry.before}{entry.target}{entry.after}"
                ),
                escape_text(entry.comment),
                entry.module,
            )
            for entry in entries
        ]
        yield ""
        yield from _table((title, "Definition", "Comment", "Module"), rows)

    def link(self, shown: str, path: str) -> str:
        """Return a link to a file of the project."""
        return f"[{escape_text(shown)}]({self.root}/{quote(path)})"


def _table(titles: Sequence[str], rows: Sequence[Sequence[str]]) -> Iterator[str]:
    """Yield the lines of a table without the columns that are empty in every row."""
    kept = [number for number in range(len(titles)) if any(row[number] for row in rows)]
    yield f"| {' | '.join(titles[number] for number in kept)} |"
    yield f"|{' --- |' * len(kept)}"
    for row in rows:
        yield f"| {' | '.join(row[number] for number in kept)} |"
