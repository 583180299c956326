-- Extensions that the platform uses; this file is written by hand.
-- IF NOT EXISTS is right here, as nowhere else: the stack may have created them already, under a role that is allowed to
-- create any extension, and an extension of that name cannot be something else than the extension.

CREATE EXTENSION IF NOT EXISTS "uuid-ossp";  -- uuid_generate_v4() and its kin
CREATE EXTENSION IF NOT EXISTS pgcrypto;     -- digests, encryption, random bytes
CREATE EXTENSION IF NOT EXISTS pg_trgm;      -- similarity of texts, and indexes for LIKE '%…%'
