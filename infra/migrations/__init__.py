"""The revisions that existing databases run: their order, their SQL, and the databases that they begin from."""
