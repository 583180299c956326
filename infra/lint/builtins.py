"""Names that exist without any module: PostgreSQL's own, and those that extensions create."""

from __future__ import annotations

import json
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING

from infra.modules.creations import SERIAL_TYPES

if TYPE_CHECKING:
    from collections.abc import Mapping

# Names by kind of object, of extensions that are not in PostgreSQL's own distribution. They are too large to be listed
# whole: these are the names that schemas use, as each project documents them. All other names are in builtins.json,
# which tests/database/lint/server_builtins.py collects from servers.
THIRD_PARTY_EXTENSIONS: dict[str, dict[str, list[str]]] = {
    "vector": {
        "types": ["vector", "halfvec", "sparsevec"],
        "methods": ["hnsw", "ivfflat"],
        "opclasses": [
            f"{kind}_{distance}_ops"
            for kind in ("vector", "halfvec", "sparsevec")
            for distance in ("l2", "ip", "cosine", "l1")
        ],
        "functions": ["cosine_distance", "l2_distance", "inner_product", "l1_distance", "l2_normalize", "vector_dims"],
    },
    "postgis": {
        "types": ["geometry", "geography", "box2d", "box3d"],
        "relations": ["spatial_ref_sys", "geometry_columns", "geography_columns"],
        "functions": [
            "addgeometrycolumn",
            "postgis_version",
            "st_geomfromtext",
            "st_makepoint",
            "st_setsrid",
            "st_point",
        ],
    },
    "timescaledb": {
        "functions": ["create_hypertable", "add_retention_policy", "add_compression_policy", "time_bucket"]
    },
    "pg_jsonschema": {"functions": ["json_matches_schema", "jsonb_matches_schema"]},
    "pg_uuidv7": {"functions": ["uuid_generate_v7"]},
    "plpython3u": {},
    "plperl": {},
    "pltcl": {},
    "pg_cron": {},
    "plpgsql": {},
}
PRELOADED_EXTENSIONS = frozenset(
    {"pg_stat_statements", "timescaledb", "pg_cron", "pgaudit", "pg_stat_monitor", "citus", "pg_net"}
)
"""Extensions that do nothing, or fail, unless the server loads their library when it starts."""

PLURALS = {
    "relation": "relations",
    "type": "types",
    "function": "functions",
    "opclass": "opclasses",
    "method": "methods",
}
"""The keys of builtins.json by kind of object."""

_WITH_PREFIX = frozenset({"relation", "role", "tablespace"})
"""Kinds of which no one else may create objects whose names begin with pg_."""

SYSTEM_SCHEMAS = frozenset({"pg_catalog", "information_schema", "pg_toast", "pg_temp"})


class Builtins:
    """The names that PostgreSQL itself has, and those that each extension creates."""

    def __init__(self, server: Mapping[str, list[str]], extensions: Mapping[str, Mapping[str, list[str]]]) -> None:
        self.reserved = frozenset(server["reserved"])
        self.extensions = frozenset(extensions)
        self._server = {kind: frozenset(server.get(plural, ())) for kind, plural in PLURALS.items()}
        self._server["type"] |= frozenset(SERIAL_TYPES)
        self._extensions_by_object: dict[tuple[str, str], list[str]] = {}
        for extension, names_by_plural in extensions.items():
            for kind, plural in PLURALS.items():
                for name in names_by_plural.get(plural, ()):
                    self._extensions_by_object.setdefault((kind, name), []).append(extension)

    def is_builtin(self, kind: str, schema: str, name: str) -> bool:
        """Return whether a name is PostgreSQL's own."""
        if schema:
            return schema in SYSTEM_SCHEMAS or schema.startswith("pg_temp")
        if kind == "schema":
            return name == "public" or name in SYSTEM_SCHEMAS
        return name in self._server.get(kind, ()) or (kind in _WITH_PREFIX and name.startswith("pg_"))

    def can_be_called(self, name: str) -> bool:
        """Return whether a name is a type's, which is also a function that casts (PostgreSQL manual, 4.2.9)."""
        return name in self._server["type"]

    def extensions_with(self, kind: str, name: str) -> list[str]:
        """Return the extensions that create an object of this kind and name."""
        return self._extensions_by_object.get((kind, name), [])


@lru_cache(maxsize=1)
def read_builtins() -> Builtins:
    """Read the names that are stored with this program."""
    stored = json.loads(Path(__file__).with_name("builtins.json").read_text(encoding="utf-8"))
    return Builtins(stored["server"], {**THIRD_PARTY_EXTENSIONS, **stored["extensions"]})
