"""Private PostgreSQL servers that live as long as one process, for proofs and documents."""
