"""Tests of mail: the channel's contract, SMTP against a real mailbox, the mailbox, and every template."""
