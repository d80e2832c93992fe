"""When static files are collected anew."""

from core import statics


def collected_by(settings, backend):
    settings.STORAGES = settings.STORAGES | {"staticfiles": {"BACKEND": backend}}
    return statics.fingerprint()


def test_the_stamp_names_the_storage(settings):
    """Plain storage writes no manifest, so that what it collected is nothing for pages with hashed names."""
    plain = collected_by(settings, "django.contrib.staticfiles.storage.StaticFilesStorage")
    assert plain == statics.fingerprint()
    assert collected_by(settings, "core.npm.ManifestStorage") != plain


def test_another_storage_collects_again(settings, tmp_path):
    settings.STATIC_ROOT, settings.STATICFILES_FINDERS = tmp_path, []
    settings.STORAGES = settings.STORAGES | {"staticfiles": {"BACKEND": "core.npm.ManifestStorage"}}
    assert statics.collect()
    assert not statics.collect()
    assert (tmp_path / "staticfiles.json").exists()
    (tmp_path / "staticfiles.json").unlink()
    settings.STORAGES = settings.STORAGES | {
        "staticfiles": {"BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"}
    }
    assert statics.collect()
    settings.STORAGES = settings.STORAGES | {"staticfiles": {"BACKEND": "core.npm.ManifestStorage"}}
    assert statics.collect()
    assert (tmp_path / "staticfiles.json").exists()
