-- A number that is another one after whatever changes what this program reads of a catalog, and perhaps after more.
-- Every statement that changes a catalog's row writes it anew, with its transaction's id as xmin, or removes it. (What
-- VACUUM and ANALYZE write into rows in place is not read.) So the number is a sum over the catalogs and the xmin of
-- their rows, but for those that initdb wrote before there were transactions. The ids are counted from 3, the first one
-- (manual, 66.1), by age(), because the type xid is not hashed. Rows of temporary objects count as long as there are any.
-- Left out are catalogs whose rows are not written without those of another one: pg_aggregate with pg_proc, pg_attrdef
-- with pg_attribute, pg_range with pg_type; pg_amop and pg_amproc with pg_depend. Each catalog has a cost,
-- since a new session opens all its indexes to plan this.
-- Roles and subscriptions count by their names, because the rows of their catalogs are not for every role to read.
-- In `of_others` the rows are left out that the current transaction wrote: it sees them though they are in progress.
WITH of_rows (hash, age) AS (
    SELECT pg_catalog.hashint8extended(pg_catalog.age(r.xmin) - first.age, r.tableoid::bigint), pg_catalog.age(r.xmin)
    FROM (SELECT pg_catalog.age('3'::pg_catalog.xid)::bigint) AS first (age), (
        SELECT tableoid, xmin FROM pg_catalog.pg_am
        UNION ALL SELECT tableoid, xmin FROM pg_catalog.pg_attribute
        UNION ALL SELECT tableoid, xmin FROM pg_catalog.pg_cast
        UNION ALL SELECT tableoid, xmin FROM pg_catalog.pg_class
        UNION ALL SELECT tableoid, xmin FROM pg_catalog.pg_collation
        UNION ALL SELECT tableoid, xmin FROM pg_catalog.pg_constraint
        UNION ALL SELECT tableoid, xmin FROM pg_catalog.pg_conversion
        UNION ALL SELECT tableoid, xmin FROM pg_catalog.pg_default_acl
        UNION ALL SELECT tableoid, xmin FROM pg_catalog.pg_db_role_setting s
        WHERE s.setrole = 0
            AND s.setdatabase = (SELECT d.oid FROM pg_catalog.pg_database d WHERE d.datname = pg_catalog.current_database())
        UNION ALL SELECT tableoid, xmin FROM pg_catalog.pg_depend
        UNION ALL SELECT tableoid, xmin FROM pg_catalog.pg_description
        UNION ALL SELECT tableoid, xmin FROM pg_catalog.pg_enum
        UNION ALL SELECT tableoid, xmin FROM pg_catalog.pg_event_trigger
        UNION ALL SELECT tableoid, xmin FROM pg_catalog.pg_extension
        UNION ALL SELECT tableoid, xmin FROM pg_catalog.pg_foreign_data_wrapper
        UNION ALL SELECT tableoid, xmin FROM pg_catalog.pg_foreign_server
        UNION ALL SELECT tableoid, xmin FROM pg_catalog.pg_foreign_table
        UNION ALL SELECT tableoid, xmin FROM pg_catalog.pg_index
        UNION ALL SELECT tableoid, xmin FROM pg_catalog.pg_inherits
        UNION ALL SELECT tableoid, xmin FROM pg_catalog.pg_language
        UNION ALL SELECT tableoid, xmin FROM pg_catalog.pg_namespace n WHERE n.nspname !~ '^pg_(toast_)?temp_'
        UNION ALL SELECT tableoid, xmin FROM pg_catalog.pg_opclass
        UNION ALL SELECT tableoid, xmin FROM pg_catalog.pg_operator
        UNION ALL SELECT tableoid, xmin FROM pg_catalog.pg_opfamily
        UNION ALL SELECT tableoid, xmin FROM pg_catalog.pg_policy
        UNION ALL SELECT tableoid, xmin FROM pg_catalog.pg_proc
        UNION ALL SELECT tableoid, xmin FROM pg_catalog.pg_publication
        UNION ALL SELECT tableoid, xmin FROM pg_catalog.pg_publication_namespace
        UNION ALL SELECT tableoid, xmin FROM pg_catalog.pg_publication_rel
        UNION ALL SELECT tableoid, xmin FROM pg_catalog.pg_rewrite
        UNION ALL SELECT tableoid, xmin FROM pg_catalog.pg_seclabel
        UNION ALL SELECT tableoid, xmin FROM pg_catalog.pg_sequence
        UNION ALL SELECT tableoid, xmin FROM pg_catalog.pg_statistic_ext
        UNION ALL SELECT tableoid, xmin FROM pg_catalog.pg_transform
        UNION ALL SELECT tableoid, xmin FROM pg_catalog.pg_trigger
        UNION ALL SELECT tableoid, xmin FROM pg_catalog.pg_ts_config
        UNION ALL SELECT tableoid, xmin FROM pg_catalog.pg_ts_dict
        UNION ALL SELECT tableoid, xmin FROM pg_catalog.pg_ts_parser
        UNION ALL SELECT tableoid, xmin FROM pg_catalog.pg_ts_template
        UNION ALL SELECT tableoid, xmin FROM pg_catalog.pg_type
    ) AS r (tableoid, xmin)
    WHERE r.xmin <> '1' AND r.xmin <> '2'
), of_names (hash) AS (
    SELECT pg_catalog.hashtextextended(pg_catalog.pg_get_userbyid(r.oid)::text, r.oid::bigint)
    FROM (
        SELECT 10::pg_catalog.oid
        UNION
        SELECT s.refobjid
        FROM pg_catalog.pg_shdepend s
        WHERE s.dbid = (SELECT d.oid FROM pg_catalog.pg_database d WHERE d.datname = pg_catalog.current_database())
          AND s.refclassid::bigint = 1260  -- pg_authid; cast, since the index on it has those of all databases
    ) AS r (oid)
    UNION ALL
    SELECT pg_catalog.hashtextextended(s.subname::text, s.oid::bigint)
    FROM pg_catalog.pg_subscription s
    WHERE s.subdbid = (SELECT d.oid FROM pg_catalog.pg_database d WHERE d.datname = pg_catalog.current_database())
    UNION ALL
    SELECT pg_catalog.hashtextextended(pg_catalog.current_setting('server_version'), 0)
)
SELECT pg_catalog.sum(h.hash)::text AS catalog_version,
    (pg_catalog.sum(h.hash) FILTER (WHERE CASE WHEN h.age > 0 THEN true ELSE 'in progress' IS DISTINCT FROM
        pg_catalog.pg_xact_status((pg_catalog.pg_current_xact_id_if_assigned()::text::numeric - h.age)::text::xid8)
    END))::text AS of_others
FROM (SELECT hash, age FROM of_rows UNION ALL SELECT hash, 1 FROM of_names) AS h
