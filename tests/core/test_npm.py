"""Files of npm packages as static files: those on the list, and no other."""

import json

import pytest
from django.contrib.staticfiles import finders
from django.core.exceptions import ImproperlyConfigured
from django.core.management import call_command

from core.npm import NpmFinder, without_source_maps

HTMX = "vendor/htmx/htmx.min.js"


def test_a_file_on_the_list_is_found():
    assert finders.find(HTMX).endswith("node_modules/htmx.org/dist/htmx.min.js")


def test_a_pattern_finds_all_its_files():
    names = [name for name, storage in NpmFinder().list([]) if storage.prefix == "vendor/inter"]
    assert "files/inter-latin-wght-normal.woff2" in names
    assert len(names) >= 7


def test_a_file_beside_the_list_is_not_found():
    assert finders.find("vendor/htmx/htmx.js") is None


def test_a_missing_package_says_what_to_do(settings, tmp_path):
    settings.NODE_MODULES = tmp_path
    assert NpmFinder().find(HTMX) == []
    with pytest.raises(ImproperlyConfigured, match="npm ci"):
        list(NpmFinder().list([]))


def test_rules_that_follow_source_maps_are_gone():
    rules = (("*.js", (r"sourceMappingURL=(.*)", ("sourceMappingURL=(.*)", "x"), r"import (.*)")),)
    assert without_source_maps(rules) == (("*.js", (r"import (.*)",)),)


def test_everything_can_be_collected(settings, tmp_path):
    settings.STATIC_ROOT = tmp_path
    settings.STORAGES = settings.STORAGES | {"staticfiles": {"BACKEND": "core.npm.ManifestStorage"}}
    call_command("collectstatic", interactive=False, verbosity=0)
    names = json.loads((tmp_path / "staticfiles.json").read_text())["paths"]
    assert {HTMX, "css/tokens.css", "js/charts.js", "img/favicon.svg", "vendor/tabler/css/tabler.min.css"} <= set(names)
    assert "inter-latin-wght-normal." in (tmp_path / names["css/fonts.css"]).read_text()
