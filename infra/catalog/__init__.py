"""The catalog of a database as a value, without a server: its objects, differences between two, its fingerprint."""
