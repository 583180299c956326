"""The owner of a database sets traps in it for administrators: no session of theirs runs any of its code."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from tests.program.project import Project

TRAPS = """
SET ROLE app_db_owner;
CREATE SCHEMA trap;
GRANT USAGE ON SCHEMA trap TO PUBLIC;
CREATE SEQUENCE trap.sprung;
CREATE FUNCTION trap.spring() RETURNS boolean LANGUAGE plpgsql AS $$
BEGIN
    IF (SELECT r.rolsuper FROM pg_catalog.pg_roles r WHERE r.rolname OPERATOR(pg_catalog.=) current_user) THEN
        PERFORM pg_catalog.nextval('trap.sprung');  -- no rollback takes this back
        ALTER ROLE app_db_app SUPERUSER;
    END IF;
    RETURN true;
END $$;
CREATE FUNCTION trap.equal(name, name) RETURNS boolean LANGUAGE sql AS
    'SELECT trap.spring() AND $1 OPERATOR(pg_catalog.=) $2';
CREATE OPERATOR trap.= (LEFTARG = name, RIGHTARG = name, FUNCTION = trap.equal);
CREATE FUNCTION trap.equal(text, text) RETURNS boolean LANGUAGE sql AS
    'SELECT trap.spring() AND $1 OPERATOR(pg_catalog.=) $2';
CREATE OPERATOR trap.= (LEFTARG = text, RIGHTARG = text, FUNCTION = trap.equal);
CREATE FUNCTION trap.version() RETURNS text LANGUAGE sql AS
    'SELECT CASE WHEN trap.spring() THEN pg_catalog.version() END';
CREATE FUNCTION trap.current_database() RETURNS name LANGUAGE sql AS
    'SELECT CASE WHEN trap.spring() THEN pg_catalog.current_database() END';
ALTER DATABASE app_db SET search_path = trap, pg_catalog, public;
"""
"""An operator that the plugin's queries use, two siblings, and the setting with which they hide PostgreSQL's own."""

HINDRANCES = """
SET ROLE app_db_owner;
ALTER DATABASE app_db SET default_transaction_isolation = serializable;
ALTER DATABASE app_db SET statement_timeout = 1;
ALTER DATABASE app_db SET role = app_db_app;
ALTER DATABASE app_db SET standard_conforming_strings = off;
"""
SPRUNG = "SELECT is_called FROM trap.sprung"
SUPERUSERS = "SELECT count(*) FROM pg_roles WHERE rolsuper"


@pytest.mark.full
def test_what_an_owner_sets_in_a_database_reaches_no_administrator(project: Project) -> None:
    """`refresh`, `up` and a new extension run no function of the owner's, and no setting of the owner's stops them."""
    project.sql(TRAPS)
    with project.connect() as victim:  # the traps are real: this session has the database's settings
        victim.execute("SELECT current_database() WHERE 'a'::name = 'a'::name")
        victim.rollback()
    assert project.admin(SPRUNG) == [(True,)]
    project.admin("SELECT pg_catalog.setval('trap.sprung', 1, false)")
    project.sql(HINDRANCES)
    assert project.verb("refresh").status == 0
    project.configure(extensions=["uuid-ossp", "pgcrypto", "pg_trgm", "citext"])
    project.up("--refresh")
    project.admin("ALTER DATABASE app_db RESET ALL", database="postgres")  # this session too was hindered
    place = project.sql("SELECT extnamespace::regnamespace::text FROM pg_catalog.pg_extension WHERE extname = 'citext'")
    assert place == [("public",)]
    assert project.admin(SPRUNG) == [(False,)]
    assert project.admin(SUPERUSERS) == [(1,)]
