"""Every text that people read is marked, translated and shown in their language."""

import re

import catalogues
import pytest
from django.conf import settings
from django.urls import reverse
from django.utils import translation

from analytics.scores import Name
from core import money, retelling
from core.models import Role, User
from core.templatetags import ui
from tests import desk
from tests.factories import make_business

GERMAN_SAME = (
    "MBG: Kein Modell war klar besser. Stichtage: 3; die Bestelltage lagen im Schnitt um 2\N{NO-BREAK SPACE}% daneben."
)
GERMAN_BETTER = (
    "Geschrumpfter Mittelwert: für den Umsatz klar besser. "
    "Bekannte Bestelltage brachten 3\N{NO-BREAK SPACE}% mehr oder weniger als vorhergesagt."
)
LANGUAGES = [code for code, _ in settings.LANGUAGES if code != "en"]


@pytest.fixture(scope="module")
def texts():
    return catalogues.texts()


@pytest.mark.parametrize("language", LANGUAGES)
def test_the_catalogue_is_complete(language, texts):
    assert list(catalogues.problems(language, texts)) == []


class TestExtraction:
    def test_every_name_of_gettext_is_known(self):
        modules = [path.read_text() for name in catalogues.PACKAGES for path in (catalogues.ROOT / name).rglob("*.py")]
        names = {name for text in modules for name in re.findall(r"gettext(?:_lazy|_noop)? as (\w+)", text)}
        assert "_" in names
        assert names - set(catalogues.KEYWORDS) == set()

    def test_no_text_is_marked_within_an_f_string(self):
        """The extraction takes an f-string for one word, so that it would pass over the text."""
        paths = [path for name in catalogues.PACKAGES for path in (catalogues.ROOT / name).rglob("*.py")]
        marked = re.compile(r"""\bf"[^"\n]*\{[^}"\n]*\b_\('""")
        assert marked.search("f\"{_('Lost')}\"")
        assert [str(path) for path in paths if marked.search(path.read_text())] == []

    def test_f_strings_become_patterns(self):
        source = 'raise FileProblem(f"{path.name} is empty after {line} lines.")'
        assert list(catalogues.spoken(catalogues.ast.parse(source))) == ["{name} is empty after {line} lines."]

    def test_other_strings_are_left_alone(self):
        assert list(catalogues.spoken(catalogues.ast.parse('open("some file")\nx = "utf-8"'))) == []

    def test_segments_are_in_the_catalogue(self, texts):
        assert [name for name in Name if name and name.label not in texts] == []


class TestCheck:
    @pytest.fixture
    def wanted(self):
        found = catalogues.Catalog()
        found.add("%(number)s rows")
        return found

    @pytest.mark.parametrize(
        ("written", "flags", "says"),
        [
            ("%(number)s Zeilen", [], []),
            ("", [], ["de: not translated: '%(number)s rows'"]),
            ("%(rows)s Zeilen", [], ["de: other placeholders: '%(number)s rows'"]),
            ("%(number)s Zeilen", ["fuzzy"], ["de: fuzzy: '%(number)s rows'"]),
        ],
    )
    def test_says_what_is_wrong(self, written, flags, says, wanted, monkeypatch):
        catalogue = catalogues.Catalog(locale="de")
        catalogue.add("%(number)s rows", written, flags=flags)
        monkeypatch.setattr(catalogues, "read", lambda language: catalogue)
        assert list(catalogues.problems("de", wanted)) == says

    def test_a_text_that_is_missing(self, wanted, monkeypatch):
        monkeypatch.setattr(catalogues, "read", lambda language: catalogues.Catalog(locale="de"))
        assert list(catalogues.problems("de", wanted)) == ["de: missing: '%(number)s rows'"]


class TestRetelling:
    @pytest.mark.parametrize(
        ("english", "german"),
        [
            ("a.csv is a damaged workbook.", "a.csv ist eine beschädigte Arbeitsmappe."),
            (
                "line 17, date: “x” is not a date; expected YYYY-MM-DD",
                "Zeile 17, date: „x“ ist kein Datum; erwartet wird JJJJ-MM-TT",
            ),
            (
                "is not a date; expected YYYY-MM-DD, or the day first as in other rows",
                "ist kein Datum; erwartet wird JJJJ-MM-TT, oder der Tag zuerst wie in anderen Zeilen",
            ),
            ("is longer than 40 characters and was cut", "ist länger als 40 Zeichen und wurde gekürzt"),
            (
                "Spend: Earlier errors call for 0.97 times what is expected.",
                "Umsatz: Frühere Fehler verlangen das 0,97-Fache des Erwarteten.",
            ),
            (
                "MBG: no model was clearly better. Past days: 3; order days were off by 2% on average.",
                GERMAN_SAME,
            ),
            (
                "Shrunken mean: clearly better for spend. Known order days brought 3% more or less than said.",
                GERMAN_BETTER,
            ),
            (
                "Order days: Earlier errors call for 1.13 times what is expected.",
                "Bestelltage: Frühere Fehler verlangen das 1,13-Fache des Erwarteten.",
            ),
            (
                "A: nobody has two orders with money in them; B: no amount",
                "A: niemand hat zwei Bestellungen mit Geld darin; B: kein Betrag",
            ),
        ],
    )
    def test_a_stored_sentence(self, english, german):
        with translation.override("de"):
            assert retelling.retold(english) == german

    @pytest.mark.parametrize("text", ["", "Something that nobody wrote.", "a.csv: b", "today: paid"])
    def test_anything_else_stays(self, text):
        with translation.override("de"):
            assert retelling.retold(text) == text

    @pytest.mark.parametrize(("language", "day"), [("en", "31 March 2026"), ("de", "31. März 2026")])
    def test_a_sentence_s_day_is_written_as_people_write_it(self, language, day):
        with translation.override(language):
            assert retelling.retold("2026-03-31: x and 2026-03-30") == f"{day}: x and 2026-03-30"
            assert retelling.retold("2026-13-31: x") == "2026-13-31: x"

    def test_english_stays(self):
        assert retelling.retold("a.csv is a damaged workbook.") == "a.csv is a damaged workbook."


class TestFigures:
    def test_money(self):
        with translation.override("de"):
            assert money.text(123456, "EUR") == "1.234,56\N{NO-BREAK SPACE}€"
            assert money.text(-500, "CHF", digits=0) == "−5\N{NO-BREAK SPACE}CHF"
            assert money.short(214_300_000, "USD") == "2,14\N{NO-BREAK SPACE}Mio.\N{NO-BREAK SPACE}$"

    def test_shares_and_times(self):
        with translation.override("de"):
            assert ui.percent(0.1267, 1) == "12,7\N{NO-BREAK SPACE}%"
            assert ui.percent(0.001) == "<1\N{NO-BREAK SPACE}%"
            assert ui.seconds(0.44) == "0,4 s"
            assert [ui.age(days) for days in (0, 1, 3, 200, 800, -2)] == [
                *("heute", "gestern", "vor 3 Tagen", "vor 7 Monaten", "vor 2 Jahren", "in 2 Tagen")
            ]

    @pytest.mark.parametrize(
        ("language", "written"),
        [
            ("en", "Tuesday 31 March 2026"),
            ("de", "Dienstag, 31. März 2026"),
            ("es", "martes, 31 de marzo de 2026"),
        ],
    )
    def test_dates(self, language, written):
        with translation.override(language):
            assert ui.long_date(desk.AS_OF) == written

    def test_shares_round_to_the_nearest(self):
        assert ui.percent(0.459) == "46%"


class TestLanguage:
    @pytest.fixture
    def user(self, db):
        make_business()
        return User.objects.create_user("a@example.com", "a long password", role=Role.VIEWER)

    def test_the_browser_s(self, client, db):
        page = client.get(reverse("account_login"), headers={"Accept-Language": "de-AT,de;q=0.9"})
        assert page.headers["Content-Language"] == "de"
        assert '<html lang="de"' in page.content.decode()
        assert "Anmelden" in page.content.decode()

    def test_one_that_is_not_there(self, client, db):
        page = client.get(reverse("account_login"), headers={"Accept-Language": "tlh"})
        assert page.headers["Content-Language"] == "en"

    def test_the_person_s_goes_before_the_browser_s(self, client, user):
        user.language = "es"
        user.save(update_fields=["language"])
        client.force_login(user)
        page = client.get("/", headers={"Accept-Language": "de"})
        assert page.headers["Content-Language"] == "es"
        assert "<h1>Hoy</h1>" in page.content.decode()

    def test_a_guest_chooses_in_the_browser(self, client, db):
        answer = client.post(reverse("settings:language_set"), {"language": "de", "next": "/accounts/login/"})
        assert answer.headers["Location"] == "/accounts/login/"
        assert client.get("/accounts/login/").headers["Content-Language"] == "de"

    def test_a_choice_stays_with_the_account(self, client, user):
        client.force_login(user)
        client.post(reverse("settings:language_set"), {"language": "es", "next": "/"})
        user.refresh_from_db()
        assert user.language == "es"

    def test_an_unknown_language_changes_nothing(self, client, user):
        client.force_login(user)
        client.post(reverse("settings:language_set"), {"language": "xx", "next": "/"})
        user.refresh_from_db()
        assert user.language == ""

    def test_nobody_is_sent_elsewhere(self, client, db):
        answer = client.post(reverse("settings:language_set"), {"language": "de", "next": "https://example.org/"})
        assert answer.headers["Location"] == "/"

    def test_programs_get_english(self, client, db):
        page = client.get("/api/v1/customers/", headers={"Accept-Language": "de"})
        assert page.headers["Content-Language"] == "en"
