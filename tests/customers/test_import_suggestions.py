"""What the header and the first rows say about a file."""

import pytest

from customers.importing import suggestions
from customers.importing.suggestions import Confidence

ROWS = [["1001", "2024-01-31", "ann@example.com", "12.50"], ["1002", "2024-02-01", "bob@example.com", "7.00"]]


def fields(header, rows=(), kind="orders"):
    found = suggestions.suggest(header, rows, kind=kind)
    return {header[i]: found[i].field for i in found}


@pytest.mark.parametrize(
    ("header", "expected"),
    [
        (
            ["Order number", "Order Date", "E-Mail", "Total"],
            {"Order number": "order_id", "Order Date": "date", "E-Mail": "email", "Total": "amount"},
        ),
        (
            ["Bestellnummer", "Bestelldatum", "E-Mail-Adresse", "Nettobetrag"],
            {"Bestellnummer": "order_id", "Bestelldatum": "date", "E-Mail-Adresse": "email", "Nettobetrag": "amount"},
        ),
        (
            ["Número de pedido", "Fecha", "Correo electrónico", "Importe"],
            {"Número de pedido": "order_id", "Fecha": "date", "Correo electrónico": "email", "Importe": "amount"},
        ),
    ],
    ids=["English", "German", "Spanish"],
)
def test_names_in_three_languages(header, expected):
    assert fields(header, ROWS) == expected


def test_spelling_does_not_matter():
    assert suggestions.spelled("  Stück-Preis (EUR) ") == "stueck_preis_eur"
    assert fields(["KUNDEN-NR.", "Stückpreis", "WÄHRUNG"]) == {
        "KUNDEN-NR.": "customer_id",
        "Stückpreis": "unit_price",
        "WÄHRUNG": "currency",
    }


def test_the_values_speak_where_the_name_does_not():
    found = suggestions.suggest(["a", "b", "c", "d"], ROWS, kind="orders")
    assert {i: (s.field, s.confidence) for i, s in found.items()} == {
        1: ("date", Confidence.LIKELY),
        2: ("email", Confidence.LIKELY),
    }


def test_the_values_speak_against_a_name():
    """A column “Total” that holds words is no amount; a column “Date” that holds numbers of another kind is no date."""
    assert fields(["Total", "Date"], [["many", "soon"]]) == {}


def test_a_wrong_value_among_good_ones_says_nothing():
    assert fields(["Total"], [["1.00"], ["2.00"], ["3.00"], ["much"]]) == {"Total": "amount"}


def test_no_field_comes_twice():
    found = fields(["Date", "Order date", "Invoice date"], [["2024-01-01"] * 3])
    assert found == {"Date": "date"}


def test_a_part_of_the_name_is_only_likely():
    found = suggestions.suggest(["Our discount in EUR"], [["1.00"]], kind="orders")
    assert found[0] == suggestions.Suggestion("discount", Confidence.LIKELY)


def test_customers():
    header = ["Kundennummer", "Firma", "Straße", "PLZ", "Ort", "Bundesland", "Telefon"]
    assert fields(header, kind="customers") == {
        "Kundennummer": "customer_id",
        "Firma": "company",
        "Straße": "street",
        "PLZ": "postcode",
        "Ort": "city",
        "Bundesland": "region",
        "Telefon": "phone",
    }


def test_an_address_of_a_computer_or_of_mail_is_no_street():
    header = ["IP address", "Email address", "Address", "Zip code"]
    row = ["203.0.113.7", "ada@example.com", "12 Main St", "02108"]
    assert fields(header, [row], kind="customers") == {
        "Email address": "email", "Address": "street", "Zip code": "postcode",
    }  # fmt: skip
    assert fields(header[:1], [row[:1]], kind="customers") == {}


SHOPIFY = ["Name", "Email", "Financial Status", "Lineitem quantity", "Lineitem name", "Lineitem price"]
ADVANCED = ["Order Number", "Order Status", "Order Date", "Email (Billing)", "Item Cost", "Quantity"]


@pytest.mark.parametrize(
    ("header", "kind", "preset"),
    [
        (SHOPIFY, "orders", "shopify"),
        (ADVANCED, "orders", "woocommerce"),
        (["order_id", "date", "status", "billing_email", "item_total"], "orders", "woocommerce"),
        (["Date", "Order #", "Status", "Customer", "Customer type", "Net Sales"], "orders", "woocommerce"),
        (["First Name", "Last Name", "Email", "Total Spent"], "customers", "shopify"),
        (["Name", "Username", "Email", "Total spend"], "customers", "woocommerce"),
        (["customer_id", "date", "amount"], "orders", "generic"),
        (SHOPIFY, "customers", "generic"),
    ],
)
def test_a_preset_is_recognised_by_its_columns(header, kind, preset):
    assert suggestions.preset_of(header, kind=kind) == preset
