"""Documents and deployment files are held to the code that they speak of."""
