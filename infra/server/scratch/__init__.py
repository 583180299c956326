"""A private PostgreSQL server for one process: proofs and documents are made on it."""
