"""Static files from npm packages: a list of the few that pages load, and a manifest without source maps.

`STATICFILES_DIRS` onto `node_modules` would collect 50 MB, and stop at style sheets that name missing maps.
"""

from collections.abc import Iterable, Iterator
from fnmatch import fnmatch
from pathlib import Path
from typing import Any

from django.conf import settings
from django.contrib.staticfiles.finders import BaseFinder
from django.core.exceptions import ImproperlyConfigured
from django.core.files.storage import FileSystemStorage, Storage
from whitenoise.storage import CompressedManifestStaticFilesStorage

SOURCE_MAP = "sourceMappingURL"


class NpmFinder(BaseFinder):
    """Finds the files that `NPM_FILES` names: `{prefix: (folder of node_modules, [patterns])}`."""

    def find(self, path: str, find_all: bool = False, **kwargs: Any) -> Any:
        found = [str(file) for name, _, file in self._files() if name == path and file.exists()]
        if find_all:
            return found
        return found[0] if found else []

    def list(self, ignore_patterns: Iterable[str] | None) -> Iterator[tuple[str, Storage]]:
        """Yields every file with its storage. Raises ImproperlyConfigured for a pattern without a file."""
        for name, storage, file in self._files():
            if not file.exists():
                raise ImproperlyConfigured(f"{file} is missing: run `npm ci`.")
            if not any(fnmatch(name, pattern) for pattern in ignore_patterns or ()):
                yield file.relative_to(storage.base_location).as_posix(), storage

    def _files(self) -> Iterator[tuple[str, FileSystemStorage, Path]]:
        for prefix, (folder, patterns) in settings.NPM_FILES.items():
            root = Path(settings.NODE_MODULES) / folder
            storage = FileSystemStorage(location=str(root))
            storage.prefix = prefix  # type: ignore[attr-defined]  # collectstatic reads it
            for pattern in patterns:
                for file in sorted(root.glob(pattern)) or [root / pattern]:
                    yield f"{prefix}/{file.relative_to(root).as_posix()}", storage, file


def follows_a_map(rule: str | tuple[str, str]) -> bool:
    return SOURCE_MAP in (rule if isinstance(rule, str) else rule[0])


def without_source_maps(patterns: Any) -> tuple[tuple[str, tuple[Any, ...]], ...]:
    """The rewriting rules of the manifest storage without those that follow `sourceMappingURL`."""
    return tuple((glob, tuple(rule for rule in rules if not follows_a_map(rule))) for glob, rules in patterns)


class ManifestStorage(CompressedManifestStaticFilesStorage):
    """Hashed names and compressed copies; source maps are not shipped and not looked for."""

    patterns = without_source_maps(CompressedManifestStaticFilesStorage.patterns)
