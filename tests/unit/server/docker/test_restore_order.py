"""Which entries of a dump a superuser restores: none that PostgreSQL may run code of an owner for."""

from __future__ import annotations

import pytest

from infra.errors import RefusedError
from infra.server.docker.restore_order import entries_of_database, restore_runs

ROLES = [("postgres", True), ("post gres", True), ("a", False), ("b", False), ("the gres", False)]
LISTED = """\
;
; Archive created at 2026-11-27 07:00:00 UTC
;     dbname: x
;
5; 1262 16384 DATABASE - x a
6; 0 0 DATABASE PROPERTIES - x a
7; 0 0 ACL - DATABASE x a
8; 0 0 COMMENT - DATABASE x a
10; 2615 16400 SCHEMA - s a
11; 0 0 COMMENT - SCHEMA s a
12; 3079 16401 EXTENSION - pg_trgm\x20
13; 0 0 ACL - SCHEMA s a
20; 1255 16402 FUNCTION public f(text) a
21; 1259 16403 TABLE public one a
22; 0 0 ACL public TABLE one a
23; 1259 16404 TABLE public two b
24; 1259 16405 TABLE public three postgres
30; 0 16403 TABLE DATA public one a
31; 0 16405 TABLE DATA public three postgres
32; 0 16404 TABLE DATA public two b
40; 2606 16410 FK CONSTRAINT public one one_fk a
41; 2606 16411 CHECK CONSTRAINT public one one_check a
42; 0 16403 ROW SECURITY public one a
43; 1259 16412 INDEX public one_index a
44; 0 16413 MATERIALIZED VIEW DATA public four a
50; 826 16420 DEFAULT ACL - DEFAULT PRIVILEGES FOR TABLES a
51; 3466 16421 EVENT TRIGGER - e postgres
"""


def test_an_entry_is_restored_by_whom_it_belongs_to() -> None:
    """Superusers restore their own, and what is no code; foreign keys wait for privileges, and policies for them."""
    assert entries_of_database(LISTED) == ["5", "6", "7", "8"]
    assert restore_runs(LISTED, ROLES) == [
        ("", ["10", "12", "13"]),
        ("a", ["20", "21"]),
        ("b", ["23"]),
        ("", ["24"]),
        ("a", ["30"]),
        ("", ["31"]),
        ("b", ["32"]),
        ("a", ["41", "43"]),
        ("", ["22"]),
        ("a", ["40", "42", "44"]),
        ("", ["11", "50", "51"]),
    ]


@pytest.mark.parametrize(
    "entry",
    [
        "1; 1259 16403 TABLE public one the gres",
        "1; 1259 16403 TABLE ACL x the gres",
        "1; 2604 16403 DEFAULT ACL one x the gres",
        "1; 0 16403 TABLE DATA SCHEMA x postgres the gres",
        "1; 0 0 TABLE ATTACH COMMENT x the gres",
    ],
)
def test_no_name_makes_an_entry_a_superusers(entry: str) -> None:
    """Names of schemas and tables are the owner's to choose, and stand before the name of the role."""
    assert restore_runs(entry, ROLES) == [("the gres", ["1"])]


def test_an_entry_of_nobody_is_refused() -> None:
    """A role's name that the list shows otherwise is no reason to restore as superuser."""
    with pytest.raises(RefusedError, match="belongs to no role that is known"):
        restore_runs("1; 1259 16403 TABLE public one somebody", ROLES)
