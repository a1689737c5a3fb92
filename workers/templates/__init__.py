"""Templates are the words of each notification: `<name>.txt`, its first line the subject, and `<name>.html`."""
