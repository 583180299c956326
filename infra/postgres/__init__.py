"""Everything that talks to a live PostgreSQL server through psycopg."""
