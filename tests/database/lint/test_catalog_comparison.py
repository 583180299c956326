"""The findings of lint in awkward SQL are exactly those that the catalog of a server has after running it."""

from __future__ import annotations

import psycopg

from tests.database.lint.catalog_comparison import compare

AWKWARD = """
CREATE SCHEMA o;
CREATE TABLE k (a int CONSTRAINT k_p PRIMARY KEY, b text UNIQUE, c timestamp, d timestamp(3), e timestamptz,
  j json, n char(3), "char" "char", f char);
CREATE TABLE o.k (a bigserial PRIMARY KEY, b int REFERENCES k, c int REFERENCES k (a) ON DELETE CASCADE, CHECK (b > 0));
ALTER TABLE k ADD s smallserial, ADD t timestamp NOT NULL, ALTER e TYPE timestamp;
ALTER TABLE k ADD gone timestamp;
CREATE TABLE i (a int GENERATED ALWAYS AS IDENTITY, x int, y int, z text, w text, u timestamptz);
CREATE INDEX i1 ON i (x);
CREATE INDEX i2 ON i (x, y);
CREATE INDEX i3 ON i (x DESC);
CREATE INDEX i4 ON i (x DESC, y);
CREATE INDEX i5 ON i (y ASC NULLS LAST);
CREATE INDEX i6 ON i (y, x) INCLUDE (z);
CREATE INDEX i7 ON i (y) INCLUDE (z);
CREATE INDEX i8 ON i (lower(z));
CREATE INDEX i9 ON i (lower(z), x);
CREATE INDEX j1 ON i (z) WHERE x > 0;
CREATE INDEX j2 ON i (z, w) WHERE x > 0;
CREATE INDEX j3 ON i (z, w) WHERE x > 1;
CREATE INDEX j4 ON i (w COLLATE "C");
CREATE INDEX j5 ON i (w, x);
CREATE INDEX j6 ON i USING hash (w);
CREATE UNIQUE INDEX j7 ON i (w, x);
CREATE UNIQUE INDEX j8 ON i (w);
CREATE INDEX l1 ON i (u DESC NULLS FIRST);
CREATE INDEX l2 ON i (u DESC, x);
CREATE INDEX l0 ON i (a);
CREATE INDEX ON i ((x + y));
CREATE UNIQUE INDEX l3 ON i (a, x);
ALTER TABLE i ADD CONSTRAINT l3c UNIQUE USING INDEX l3;
ALTER TABLE i ADD PRIMARY KEY (a);
CREATE INDEX l4 ON i USING brin (x);
CREATE INDEX l5 ON i USING brin (x, y);
CREATE TABLE two (a int, b int, PRIMARY KEY (a, b));
CREATE TABLE f (x int, y int,
  z int REFERENCES k, q int, r int, CONSTRAINT f1 FOREIGN KEY (x, y) REFERENCES two ON DELETE CASCADE,
  FOREIGN KEY (q, r) REFERENCES two);
CREATE INDEX f_yx ON f (y, x, z);
CREATE INDEX f_q ON f (q);
CREATE INDEX f_z ON f (z) WHERE z IS NOT NULL;
CREATE TABLE g (x int REFERENCES k ON DELETE SET NULL, y int REFERENCES k ON DELETE CASCADE,
  z int REFERENCES k ON DELETE CASCADE);
CREATE INDEX g_x ON g (x) WHERE x > 0;
CREATE INDEX g_y ON g USING hash (y);
ALTER TABLE g RENAME COLUMN z TO zz;
CREATE INDEX g_z ON g (zz);
CREATE TABLE p (a int, b timestamp, PRIMARY KEY (a)) PARTITION BY RANGE (a);
CREATE TABLE p1 PARTITION OF p FOR VALUES FROM (0) TO (9);
CREATE TABLE h (a int, b int, c text) ;
INSERT INTO h VALUES (1, 2);
INSERT INTO h SELECT 1, 2 WHERE NOT EXISTS (SELECT FROM h WHERE a = 1);
CREATE UNIQUE INDEX h_a ON h (a);
INSERT INTO h VALUES (2, 2) ON CONFLICT DO NOTHING;
INSERT INTO h VALUES (3, 2);
INSERT INTO h VALUES (3, 2) ON CONFLICT (a) DO UPDATE SET b = 3;
WITH n AS (SELECT 4) INSERT INTO h SELECT * FROM n WHERE NOT EXISTS (SELECT FROM h WHERE a = 4);
"""
FEWEST = {"M304": 3, "M305": 3, "M504": 2, "M505": 6, "M506": 6, "M507": 1, "M508": 2, "M509": 2, "M510": 14, "M511": 2}


def test_lint_and_the_server_agree(database: str) -> None:
    """Columns, keys, indexes and rows that a rule reports are those that PostgreSQL's catalog, or a second run, has."""
    with psycopg.connect(database) as connection:
        comparison = compare(AWKWARD, connection)
    for code, (lint, server) in comparison.items():
        assert lint == server, code
        assert lint.total() >= FEWEST[code], code
    assert comparison.keys() == FEWEST.keys()
