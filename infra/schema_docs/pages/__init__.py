"""The schema in words, as one page of HTML and as Markdown; nothing is read or run to make them."""
