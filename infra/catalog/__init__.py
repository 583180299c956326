"""A database's catalog as a value, without a server: what it holds, how two differ, one fingerprint."""
