"""The documents of a schema: pictures, pages, and the files they are written to."""
