"""A night's page tells the models' parameters: letters side by side, words one by one."""

from django.utils import translation

from analytics.clv import fitted
from crm import learned

SETTINGS = {"churn_horizon_days": 90}
SHOP = {"n": 12_345, "repeat_customers": 7, "margin_rate": 0.4}


def model(name, first=1.5):
    return {"model": name} | {symbol: first + step for step, symbol in enumerate(fitted.symbols(name))}


def told(*, purchase, spend):
    facts = {"model": purchase, "purchase": model(purchase), "spend": model(spend), **SHOP}
    return learned.rows(facts, SETTINGS)


def test_letters_share_a_row_in_the_order_of_the_paper():
    rows = told(purchase="BG/NBD", spend="Credibility")
    assert rows[0] == ("Purchases", "BG/NBD")
    assert rows[1] == ("r · α · a · b", "1.5 · 2.5 · 3.5 · 4.5")


def test_each_word_has_a_row_of_its_own():
    rows = told(purchase="BG/NBD", spend="Credibility")
    assert rows[2:5] == [
        ("Spend per order", "Credibility"),
        ("median order", "1.5"),
        ("spread of a customer's orders", "2.5"),
    ]
    assert len(rows) == 3 + len(fitted.symbols("Credibility")) + 4


def test_what_stands_in_for_a_shop_is_told_in_its_language():
    assert told(purchase="BG/NBD", spend="Credibility")[-4:] == [
        ("Customers", "12,345"),
        ("Bought again", "7"),
        ("Margin rate", "40.0%"),
        ("Leaving means", "90 days without an order"),
    ]


def test_figures_are_written_as_the_reader_writes_them():
    with translation.override("de"):
        assert told(purchase="BG/NBD", spend="Credibility")[1][1] == "1,5 · 2,5 · 3,5 · 4,5"


KINDS = [
    {"channel": "Search", "category": 7, "company": True, "name": "Tea"},
    {"channel": "", "category": 0, "company": False, "name": ""},
    {"channel": None, "category": None, "company": False, "name": ""},
]


def told_by_cell(**cells):
    facts = {"model": "MBG/NBD", "purchase": model("MBG/NBD"), "spend": model("Credibility"), "cells": cells, **SHOP}
    return learned.rows(facts, SETTINGS, KINDS)[2:]


def test_each_kind_of_customers_has_a_row_of_its_parameters():
    rows = told_by_cell(params=[model("MBG/NBD", first) for first in (1, 2, 3, 4)], customers=[5, 9, 8, 7], reason="")
    assert rows[:4] == [
        ("all others", "1 · 2 · 3 · 4"),
        ("Search, Tea, companies", "2 · 3 · 4 · 5"),
        ("no channel, no category, people", "3 · 4 · 5 · 6"),
        ("people", "4 · 5 · 6 · 7"),
    ]


def test_others_are_not_told_where_there_are_none():
    rows = told_by_cell(params=[model("MBG/NBD")] * 4, customers=[0, 9, 8, 7], reason="")
    assert [name for name, _ in rows[:3]] == ["Search, Tea, companies", "no channel, no category, people", "people"]


def test_why_all_have_the_same_is_told():
    rows = told_by_cell(params=[], customers=[0, 9, 8, 7], reason="chance would do as well (p = 0.30)")
    assert rows[0] == ("By channel, category and kind", "as all: chance would do as well (p = 0.30)")
    assert rows[1][0] == "Spend per order"


def test_a_run_without_cells_says_nothing_of_them():
    assert told_by_cell(params=[], customers=[], reason="")[0][0] == "Spend per order"
