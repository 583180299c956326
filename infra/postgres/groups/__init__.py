"""Groups: many databases of one server with the same modules, on which work is carried out in parallel."""
