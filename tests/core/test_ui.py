"""The filters and tags that every template may use."""

from datetime import UTC, datetime, timedelta

import pytest
from django.template import Context, Template
from django.test import RequestFactory
from django.utils import timezone

from core.models import Business, Role, User
from core.templatetags import ui

DOLLARS = Business(currency="USD")


def test_money_in_its_three_forms():
    assert ui.money_text(123456, DOLLARS) == "$1,234.56"
    assert ui.money_whole(123456, DOLLARS) == "$1,235"
    assert ui.money_short(123456, DOLLARS) == "$1.23k"


@pytest.mark.parametrize(
    ("cents", "written"), [(123_456, "+$1,235"), (-123_456, "−$1,235"), (0, "$0"), (49, "$0"), (-49, "$0"), (51, "+$1")]
)
def test_a_difference_has_its_sign(cents, written):
    assert ui.money_change(cents, DOLLARS) == written


@pytest.mark.parametrize("filter_", [ui.money_text, ui.money_whole, ui.money_short, ui.money_change])
def test_no_amount_is_a_dash(filter_):
    assert filter_(None, DOLLARS) == filter_("", DOLLARS) == "\N{EN DASH}"


@pytest.mark.parametrize(
    ("share", "written"),
    [(None, "\N{EN DASH}"), (0, "0%"), (0.001, "<1%"), (0.07, "7%"), (0.999, ">99%"), (1, "100%")],
)
def test_a_percentage_never_says_none_or_all_by_rounding(share, written):
    assert ui.percent(share) == written


def test_changes_have_a_sign():
    assert [ui.signed(value) for value in (1200, -3, 0)] == ["+1,200", "−3", "0"]
    assert [ui.signed_percent(share) for share in (0.124, -0.003, 0)] == ["+12.4%", "−0.3%", "0.0%"]


@pytest.mark.parametrize(
    ("value", "written"),
    [(None, "\N{EN DASH}"), (0.01, "<0.1 s"), (0.42, "0.4 s"), (12.4, "12 s"), (200, "3 min 20 s")],
)
def test_durations(value, written):
    assert ui.seconds(value) == written


@pytest.mark.parametrize(("name", "letters"), [("Ana Łucja Díaz", "AŁ"), ("cher", "C"), ("", "?"), ("  ", "?")])
def test_initials(name, letters):
    assert ui.initials(name) == letters


@pytest.mark.parametrize(
    ("days", "written"),
    [
        (0, "today"),
        (1, "yesterday"),
        (35, "35 days ago"),
        (200, "7 months ago"),
        (1100, "3 years ago"),
        (-2, "in 2 days"),
    ],
)
def test_ages(days, written):
    assert ui.ago(timezone.localdate() - timedelta(days=days)) == written


def test_an_age_goes_by_the_zone_s_dates():
    late = datetime.combine(timezone.localdate(), datetime.min.time(), UTC) - timedelta(minutes=30)
    with timezone.override("UTC"):
        assert ui.ago(late) == "yesterday"
    with timezone.override("Pacific/Kiritimati"):
        assert ui.ago(late) in {"today", "yesterday"}


def test_qs_changes_one_parameter_and_keeps_the_rest():
    request = RequestFactory().get("/?risk=high&risk=low&cursor=abc")
    assert ui.qs({"request": request}, cursor=None, sort="-clv") == "?risk=high&risk=low&sort=-clv"


def test_sentence_case():
    assert ui.sentence("\n  Two-Factor Authentication ") == "Two-factor authentication"


def test_buttons_follow_the_route_table():
    assert ui.may_post(User(role=Role.MANAGER), "desk:run_start")
    assert not ui.may_post(User(role=Role.VIEWER), "desk:run_start")
    assert not ui.may_post(User(role=Role.ADMIN), "desk:no_such_route")


def test_names_in_charts_are_escaped():
    page = Template('{% bars months business "x" %}').render(
        Context({"months": [("<script>", 100)], "business": DOLLARS})
    )
    assert "<script>" not in page
    assert "&lt;script&gt;: $1.00" in page


def test_components_escape_what_people_typed():
    who = Template('{% include "_components/who.html" with id=1 name=name under=name url="/x" %}')
    page = who.render(Context({"name": '"><img src=x onerror=alert(1)>'}))
    assert "<img" not in page
