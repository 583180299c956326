"""For each rule: SQL that violates it, with file and line, and similar SQL that does not."""

from __future__ import annotations

from dataclasses import dataclass

T = "CREATE TABLE t (a int NOT NULL, b text, c timestamptz, CONSTRAINT t_pkey PRIMARY KEY (a));\n"


@dataclass(frozen=True)
class Case:
    """A rule, the texts of modules 01, 02, … that violate it, where they do, and the texts of modules that do not."""

    code: str
    bad: tuple[str, ...]
    at: str  # number of the module, colon, line
    good: tuple[str, ...]
    legacy: tuple[str, ...] = ()  # the defects of the old scripts that the rule would have found (docs/lint.md)


def case(code: str, bad: str | tuple[str, ...], at: str, good: str | tuple[str, ...], *legacy: str) -> Case:
    """Return a case; a single module may be given as its text alone."""
    bad_texts, good_texts = ((texts,) if isinstance(texts, str) else texts for texts in (bad, good))
    return Case(code, bad_texts, at, good_texts, legacy)


FUNCTION = "CREATE FUNCTION touch() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RETURN NEW; END $$;\n"
TRIGGER = "CREATE TRIGGER g BEFORE UPDATE ON t FOR EACH ROW EXECUTE FUNCTION touch();\n"
ADD = "ALTER TABLE r ADD CONSTRAINT f FOREIGN KEY"
R = "CREATE TABLE r (x int, y varchar(5));\nCREATE INDEX i ON r (x);\nCREATE INDEX j ON r (y);\n"
KEYED = "CREATE TABLE k (a int, b varchar(9), CONSTRAINT k_pkey PRIMARY KEY (a), CONSTRAINT kb UNIQUE (b));\n"
DEFINER = "CREATE FUNCTION f() RETURNS int LANGUAGE sql SECURITY DEFINER"

CASES: list[Case] = [
    # Files; names, numbers and encodings are in test_files.py.
    case("M105", "-- a\n" + "SELECT 1;\n" * 300, "1:301", "-- a\n" + "SELECT 1;\n" * 299),
    case("M106", "\nSELECT 1;\n-- late\n", "1:1", "/* early */\nSELECT 1;"),
    case("M106", "--\nSELECT 1;", "1:1", "--\n-- A sentence.\nSELECT 1;"),
    case("M108", "SELECT 1;\nSELCT 2;", "1:2", "SELECT 1;\nSELECT 2;"),
    case("M109", "-- nothing\n;", "1:0", "SELECT 1;"),
    # Order.
    case("M201", ("COMMENT ON TABLE t IS 'x';", T), "1:1", (T, "COMMENT ON TABLE t IS 'x';"), "M3"),
    case("M201", "CREATE INDEX i ON t (a);\n" + T, "1:1", T + "CREATE INDEX i ON t (a);"),
    case("M201", (T + TRIGGER, FUNCTION), "1:2", (FUNCTION, T + TRIGGER), "S13"),
    case("M201", ("CREATE TABLE u (k kind);", "CREATE TYPE kind AS ENUM ('a');"), "1:1",
         ("DO $$ BEGIN CREATE TYPE kind AS ENUM ('a'); END $$;", "CREATE TABLE u (k kind);")),
    case("M201", "CREATE TABLE u (n int DEFAULT nextval('s'));\nCREATE SEQUENCE s;", "1:1",
         "CREATE SEQUENCE s;\nCREATE TABLE u (n int DEFAULT nextval('s'::regclass));"),
    case("M201", "CREATE VIEW v AS WITH w AS (SELECT * FROM t) SELECT * FROM w;\n" + T, "1:1",
         T + "CREATE VIEW v AS WITH w AS (SELECT * FROM t) SELECT * FROM w, pg_class, information_schema.tables;"),
    case("M201", "CREATE FUNCTION f() RETURNS bigint LANGUAGE sql AS 'SELECT count(*) FROM t';\n" + T, "1:1",
         "CREATE FUNCTION f() RETURNS bigint LANGUAGE plpgsql AS 'BEGIN SELECT count(*) FROM t; END';\n" + T),
    case("M201", "CREATE TABLE s.x (a int);\nCREATE SCHEMA s;", "1:1", "CREATE SCHEMA s CREATE TABLE x (a int);\nSELECT * FROM s.x;"),
    case("M202", "CREATE TABLE u (a int REFERENCES usrs (id) ON DELETE CASCADE);", "1:1",
         "CREATE TABLE u (a int PRIMARY KEY, b int REFERENCES u ON DELETE CASCADE);", "M3"),
    case("M202", T + "ALTER TABLE t RENAME TO n;\nSELECT * FROM t;", "1:3", T + "ALTER TABLE t RENAME TO n;\nSELECT * FROM n;"),
    case("M202", "WITH w AS (SELECT 1 AS a) SELECT * FROM w, v;", "1:1", T + "WITH w AS (SELECT 1 AS a) INSERT INTO t SELECT a FROM w;"),
    case("M202", "CREATE FUNCTION f() RETURNS bigint LANGUAGE sql AS 'WITH w AS (SELECT 1) SELECT count(*) FROM v';", "1:1",
         "CREATE FUNCTION f() RETURNS bigint LANGUAGE sql AS 'WITH w AS (SELECT 1) SELECT count(*) FROM w';\n"
         "CREATE FUNCTION g() RETURNS bigint LANGUAGE sql BEGIN ATOMIC WITH w AS (SELECT 1) SELECT count(*) FROM w; END;"),
    case("M202", "SELECT no_such_function(1);", "1:1", "SELECT gen_random_uuid(), now(), coalesce(1, 2), date('2020-01-01');"),
    case("M202", "CREATE TABLE u (a citxt);", "1:1", 'CREATE TABLE u (a "char", b serial, c int4range, d t[]);\n' + T),
    case("M202", "DROP TABLE nobody;", "1:1", "DROP TABLE IF EXISTS nobody;"),
    case("M202", "CREATE EVENT TRIGGER e ON ddl_command_end EXECUTE FUNCTION nobody();", "1:1", FUNCTION + T + TRIGGER),
    case("M202", T + "GRANT SELECT\nON t TO reporter;", "1:3", T + "GRANT SELECT ON t TO shop_app, pg_monitor, PUBLIC, CURRENT_USER;"),
    case("M202", T + "CREATE POLICY p ON t\nTO reporter USING (true);", "1:3", T + "CREATE POLICY p ON t TO shop_readonly USING (true);"),
    case("M202", "ALTER DEFAULT PRIVILEGES IN SCHEMA public\nREVOKE SELECT ON TABLES FROM boss;", "1:2",
         "ALTER DEFAULT PRIVILEGES IN SCHEMA public REVOKE SELECT ON TABLES FROM shop_app;"),
    case("M202", T + "CREATE INDEX i ON t (b) TABLESPACE fast;", "1:2", T + "CREATE INDEX i ON t (b) TABLESPACE pg_default;"),
    case("M202", "CREATE TABLE u (a int UNIQUE) TABLESPACE fast;", "1:1", "CREATE TABLE u (a int UNIQUE) TABLESPACE pg_default;"),
    case("M202", "CREATE TABLE u (a int) USING columnar;", "1:1", "CREATE TABLE u (a int) USING heap;"),
    case("M203", "CREATE TABLE u (a uuid DEFAULT uuid_generate_v4());", "1:1",
         'CREATE EXTENSION "uuid-ossp";\nCREATE TABLE u (a uuid DEFAULT uuid_generate_v4());'),
    case("M203", (T + "CREATE INDEX i ON t USING gin (b gin_trgm_ops);", "CREATE EXTENSION pg_trgm;"), "1:2",
         ("CREATE EXTENSION pg_trgm;", T + "CREATE INDEX i ON t USING gin (b gin_trgm_ops);")),
    case("M203", "CREATE TABLE u (a vector(3));", "1:1", "CREATE EXTENSION vector;\nCREATE TABLE u (a vector(3));"),
    case("M203", T + "CREATE INDEX i ON t USING hnsw (a);", "1:2", T + "CREATE INDEX i ON t USING brin (a);"),
    case("M204", (T, "CREATE TABLE t (z int);"), "2:1", (T, "CREATE SCHEMA o;\nCREATE TABLE o.t (z int);")),
    case("M204", "CREATE SCHEMA public;", "1:1", "CREATE SCHEMA IF NOT EXISTS public;\nCREATE SCHEMA shop;"),
    case("M205", T + "CREATE INDEX i ON t (aa);", "1:2", T + "ALTER TABLE t ADD aa int;\nCREATE INDEX i ON t (aa, lower(b));"),
    case("M205", T + "INSERT INTO t (z) VALUES (1);", "1:2", "CREATE TABLE u (LIKE t);\n" + T + "INSERT INTO u (z) VALUES (1);"),
    # Foreign keys.
    case("M301", (KEYED, R, f"{ADD} (x) REFERENCES r (x) ON DELETE CASCADE;"), "3:1",
         (KEYED, R, f"{ADD} (x) REFERENCES k ON DELETE CASCADE;")),
    case("M301", KEYED + R + "CREATE UNIQUE INDEX p ON r (x) WHERE x > 0;\n" + f"{ADD} (x) REFERENCES r (x) ON DELETE CASCADE;", "1:6",
         KEYED + R + "CREATE UNIQUE INDEX p ON r (x);\n" + f"{ADD} (x) REFERENCES r (x) ON DELETE CASCADE;"),
    case("M302", (KEYED, R, f"{ADD} (y) REFERENCES k (a) ON DELETE CASCADE;"), "3:1",
         (KEYED, R, f"{ADD} (x) REFERENCES k (a) ON DELETE CASCADE;"), "M1"),
    case("M302", "CREATE TABLE b (i bigserial PRIMARY KEY);\nCREATE TABLE c (i int PRIMARY KEY REFERENCES b ON DELETE CASCADE);", "1:2",
         "CREATE TABLE b (i bigserial PRIMARY KEY);\nCREATE TABLE c (i bigint PRIMARY KEY REFERENCES b ON DELETE CASCADE);"),
    case("M303", (KEYED, R, f"{ADD} (y) REFERENCES k (b) ON DELETE CASCADE;"), "3:1",
         (KEYED, R + "ALTER TABLE r ALTER y TYPE varchar(9);", f"{ADD} (y) REFERENCES k (b) ON DELETE CASCADE;")),
    case("M304", KEYED + "CREATE TABLE c (i int CONSTRAINT f REFERENCES k ON DELETE CASCADE);", "1:2",
         (KEYED + "CREATE TABLE c (i int CONSTRAINT f REFERENCES k ON DELETE CASCADE);", "CREATE INDEX ON c (i) WHERE i IS NOT NULL;")),
    case("M304", KEYED + "CREATE TABLE c (i int CONSTRAINT f REFERENCES k ON DELETE CASCADE, j int);\nCREATE INDEX n ON c (j, i);", "1:2",
         KEYED + "CREATE TABLE c (i int CONSTRAINT f REFERENCES k ON DELETE CASCADE, j int);\nCREATE INDEX n ON c (i, j);"),
    case("M305", KEYED + "CREATE TABLE c (\n a text DEFAULT 'on delete cascade',\n i int REFERENCES k -- on delete cascade\n);", "1:4",
         KEYED + "CREATE TABLE c (\n i int REFERENCES k on  delete\n no action\n);"),
    case("M306", KEYED + "CREATE TABLE c (i int NOT NULL REFERENCES k ON DELETE SET NULL);", "1:2",
         KEYED + "CREATE TABLE c (i int REFERENCES k ON DELETE SET NULL);"),
    # Safety.
    case("M401", "ALTER SYSTEM SET shared_buffers = '256MB';", "1:1", "SET LOCAL work_mem = '8MB';", "S5"),
    case("M401", "ALTER DATABASE CURRENT SET row_security = on;", "1:1", "ALTER TABLE t ENABLE ROW LEVEL SECURITY;\n" + T, "S3", "S4"),
    case("M401", "SELECT 1;\nSELECT pg_reload_conf();", "1:2", "SELECT 'pg_reload_conf()';", "S6"),
    case("M402", "CREATE ROLE app LOGIN PASSWORD 'changeme';", "1:1", "ALTER DEFAULT PRIVILEGES GRANT SELECT ON TABLES TO app;"),
    case("M402", "SET ROLE app;", "1:1", T + "GRANT SELECT ON t TO app;"),
    case("M403", T + "COPY t FROM PROGRAM 'curl x';", "1:2", T + "INSERT INTO t VALUES (1) ON CONFLICT DO NOTHING;"),
    case("M403", "COPY t FROM stdin;\n1\t2\n\\.\nSELECT 1;\n" + T, "1:1", "SELECT 'COPY t FROM stdin';\n" + T),
    case("M404", "GRANT ALL ON SCHEMA public TO PUBLIC;", "1:1", "REVOKE ALL ON SCHEMA public FROM PUBLIC;", "S16"),
    case("M404", "ALTER DEFAULT PRIVILEGES GRANT SELECT ON TABLES TO PUBLIC;", "1:1", T + 'GRANT SELECT ON t TO "public_reader";'),
    case("M405", "DROP TABLE IF EXISTS t;", "1:1", "CREATE TABLE droppings (a int);"),
    case("M405", T + "ALTER TABLE t DROP COLUMN b;", "1:2", T + "ALTER TABLE t ALTER b DROP NOT NULL, ALTER b DROP DEFAULT;"),
    case("M406", T + "TRUNCATE t;", "1:2", T + "DELETE FROM t WHERE a > 1;"),
    case("M407", T + "UPDATE t SET b = 'x';", "1:2", T + "UPDATE t SET b = 'x' WHERE b = 'y';"),
    case("M407", T + "WITH gone AS (\nDELETE FROM t) SELECT 1;", "1:3", T + "WITH gone AS (DELETE FROM t WHERE a = 1) SELECT 1;"),
    case("M408", DEFINER + " AS 'SELECT 1';", "1:1", DEFINER + " SET search_path = pg_catalog AS 'SELECT 1';"),
    case("M408", DEFINER + " AS 'SELECT 1';", "1:1", DEFINER + " AS 'SELECT 1';\nALTER FUNCTION f() SET search_path = pg_catalog;"),
    case("M409", "CREATE EXTENSION pg_jsonschema;", "1:1", "CREATE EXTENSION pg_trgm;", "S2"),
    case("M410", "VACUUM t;\n" + T, "1:1", "SELECT 'VACUUM';", "S10"),
    case("M410", T + "CREATE INDEX CONCURRENTLY i ON t (a);", "1:2",
         "-- platform-postgres: statement by statement\n" + T + "CREATE INDEX CONCURRENTLY i ON t (a);"),
    case("M411", "SELECT 1;\nCOMMIT;", "1:2", "DO $$ BEGIN PERFORM 1; END $$;", "S10"),
    case("M412", "-- x\n\\i 01-init-extensions.sql\nSELECT 1;", "1:2", "-- \\i x\nSELECT '\n\\i x';", "S8", "S9", "S14", "S27"),
    case("M412", "SELECT 1;\nSELECT :schema;", "1:2", "SELECT ':schema', 1::int;", "S14"),
    case("M413", "SET timezone = 'UTC';", "1:1", "SET LOCAL timezone = 'UTC';", "S25", "S4"),
    case("M413", "SELECT set_config('row_security', 'off', false);", "1:1", "SET search_path = public;", "S4"),
    case("M414", "CREATE EXTENSION pg_stat_statements;", "1:1", "CREATE EXTENSION pgcrypto;", "S7"),
    case("M415", T + "ALTER TABLE t\n OWNER TO boss;", "1:3", T + "ALTER TABLE t OWNER TO CURRENT_USER;"),
    case("M415", FUNCTION + "ALTER FUNCTION touch() OWNER TO boss;", "1:2", FUNCTION + "ALTER FUNCTION touch() SET search_path = public;"),
    case("M415", "CREATE SCHEMA s AUTHORIZATION boss;", "1:1", "CREATE SCHEMA s AUTHORIZATION CURRENT_USER;"),
    case("M415", "ALTER DEFAULT PRIVILEGES FOR ROLE boss IN SCHEMA public GRANT SELECT ON TABLES TO a;", "1:1",
         "ALTER DEFAULT PRIVILEGES IN SCHEMA public GRANT SELECT ON TABLES TO a;"),
    case("M416", "CREATE EXTENSION pg_trgm;\nCOMMENT ON EXTENSION pg_trgm IS 'x';", "1:2", "COMMENT ON SCHEMA public IS 'x';"),
    case("M416", "CREATE PUBLICATION p FOR ALL TABLES;", "1:1", T + "CREATE PUBLICATION p FOR TABLE t;"),
    case("M416", FUNCTION + "CREATE EVENT TRIGGER e ON ddl_command_end EXECUTE FUNCTION touch();", "1:2", FUNCTION + T + TRIGGER),
    case("M416", "CREATE FUNCTION f() RETURNS int LANGUAGE c AS 'x';", "1:1", "CREATE FUNCTION f() RETURNS int LANGUAGE sql AS 'SELECT 1';"),
    case("M416", "CREATE TYPE b (INPUT = f, OUTPUT = g);", "1:1", "CREATE TYPE b AS (a int);\nCREATE TYPE e AS ENUM ('a');\nCREATE TYPE r AS RANGE (subtype = int4);"),
    case("M416", FUNCTION + "ALTER FUNCTION touch() LEAKPROOF;", "1:2", FUNCTION + "ALTER FUNCTION touch() NOT LEAKPROOF;"),
    case("M416", "CREATE FUNCTION f() RETURNS int LANGUAGE plpython3u AS 'return 1';", "1:1",
         "CREATE FUNCTION f() RETURNS int LANGUAGE plpgsql AS 'BEGIN RETURN 1; END';"),
    case("M416", "CREATE FUNCTION f(int) RETURNS bool LANGUAGE sql\nSUPPORT numeric_support AS 'SELECT $1 > 0';", "1:1",
         "CREATE FUNCTION f(int) RETURNS bool LANGUAGE sql AS 'SELECT $1 > 0';"),
    case("M416", T + "CREATE PUBLICATION p FOR TABLE t;\nALTER PUBLICATION p ADD TABLES IN SCHEMA public;", "1:3",
         T + "CREATE PUBLICATION p;\nALTER PUBLICATION p ADD TABLE t;"),
    case("M416", "CREATE TEXT SEARCH TEMPLATE s (LEXIZE = dsimple_lexize);", "1:1", "CREATE TEXT SEARCH DICTIONARY d (TEMPLATE = simple);"),
    case("M416", "CREATE TYPE c AS (a int);\nCREATE CAST (c AS int) WITHOUT FUNCTION;", "1:2",
         "CREATE TYPE c AS ENUM ('a');\nCREATE CAST (text AS c) WITH INOUT;"),
    case("M416", T + "ALTER TABLE t DISABLE TRIGGER ALL;", "1:2", T + "ALTER TABLE t DISABLE TRIGGER USER;"),
    case("M416", "REVOKE ALL ON FUNCTION pg_catalog.pg_stat_file(text) FROM PUBLIC;", "1:1", FUNCTION + "REVOKE ALL ON FUNCTION public.touch() FROM PUBLIC;"),
    case("M416", "COMMENT ON DATABASE shop IS 'x';", "1:1", T + "COMMENT ON TABLE t IS 'x';"),
    case("M416", "LOAD 'auto_explain';", "1:1", "SELECT 1;"),
    case("M417", "CREATE TABLE u (\na int, b int GENERATED ALWAYS AS (a + 1) VIRTUAL);", "1:1",
         "CREATE TABLE u (a int NOT NULL CHECK (a > 0), b int GENERATED ALWAYS AS (a + 1) STORED, c int REFERENCES u ON DELETE SET NULL);"),
    case("M417", "CREATE TABLE u (a int4range, b daterange, PRIMARY KEY (a, b WITHOUT OVERLAPS));", "1:1", "CREATE TABLE u (a int, PRIMARY KEY (a));"),
    case("M417", T + "ALTER TABLE t ADD CONSTRAINT c CHECK (a > 0) NOT ENFORCED;", "1:2", T + "ALTER TABLE t ADD CONSTRAINT c CHECK (a > 0) NOT VALID;"),
    case("M417", T + "ALTER TABLE t ADD CONSTRAINT n NOT NULL b NOT VALID;", "1:2", T + "ALTER TABLE t ALTER b SET NOT NULL, ADD d int NOT NULL DEFAULT 1;"),
    case("M417", T + "CREATE VIEW v AS SELECT j.a FROM t, JSON_TABLE(b::jsonb, '$' COLUMNS (a int)) j;", "1:2",
         T + "CREATE VIEW v AS SELECT JSON_OBJECT('a': 1), b IS JSON AS valid FROM t;"),
    # Quality.
    case("M501", "SELECT 1;\nCREATE TABLE references (id int);", "1:2", 'CREATE TABLE "references" (id int);', "S1"),
    case("M501", T + "CREATE INDEX i ON\nreferences (a);", "1:3", T + "SELECT a AS type, b AS value FROM t AS name;", "S1"),
    case("M502", f"SELECT 1 AS {'x' * 64};", "1:1", f"SELECT 1 AS {'x' * 63}, '{'x' * 70}'; -- {'x' * 70}"),
    case("M503", 'CREATE TABLE u (\n"userId" int);', "1:2", "CREATE TABLE U (\nuser_id INT);"),
    case("M503", "CREATE TABLE UserBase (id int);", "1:1", "COMMENT ON TABLE t IS 'UserBase';\n" + T),
    case("M504", T + "CREATE INDEX i ON t (a);", "1:2", T + "CREATE INDEX i ON t (a DESC);\nCREATE INDEX j ON t USING hash (a);", "S17"),
    case("M504", T + "CREATE UNIQUE INDEX i ON t (b);\nCREATE INDEX j ON t (b);", "1:3",
         T + "CREATE UNIQUE INDEX i ON t (b);\nCREATE INDEX j ON t (b) WHERE a > 0;", "S17"),
    case("M505", T + "CREATE INDEX i ON t (b);\nCREATE INDEX j ON t (b, c);", "1:2",
         T + "CREATE INDEX i ON t (c);\nCREATE INDEX j ON t (b, c);", "S18"),
    case("M505", T + "CREATE INDEX i ON t (b DESC);\nCREATE INDEX j ON t (b DESC NULLS FIRST, c);", "1:2",
         T + "CREATE INDEX i ON t (b DESC);\nCREATE INDEX j ON t (b DESC NULLS LAST, c);", "S18"),
    case("M505", T + "CREATE INDEX i ON t (b ASC NULLS LAST);\nCREATE INDEX j ON t (b, c);", "1:2",
         T + "CREATE INDEX i ON t (b NULLS FIRST);\nCREATE INDEX j ON t (b, c);", "S18"),
    case("M505", T + "CREATE INDEX i ON t (b);\nCREATE INDEX j ON t (b, c);", "1:2",
         T + "CREATE UNIQUE INDEX i ON t (b);\nCREATE INDEX j ON t (b text_pattern_ops, c);", "S18"),
    case("M506", "CREATE TABLE u (\na timestamp);", "1:2", "CREATE TABLE u (a timestamptz, b date, c timestamp with time zone);", "M6"),
    case("M506", T + "ALTER TABLE t ALTER c TYPE timestamp;", "1:2", T + "ALTER TABLE t ADD d timestamptz;", "M6"),
    case("M507", "CREATE TABLE u (a json);", "1:1", "CREATE TABLE u (a jsonb, json text);"),
    case("M508", "CREATE TABLE u (a bigserial);", "1:1", "CREATE TABLE u (a bigint GENERATED BY DEFAULT AS IDENTITY);"),
    case("M509", "CREATE TABLE u (a char(3));", "1:1", 'CREATE TABLE u (a "char", b varchar(3));'),
    case("M510", "CREATE TABLE u (\na int PRIMARY KEY);", "1:2", "CREATE TABLE u (a int NOT NULL DEFAULT 1 CONSTRAINT p PRIMARY KEY);"),
    case("M510", T + "CREATE INDEX ON t (b);", "1:2", T + "CREATE INDEX i ON t (b);"),
    case("M511", T + "INSERT INTO t VALUES (1);", "1:2",
         T + "INSERT INTO t SELECT 1 WHERE NOT EXISTS (SELECT FROM t AS present WHERE present.a = 1);", "M5"),
    case("M511", T + "INSERT INTO t SELECT 1;", "1:2", T + "INSERT INTO t VALUES (1) ON CONFLICT (a) DO NOTHING;", "M5"),
    case("M511", T + "INSERT INTO t SELECT a + 1 FROM t;", "1:2", T + "INSERT INTO t SELECT 1 EXCEPT SELECT a FROM t;"),
    case("M511", T + "INSERT INTO t SELECT 2 WHERE 2 IN (SELECT a FROM t);", "1:2", T + "INSERT INTO t SELECT 2 WHERE 2 NOT IN (SELECT a FROM t);"),
    case("M511", T + "INSERT INTO t SELECT 2 WHERE EXISTS (SELECT FROM t);", "1:2",
         T + "WITH present AS (SELECT a FROM t) INSERT INTO t SELECT 2 WHERE NOT EXISTS (SELECT FROM present WHERE a = 2);"),
    case("M511", T + "INSERT INTO t SELECT n.a FROM t JOIN (VALUES (3)) AS n (a) ON true;", "1:2",
         T + "INSERT INTO t SELECT n.a FROM (VALUES (3)) AS n (a) LEFT JOIN t USING (a) WHERE t.a IS NULL;"),
    case("M511", T + "INSERT INTO t SELECT n FROM generate_series(1, 3) AS n;", "1:2",
         T + "INSERT INTO t SELECT n FROM generate_series(1, 3) AS n ON CONFLICT (a) DO NOTHING;"),
    case("M511", T + "WITH added AS (INSERT INTO t VALUES (1) RETURNING a) SELECT a FROM added;", "1:2",
         T + "WITH v AS (SELECT 1 EXCEPT SELECT a FROM t), added AS (INSERT INTO t SELECT * FROM v) SELECT 1;"),
    case("M511", T + "DO $$ BEGIN INSERT INTO t VALUES (1); END $$;", "1:2",
         T + "DO $$ BEGIN IF NOT EXISTS (SELECT FROM t) THEN INSERT INTO t VALUES (1); END IF; END $$;"),
    case("M511", T + "DO $$ BEGIN FOR i IN 1 .. 3 LOOP INSERT INTO t VALUES (i); END LOOP; END $$;", "1:2",
         T + "DO $$ BEGIN FOR i IN 1 .. 3 LOOP INSERT INTO t VALUES (i) ON CONFLICT (a) DO NOTHING; END LOOP; END $$;"),
    case("M511", T + "CREATE FUNCTION f() RETURNS void LANGUAGE sql AS 'INSERT INTO t VALUES (1)';\nSELECT f();", "1:3",
         T + "CREATE FUNCTION f() RETURNS void LANGUAGE sql AS 'INSERT INTO t VALUES (1)';"),
    case("M511", T + "CREATE PROCEDURE p() LANGUAGE plpgsql AS 'BEGIN INSERT INTO t VALUES (1); END';\nCALL p();", "1:3",
         T + "CREATE PROCEDURE p() LANGUAGE sql AS 'INSERT INTO t VALUES (1) ON CONFLICT (a) DO NOTHING';\nCALL p();"),
    case("M511", T + "CREATE PROCEDURE p() LANGUAGE sql BEGIN ATOMIC INSERT INTO t VALUES (1); END;\nCALL p();", "1:3",
         T + "CREATE PROCEDURE p() LANGUAGE sql BEGIN ATOMIC DELETE FROM t WHERE a = 1; END;\nCALL p();"),
    case("M512", T + "ANALYZE t;", "1:2", "-- ANALYZE t;\nSELECT 'ANALYZE t';", "S20"),
    case("M512", T + "ALTER TABLE t VALIDATE CONSTRAINT t_pkey;", "1:2", T + "ALTER TABLE t ADD CONSTRAINT c CHECK (a > 0);", "S19"),
    case("M513", "CREATE TABLE IF NOT EXISTS u (a int);", "1:1", "CREATE EXTENSION IF NOT EXISTS pg_trgm;", "S11"),
]  # fmt: skip
