"""Templates are the words of each notification: `<language>/<name>.<channel>`, mails as text and as HTML."""
