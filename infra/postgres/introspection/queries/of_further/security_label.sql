-- Security labels: the provider, and the object as PostgreSQL names it.
SELECT 'security label', format('%%I on %%s %%s', l.provider, l.objtype, l.objname), l.label
FROM pg_seclabels l
WHERE l.classoid NOT IN ('pg_authid'::regclass, 'pg_database'::regclass, 'pg_tablespace'::regclass)
