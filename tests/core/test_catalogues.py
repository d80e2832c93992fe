"""Catalogues are compiled where they lie; code that belongs to another account starts all the same."""

import tempfile

import pytest

from core import catalogues

TEXT = 'msgid ""\nmsgstr "Content-Type: text/plain; charset=UTF-8\\n"\n\nmsgid "Sign in"\nmsgstr "Anmelden"\n'


@pytest.fixture
def source(tmp_path):
    source = tmp_path / "de" / "LC_MESSAGES" / "django.po"
    source.parent.mkdir(parents=True)
    source.write_text(TEXT)
    return source


def test_it_works_once(source, tmp_path):
    assert catalogues.compile_changed(tmp_path) == [source.with_suffix(".mo")]
    assert catalogues.compile_changed(tmp_path) == []


def test_a_closed_directory_stops_nobody(source, tmp_path, monkeypatch, caplog):
    def refuse(**options):
        raise PermissionError(13, "Permission denied", str(options["dir"]))

    monkeypatch.setattr(tempfile, "mkstemp", refuse)
    assert catalogues.compile_changed(tmp_path) == []
    assert "stay as they are" in caplog.text
