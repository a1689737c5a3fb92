"""Printing makes the documents that the code can say by itself; `python -m workers.print_docs` writes them."""
