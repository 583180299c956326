"""The schema in words: one page of HTML, and Markdown; values in, text out."""
