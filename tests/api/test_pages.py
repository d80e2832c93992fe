"""Lists of the API: every row once, links that work, and no guessing at limits and cursors."""

import base64

import pytest

from core.models import Change
from tests.api.callers import codes

CHANGES = "/api/v1/changes/"


def make_changes(count):
    return [
        str(change.pk) for change in Change.objects.bulk_create(Change(kind="day", object_id=1) for _ in range(count))
    ]


def ids(answer):
    return [row["id"] for row in answer.json()["results"]]


def test_it_works(probe):
    newest_first = make_changes(5)[::-1]
    first = probe.get(CHANGES + "?limit=2")
    assert first.json()["previous"] is None
    second = probe.get(first.json()["next"])
    third = probe.get(second.json()["next"])
    assert ids(first) + ids(second) + ids(third) == newest_first
    assert third.json()["next"] is None
    assert ids(probe.get(second.json()["previous"])) == newest_first[:2]


def test_a_row_that_comes_meanwhile_moves_nothing(probe):
    old = make_changes(4)[::-1]
    after = probe.get(CHANGES + "?limit=2").json()["next"]
    make_changes(3)
    assert ids(probe.get(after)) == old[2:]


def test_fifty_rows_unless_asked_otherwise(probe):
    make_changes(60)
    assert len(ids(probe.get(CHANGES))) == 50
    assert len(ids(probe.get(CHANGES + "?limit=200"))) == 60


def test_an_empty_list(probe):
    assert probe.get(CHANGES).json() == {"next": None, "previous": None, "results": []}


@pytest.mark.parametrize("limit", ["0", "201", "-1", "x", "", "1.5", "9" * 5000, "١"])  # noqa: RUF001  # a digit
def test_a_wrong_limit_400(probe, limit):
    answer = probe.get(f"{CHANGES}?limit={limit}")
    assert answer.status_code == 400
    assert codes(answer) == {"limit": "invalid"}


CURSORS = [
    "x",
    "[0,0,null,1]",
    '[0,0,null,"a"]',
    "[0,5,null,1]",
    '[0,0,"\\u0000",1.5]',
    "[" * 9000,
    "[0,0,1e999,1e999]",
]


@pytest.mark.parametrize("text", CURSORS)
def test_a_cursor_of_somebody_s_own_400(probe, text):
    cursor = text if text == "[0,0,null,1]" else base64.urlsafe_b64encode(text.encode()).decode().rstrip("=")
    answer = probe.get(f"{CHANGES}?cursor={cursor}")
    assert answer.status_code == 400
    assert codes(answer) == {"cursor": "invalid"}
