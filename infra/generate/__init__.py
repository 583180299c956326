"""From SQLAlchemy models to the text of SQL modules."""
