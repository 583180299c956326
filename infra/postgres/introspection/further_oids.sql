-- The oids of what the current transaction changed among the kinds that few modules create, and a few more: see
-- changed_oids.sql. Reading these kinds reads all security labels too, whose objects may be of any kind.
SELECT c.oid::bigint FROM pg_catalog.pg_collation c WHERE age(c.xmin) <= 0
UNION ALL SELECT c.oid::bigint FROM pg_catalog.pg_conversion c WHERE age(c.xmin) <= 0
UNION ALL SELECT o.oid::bigint FROM pg_catalog.pg_operator o WHERE age(o.xmin) <= 0
UNION ALL SELECT f.oid::bigint FROM pg_catalog.pg_opfamily f WHERE age(f.xmin) <= 0
UNION ALL SELECT c.oid::bigint FROM pg_catalog.pg_opclass c WHERE age(c.xmin) <= 0
UNION ALL SELECT p.oid::bigint FROM pg_catalog.pg_amop p WHERE age(p.xmin) <= 0
UNION ALL SELECT p.oid::bigint FROM pg_catalog.pg_amproc p WHERE age(p.xmin) <= 0
UNION ALL SELECT p.oid::bigint FROM pg_catalog.pg_ts_parser p WHERE age(p.xmin) <= 0
UNION ALL SELECT t.oid::bigint FROM pg_catalog.pg_ts_template t WHERE age(t.xmin) <= 0
UNION ALL SELECT d.oid::bigint FROM pg_catalog.pg_ts_dict d WHERE age(d.xmin) <= 0
UNION ALL SELECT c.oid::bigint FROM pg_catalog.pg_ts_config c WHERE age(c.xmin) <= 0
UNION ALL SELECT c.oid::bigint FROM pg_catalog.pg_cast c WHERE age(c.xmin) <= 0
UNION ALL SELECT l.oid::bigint FROM pg_catalog.pg_language l WHERE age(l.xmin) <= 0
UNION ALL SELECT t.oid::bigint FROM pg_catalog.pg_transform t WHERE age(t.xmin) <= 0
UNION ALL SELECT m.oid::bigint FROM pg_catalog.pg_am m WHERE age(m.xmin) <= 0
UNION ALL SELECT w.oid::bigint FROM pg_catalog.pg_foreign_data_wrapper w WHERE age(w.xmin) <= 0
UNION ALL SELECT s.oid::bigint FROM pg_catalog.pg_foreign_server s WHERE age(s.xmin) <= 0
UNION ALL SELECT m.umid::bigint FROM pg_catalog.pg_user_mappings m
UNION ALL SELECT p.oid::bigint FROM pg_catalog.pg_publication p WHERE age(p.xmin) <= 0
UNION ALL SELECT r.oid::bigint FROM pg_catalog.pg_publication_rel r WHERE age(r.xmin) <= 0
UNION ALL SELECT n.oid::bigint FROM pg_catalog.pg_publication_namespace n WHERE age(n.xmin) <= 0
UNION ALL SELECT s.oid::bigint FROM pg_catalog.pg_subscription s
UNION ALL SELECT o.oid::bigint FROM pg_catalog.pg_largeobject_metadata o WHERE age(o.xmin) <= 0
