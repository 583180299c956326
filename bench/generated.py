"""Generated modules: tables such as applications have, and in each module a reference to the one before it."""

from __future__ import annotations

TABLES = 5
COLUMNS = {
    "label": "text NOT NULL",
    "slug": "varchar(200) NOT NULL",
    "kind": "varchar(50) DEFAULT 'plain' NOT NULL",
    "amount": "numeric(12, 2) DEFAULT 0 NOT NULL",
    "ratio": "double precision",
    "is_active": "boolean DEFAULT true NOT NULL",
    "payload": "jsonb",
    "owner_id": "uuid",
    "note": "text",
    "created_at": "timestamp with time zone DEFAULT now() NOT NULL",
    "updated_at": "timestamp with time zone",
}


def module_text(number: int, *, filler: int = 0) -> str:
    """Return the text of a module, with about `filler` bytes of comments at its end."""
    texts = [f"-- Creates the {TABLES} tables of part {number}.\n"]
    for table in range(1, TABLES + 1):
        name = f"part_{number:04}_{table}"
        lines = ["id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY"]
        lines += [f"{column} {kind}" for column, kind in COLUMNS.items()]
        if table == 1 and number > 1:
            lines.append(f"before_id bigint REFERENCES part_{number - 1:04}_1 (id)")
        lines.append(f"CONSTRAINT {name}_slug_key UNIQUE (slug)")
        lines.append(f"CONSTRAINT {name}_amount_check CHECK (amount >= 0)")
        inner = ",\n    ".join(lines)
        texts.append(
            f"\nCREATE TABLE {name} (\n    {inner}\n);\n"
            f"CREATE INDEX {name}_kind_idx ON {name} (kind);\nCREATE INDEX {name}_owner_idx ON {name} (owner_id);\n"
        )
    line = "-- what has to be said of this part at some length, so that its text is a long one\n"
    texts.append(line * (filler // len(line)))
    return "".join(texts)


def generated_modules(count: int, *, filler: int = 0) -> dict[str, str]:
    """Return the texts of `count` modules by file name."""
    return {f"{number:04}-part-{number}.sql": module_text(number, filler=filler) for number in range(1, count + 1)}


def empty_module() -> dict[str, str]:
    """Return one module that creates nothing, because a stack must have a module before the measured ones come."""
    return {"0001-nothing.sql": "-- Makes nothing.\nSELECT 1;\n"}
