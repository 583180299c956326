"""The documentation of a schema: pictures, pages, and the files that hold them."""
