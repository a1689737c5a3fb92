"""The API is the way in: commands to the log, questions to the read models, and every no with its reason."""
