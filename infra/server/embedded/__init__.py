"""A PostgreSQL server of this machine's own, run as a daemon on loopback."""
