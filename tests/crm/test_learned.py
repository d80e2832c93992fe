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
