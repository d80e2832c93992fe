"""Backups made by hand: small ones, and copies of real ones with one thing changed."""

import hashlib
import json
import zipfile

from core.backup import archive


def make_backup(path, *, sql=b"SELECT 1;\n", files=None, **changed):
    """A whole backup with one changed fact per keyword: `migrations=[…]`, `postgres=19`, `format=2`."""
    facts = {"made_at": "2026-01-02T03:04:05+00:00", "version": "0", "postgres": 18, "migrations": [], "tables": {}}
    with archive.creating(path, force=True) as writer:
        writer.add(archive.DATABASE, [sql])
        writer.add(archive.SECRET_KEY, [b"secret"])
        for name, body in (files or {}).items():
            writer.add(name, [body])
        writer.close(facts | changed)
    return path


def rewrite(source, target, *, members=None, extra=None, facts=None, honest=True):
    """Copy a backup with other members or facts, sealed again. `honest` brings the manifest into line with them."""
    with zipfile.ZipFile(source) as old, zipfile.ZipFile(target, "w") as new:
        manifest = json.loads(old.read(archive.MANIFEST)) | (facts or {})
        for name in manifest["members"]:
            body = (members or {}).get(name) or old.read(name)
            new.writestr(name, body)
            if honest:
                manifest["members"][name] = {"bytes": len(body), "sha256": hashlib.sha256(body).hexdigest()}
        for name, body in (extra or {}).items():
            new.writestr(name, body)
        new.writestr(archive.MANIFEST, json.dumps(manifest))
        new.comment = b"0" * archive.DIGEST
    body = target.read_bytes()[: -archive.DIGEST]
    target.write_bytes(body + hashlib.sha256(body).hexdigest().encode())
    return target
