"""`python -m workers` is the command line `orders`."""

from workers.cli import main

main()
