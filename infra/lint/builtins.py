"""What is there without any module: PostgreSQL's own names, and what the known extensions bring."""

from __future__ import annotations

import json
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

# Names by kind of object. builtins.json is collected from servers by tests/database/lint/server_builtins.py; these
# are not in PostgreSQL's own distribution, and too many to be complete: the names that schemas use, as the projects
# document them.
OTHERS: dict[str, dict[str, list[str]]] = {
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
PRELOADED = frozenset({"pg_stat_statements", "timescaledb", "pg_cron", "pgaudit", "pg_stat_monitor", "citus", "pg_net"})
"""Extensions that do nothing, or fail, unless the server loads their library when it starts."""

PSEUDO_TYPES = frozenset({"serial", "serial2", "serial4", "serial8", "bigserial", "smallserial"})
KINDS = {"relation": "relations", "type": "types", "function": "functions", "opclass": "opclasses", "method": "methods"}
OWN_SCHEMAS = frozenset({"pg_catalog", "information_schema", "pg_toast", "pg_temp"})


class Builtins:
    """Answers which names are PostgreSQL's, and which an extension brings."""

    def __init__(self, server: Mapping[str, list[str]], extensions: Mapping[str, Mapping[str, list[str]]]) -> None:
        self.reserved = frozenset(server["reserved"])
        self.extensions = frozenset(extensions)
        self._server = {kind: frozenset(server.get(plural, ())) for kind, plural in KINDS.items()}
        self._server["type"] |= PSEUDO_TYPES
        self._bringing: dict[tuple[str, str], list[str]] = {}
        for extension, brings in extensions.items():
            for kind, plural in KINDS.items():
                for name in brings.get(plural, ()):
                    self._bringing.setdefault((kind, name), []).append(extension)

    def is_server_s(self, kind: str, schema: str, name: str) -> bool:
        """Say whether a name is PostgreSQL's own."""
        if schema:
            return schema in OWN_SCHEMAS or schema.startswith("pg_temp")
        if kind == "schema":
            return name == "public" or name in OWN_SCHEMAS
        return name in self._server[kind] or (kind == "relation" and name.startswith("pg_"))

    def is_function_like(self, name: str) -> bool:
        """Say whether a type's name, which can be called like a function."""
        return name in self._server["type"]

    def bringing(self, kind: str, name: str) -> list[str]:
        """Give the extensions that bring a name."""
        return self._bringing.get((kind, name), [])


@lru_cache(maxsize=1)
def known() -> Builtins:
    """Read the names that are stored with this program."""
    stored = json.loads(Path(__file__).with_name("builtins.json").read_text(encoding="utf-8"))
    return Builtins(stored["server"], {**OTHERS, **stored["extensions"]})
