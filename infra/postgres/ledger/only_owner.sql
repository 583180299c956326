-- The owner's default privileges give others what it creates; the ledger is for the owner alone.
DO $$
DECLARE
    granted record;
BEGIN
    FOR granted IN
        SELECT 'SCHEMA' AS kind, n.oid::regnamespace::text AS name, x.grantee
        FROM pg_namespace n, aclexplode(n.nspacl) x
        WHERE n.nspname = 'sqlmodule' AND x.grantee <> n.nspowner
        UNION
        SELECT CASE c.relkind WHEN 'S' THEN 'SEQUENCE' ELSE 'TABLE' END, c.oid::regclass::text, x.grantee
        FROM pg_class c, aclexplode(c.relacl) x
        WHERE c.relnamespace = 'sqlmodule'::regnamespace AND x.grantee <> c.relowner
    LOOP
        EXECUTE format(
            'REVOKE ALL ON %s %s FROM %s',
            granted.kind,
            granted.name,
            CASE granted.grantee WHEN 0 THEN 'PUBLIC' ELSE granted.grantee::regrole::text END
        );
    END LOOP;
END
$$;
