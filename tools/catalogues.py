"""Keep the catalogues of texts complete: `update` merges new texts into them, `check` fails when something is missing.

    .venv/bin/python tools/catalogues.py update

Texts come from three places: Python (`gettext` and its kin), templates, and sentences of modules that are made without
a reader (the SPOKEN ones below; core.retelling says them in other languages). An f-string of theirs becomes a pattern:
f"{path.name} is empty." is `{name} is empty.`
"""

import argparse
import ast
import io
import re
import sys
from collections import Counter
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Final

from babel.messages.catalog import Catalog, Message
from babel.messages.extract import DEFAULT_KEYWORDS, extract
from babel.messages.pofile import read_po, write_po
from django.conf import settings
from django.utils.translation.template import templatize

ROOT: Final = Path(__file__).resolve().parent.parent
LOCALE: Final = ROOT / "locale"
LANGUAGES: Final = ("de", "es")
PACKAGES: Final = ("core", "customers", "loyalty", "analytics", "crm")
KEYWORDS: Final = {
    **DEFAULT_KEYWORDS,
    "gettext_lazy": None,
    "lazy": None,
    "_lazy": None,
    "gettext_noop": None,
    "ngettext_lazy": (1, 2),
    "pgettext_lazy": ((1, "c"), 2),
    "npgettext_lazy": ((1, "c"), 2, 3),
}
SPOKEN: Final = (
    "customers/importing/*.py",
    "analytics/clv/shop.py",
    "analytics/clv/fitting.py",
    "analytics/clv/beta_geometric.py",
    "analytics/clv/gamma_gamma.py",
    "analytics/clv/log_normal.py",
    "analytics/clv/regular_likelihood.py",
    "analytics/clv/spend.py",
    "analytics/clv/backtest.py",
    "analytics/clv/choice.py",
    "analytics/clv/levels.py",
    "analytics/clv/season.py",
    "analytics/clv/churn.py",
    "core/engine.py",
    "crm/night.py",
)
# Calls whose texts people read.
SPEAKS: Final = re.compile(r"[A-Z]\w*|problem|note|reason|append|replace|uncalibrated")
PLACEHOLDER: Final = re.compile(r"%\(\w+\)[sd]|\{\w+\}|%s|\[[Pp]oints?\]")
SENTENCE: Final = re.compile(r"[A-Za-z]{2,} [a-z“({]|[A-Za-z]{3,}\.|\{(reason|problem)\}")


def texts() -> Catalog:
    """Every text of the project, with the files that it is in."""
    found = Catalog(charset="utf-8")
    for path in sorted((ROOT / "templates").rglob("*.*")):
        lines = templatize(path.read_text()).splitlines()  # with the template's indentation, which Python refuses
        code = "\n".join(line.strip() for line in lines).encode()
        _add(found, path, extract("python", io.BytesIO(code), KEYWORDS))
    for path in sorted(path for name in PACKAGES for path in (ROOT / name).rglob("*.py")):
        if "migrations" not in path.parts:
            _add(found, path, extract("python", io.BytesIO(path.read_bytes()), KEYWORDS))
    for path in sorted(path for pattern in SPOKEN for path in ROOT.glob(pattern)):
        for text in spoken(ast.parse(path.read_text())):
            found.add(text, locations=[(str(path.relative_to(ROOT)), 0)])
    return found


def _add(
    found: Catalog, path: Path, messages: Iterable[tuple[int, str | tuple[str, ...], list[str], str | None]]
) -> None:
    for _line, text, _comments, context in messages:
        if text and (not isinstance(text, tuple) or text[0]):
            found.add(text, context=context, locations=[(str(path.relative_to(ROOT)), 0)])


def spoken(tree: ast.AST) -> Iterator[str]:
    """The sentences that a module hands to exceptions and notes, and its constants that are sentences."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Call) and SPEAKS.fullmatch(_name(node.func)):
            parts = [*node.args, *(keyword.value for keyword in node.keywords)]
        elif isinstance(node, ast.IfExp):
            parts = [node.body, node.orelse]
        elif isinstance(node, ast.Assign | ast.AnnAssign | ast.Return) and node.value:
            parts = [node.value]
        else:
            continue
        said = (pattern(one) for part in parts for one in _single(part))
        yield from (text for text in said if SENTENCE.search(text) and not text.startswith("SELECT"))


def _single(node: ast.expr) -> Iterator[ast.expr]:
    """The members of a list, a pair or an `or`; else the expression itself."""
    match node:
        case ast.List(elts=parts) | ast.Tuple(elts=parts) | ast.BoolOp(values=parts):
            for part in parts:
                yield from _single(part)
        case _:
            yield node


def _name(node: ast.expr) -> str:
    return node.attr if isinstance(node, ast.Attribute) else node.id if isinstance(node, ast.Name) else ""


def pattern(node: ast.expr) -> str:
    """A text or an f-string as a pattern with one name for each value; empty for anything else."""
    match node:
        case ast.Constant(value=str(text)):
            return text
        case ast.JoinedStr(values=parts):
            return "".join(pattern(part) for part in parts)
        case ast.FormattedValue(value=value):
            return "{" + (_names(value) or ["value"])[-1].strip("_") + "}"
        case ast.BinOp(left=left, op=ast.Add(), right=right):
            return "".join(pattern(part) or ("{" + _name(part) + "}" if _name(part) else "") for part in (left, right))
    return ""


def _names(node: ast.expr) -> list[str]:
    parts = [part for part in ast.walk(node) if isinstance(part, ast.expr)]
    return [_name(part) for part in reversed(parts) if _name(part)]


def path_of(language: str) -> Path:
    return LOCALE / language / "LC_MESSAGES" / "django.po"


def read(language: str) -> Catalog:
    if not path_of(language).exists():
        return Catalog(locale=language, charset="utf-8")
    with path_of(language).open("rb") as file:
        return read_po(file, locale=language)


def update(language: str) -> None:
    catalogue = read(language)
    made = catalogue.creation_date
    catalogue.update(texts(), no_fuzzy_matching=True)
    catalogue.creation_date = made  # the same texts make the same file
    catalogue.obsolete.clear()
    catalogue.header_comment, catalogue.fuzzy = f"# Texts of Perennial in {catalogue.locale.english_name}.", False
    path_of(language).parent.mkdir(parents=True, exist_ok=True)
    with path_of(language).open("wb") as file:
        write_po(file, catalogue, width=110, sort_output=True, omit_header=False, include_lineno=False)


def problems(language: str, wanted: Catalog) -> Iterator[str]:
    catalogue = read(language)
    for message in wanted:
        if message.id:
            has = catalogue.get(message.id, message.context)
            trouble = _trouble(message, has, catalogue.num_plurals)
            if trouble:
                yield f"{language}: {trouble}: {message.id!r}"


def _trouble(wanted: Message, has: Message | None, plurals: int) -> str:
    if has is None:
        return "missing"
    if has.fuzzy:
        return "fuzzy"
    written = [has.string or ""] if isinstance(has.string, str | None) else has.string
    if not all(written) or (wanted.pluralizable and len(written) != plurals):
        return "not translated"
    ids = [wanted.id] if isinstance(wanted.id, str) else wanted.id
    # The form for one may say "one" in words; the last form, for many, needs every value.
    return "" if placeholders(ids[-1]) == placeholders(written[-1]) else "other placeholders"


def placeholders(text: str) -> Counter[str]:
    return Counter(set(PLACEHOLDER.findall(text)))


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("action", choices=["update", "check"])
    action = parser.parse_args().action
    settings.configure()
    if action == "update":
        for language in LANGUAGES:
            update(language)
    wanted = texts()
    found = [line for language in LANGUAGES for line in problems(language, wanted)]
    sys.stdout.writelines(f"{line}\n" for line in found)
    sys.stdout.write(f"{len(wanted)} texts, {len(found)} problems.\n")
    return 1 if found and action == "check" else 0


if __name__ == "__main__":
    sys.exit(main())
