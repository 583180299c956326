/* platform-postgres: the functions of contrib/uuid-ossp, written in SQL */

-- complain if script is sourced in psql, rather than via CREATE EXTENSION
\echo Use '''CREATE EXTENSION "uuid-ossp"''' to load this file. \quit

-- Names, arguments, volatility, strictness, parallel flags and costs are those of the C module. Every body is parsed when
-- it is created (RETURN, PostgreSQL 14 and later), so it does not depend on anybody's search_path and the extension may be
-- moved to another schema. Constants and name spaces: RFC 4122, 4.1.7 and appendix C.

CREATE FUNCTION uuid_nil()
RETURNS uuid
IMMUTABLE STRICT LANGUAGE sql PARALLEL SAFE COST 1
RETURN '00000000-0000-0000-0000-000000000000'::uuid;

CREATE FUNCTION uuid_ns_dns()
RETURNS uuid
IMMUTABLE STRICT LANGUAGE sql PARALLEL SAFE COST 1
RETURN '6ba7b810-9dad-11d1-80b4-00c04fd430c8'::uuid;

CREATE FUNCTION uuid_ns_url()
RETURNS uuid
IMMUTABLE STRICT LANGUAGE sql PARALLEL SAFE COST 1
RETURN '6ba7b811-9dad-11d1-80b4-00c04fd430c8'::uuid;

CREATE FUNCTION uuid_ns_oid()
RETURNS uuid
IMMUTABLE STRICT LANGUAGE sql PARALLEL SAFE COST 1
RETURN '6ba7b812-9dad-11d1-80b4-00c04fd430c8'::uuid;

CREATE FUNCTION uuid_ns_x500()
RETURNS uuid
IMMUTABLE STRICT LANGUAGE sql PARALLEL SAFE COST 1
RETURN '6ba7b814-9dad-11d1-80b4-00c04fd430c8'::uuid;

-- SHA-1 is not in PostgreSQL's core; this takes it from pgcrypto's library, so that the extension pgcrypto need not exist.
CREATE FUNCTION uuid_ossp_digest(data bytea, algorithm text)
RETURNS bytea
AS 'MODULE_PATHNAME', 'pg_digest'
IMMUTABLE STRICT LANGUAGE C PARALLEL SAFE;

-- Version 1: 100 ns since 1582-10-15 in 60 bits, then a clock sequence and a node. The latter two are random: a version 4
-- UUID supplies them, its variant bits already in place; the node's multicast and local bits are set (RFC 4122, 4.5).
CREATE FUNCTION uuid_generate_v1mc()
RETURNS uuid
VOLATILE STRICT LANGUAGE sql PARALLEL SAFE COST 1
RETURN (
    SELECT CAST(
        substr(ticks, 8, 8) || substr(ticks, 4, 4) || '1' || substr(ticks, 1, 3)
        || encode(substr(set_bit(set_bit(noise, 80, 1), 81, 1), 9, 8), 'hex') AS uuid)
    FROM (
        SELECT
            lpad(to_hex(CAST(extract(epoch FROM clock_timestamp()) * 10000000 AS bigint) + 122192928000000000), 15, '0')
                AS ticks,
            uuid_send(gen_random_uuid()) AS noise
    ) AS parts
);

-- The C module puts the machine's MAC address here; SQL does not know it, and RFC 4122, 4.5 allows this instead.
CREATE FUNCTION uuid_generate_v1()
RETURNS uuid
VOLATILE STRICT LANGUAGE sql PARALLEL SAFE COST 1
RETURN uuid_generate_v1mc();

-- Versions 3 and 5 hash the bytes of the name as the database stores them, as the C module does. OFFSET 0 keeps the
-- planner from computing the hash once for every use of it.
CREATE FUNCTION uuid_generate_v3(namespace uuid, name text)
RETURNS uuid
IMMUTABLE STRICT LANGUAGE sql PARALLEL SAFE COST 1
RETURN (
    SELECT CAST(
        substr(hash, 1, 12) || '3' || substr(hash, 14, 3)
        || translate(substr(hash, 17, 1), '0123456789abcdef', '89ab89ab89ab89ab') || substr(hash, 18, 15) AS uuid)
    FROM (SELECT md5(uuid_send(namespace) || convert_to(name, getdatabaseencoding())) AS hash OFFSET 0) AS hashed
);

CREATE FUNCTION uuid_generate_v4()
RETURNS uuid
VOLATILE STRICT LANGUAGE sql PARALLEL SAFE COST 1
RETURN gen_random_uuid();

CREATE FUNCTION uuid_generate_v5(namespace uuid, name text)
RETURNS uuid
IMMUTABLE STRICT LANGUAGE sql PARALLEL SAFE COST 1
RETURN (
    SELECT CAST(
        substr(hash, 1, 12) || '5' || substr(hash, 14, 3)
        || translate(substr(hash, 17, 1), '0123456789abcdef', '89ab89ab89ab89ab') || substr(hash, 18, 15) AS uuid)
    FROM (
        SELECT encode(
            uuid_ossp_digest(uuid_send(namespace) || convert_to(name, getdatabaseencoding()), 'sha1'), 'hex') AS hash
        OFFSET 0
    ) AS hashed
);
