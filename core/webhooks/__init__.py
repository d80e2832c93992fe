"""Telling programs outside what happened here: events, signed messages, retries, the log (docs/webhooks.md)."""
