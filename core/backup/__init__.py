"""Backup and restore: one file with everything needed to start again elsewhere (docs/adr/0008-backup.md)."""
