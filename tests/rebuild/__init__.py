"""Read models rebuilt from the log: beside the live ones, proved before they are trusted, and nobody notices."""
