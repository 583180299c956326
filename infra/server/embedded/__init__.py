"""The server kind embedded: a PostgreSQL server on this machine, run as a daemon on 127.0.0.1."""
