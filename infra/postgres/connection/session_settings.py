"""The settings of every session of this program: its own, whatever server, database, role or environment set.

They are sent with the connection's startup packet, and such settings outrank those of ALTER DATABASE, ALTER ROLE and
the configuration files (PostgreSQL manual, 20.1); RESET returns to them. Left to the server is what changes how fast
or how durably it works, and `default_transaction_read_only`: an operator sets that to keep changes out.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

CLIENT_ENCODING = "UTF8"

SESSION_SETTINGS = {
    # names: what is not qualified is PostgreSQL's own, and a temporary object never hides it
    "search_path": "pg_catalog,pg_temp",
    "role": "none",
    "row_security": "on",
    # how text is read, and values become text
    "DateStyle": "ISO,MDY",
    "IntervalStyle": "postgres",
    "TimeZone": "UTC",
    "timezone_abbreviations": "Default",
    "lc_monetary": "C",
    "lc_numeric": "C",
    "lc_time": "C",
    "bytea_output": "hex",
    "extra_float_digits": "1",
    "quote_all_identifiers": "off",
    "xmlbinary": "base64",
    "xmloption": "content",
    "default_text_search_config": "pg_catalog.simple",
    # how statements are read
    "array_nulls": "on",
    "backslash_quote": "safe_encoding",
    "standard_conforming_strings": "on",
    "transform_null_equals": "off",
    "check_function_bodies": "on",
    "plpgsql.check_asserts": "on",
    "plpgsql.extra_errors": "none",
    # what is created, and how
    "default_table_access_method": "heap",
    "default_tablespace": "",
    "default_toast_compression": "pglz",
    "password_encryption": "scram-sha-256",
    "temp_tablespaces": "",
    # which rows a statement sees, and in which order
    "default_transaction_deferrable": "off",
    "default_transaction_isolation": "read committed",
    "gin_fuzzy_search_limit": "0",
    "synchronize_seqscans": "off",
    # what ends or disturbs a session
    "client_min_messages": "notice",
    "exit_on_error": "off",
    "idle_in_transaction_session_timeout": "0",
    "idle_session_timeout": "0",
    "local_preload_libraries": "",
    "lock_timeout": "0",
    "statement_timeout": "0",
}
"""Parameters that every role may set, in PostgreSQL 14 and later."""

LATER_SETTINGS = {
    "createrole_self_grant": ("''", (160000,)),
    "icu_validation_level": ("warning", (160000,)),
    "restrict_nonsystem_relation_kind": ("''", (140013, 150008, 160004, 170000)),
    "scram_iterations": ("4096", (160000,)),
    "transaction_timeout": ("0", (170000,)),
}
"""The same for parameters of later versions: the value, and the first version or minor versions that have it."""

SUPERUSER_SETTINGS = {
    "event_triggers": ("off", (170000,)),
    "lc_messages": ("'C'", (0,)),
    "session_replication_role": ("origin", (0,)),
}
"""Parameters that only superusers may set. Event triggers would run code of others with a superuser's rights."""

ADMINISTRATORS_ROLE = """
SELECT set_config('role', r.rolname, false)
FROM pg_db_role_setting s, unnest(s.setconfig) AS setting, pg_roles r
WHERE s.setdatabase = 0 AND pg_get_userbyid(s.setrole) = session_user AND setting = 'role=' || r.rolname
    AND (r.rolsuper OR r.rolcreatedb AND r.rolcreaterole);
"""
"""Sets the role that is set for a login, where it is an administrator's: the plugin, whose sessions begin with it,
creates roles and databases as this role. What is set for a database does not count: its owner can set that."""


def startup_options(settings: Mapping[str, str]) -> str:
    """Return libpq's keyword `options` for settings, as the server splits it (PostgreSQL manual, 32.1.2)."""
    return " ".join(f"-c {name}={_escaped(value)}" for name, value in settings.items())


def _escaped(value: str) -> str:
    return value.replace("\\", "\\\\").replace(" ", "\\ ")
