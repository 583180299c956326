"""The SQL modules that are generated from SQLAlchemy models, and files that are generated in general."""
