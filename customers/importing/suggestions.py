"""Which column of an unknown file probably holds which field: by its name in three languages, and by its values."""

import re
import unicodedata
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from types import MappingProxyType
from typing import Final

from customers.importing import agreements, columns, contacts, dates, numbers, shop_customers, shopify, woocommerce
from customers.importing.columns import Aliases

# field: names in English, German and Spanish, spelled as `spelled` does. The first fields take a column before later
# ones that would like it, too.
ORDER_NAMES: Final[Aliases] = {
    "order_id": (
        *("order_id", "order", "order_number", "order_no", "order_nr", "invoice", "invoice_no", "invoice_number"),
        *("transaction_id", "receipt", "bestellnummer", "bestellnr", "bestellung", "auftragsnummer", "auftrag"),
        *("rechnungsnummer", "belegnummer", "vorgangsnummer", "pedido", "numero_de_pedido", "id_pedido"),
        *("numero_pedido", "n_pedido", "factura", "numero_de_factura"),
    ),
    "customer_id": (
        *("customer_id", "customer", "customer_no", "customer_number", "client_id", "client", "user_id", "buyer_id"),
        *("member_id", "account_id", "kundennummer", "kundennr", "kunden_id", "kunde", "debitor", "cliente"),
        *("id_cliente", "numero_de_cliente", "codigo_cliente", "comprador"),
    ),
    "email": (
        *("email", "mail", "email_address", "e_mail_adresse", "mailadresse", "correo", "correo_electronico"),
    ),
    "date": (
        *("date", "placed_at", "order_date", "ordered_at", "created_at", "created", "datetime", "timestamp", "time"),
        *("purchase_date", "invoice_date", "sold_at", "datum", "bestelldatum", "auftragsdatum", "rechnungsdatum"),
        *("kaufdatum", "belegdatum", "fecha", "fecha_de_pedido", "fecha_pedido", "fecha_de_compra", "fecha_factura"),
    ),
    "unit_price": (
        *("unit_price", "price", "item_price", "price_each", "einzelpreis", "stueckpreis", "preis"),
        *("precio", "precio_unitario", "precio_unidad"),
    ),
    "amount": (
        *("amount", "net", "net_amount", "total", "line_total", "revenue", "sales", "value", "subtotal", "order_value"),
        *("order_total", "betrag", "nettobetrag", "netto", "umsatz", "summe", "gesamt", "gesamtbetrag", "zeilensumme"),
        *("importe", "importe_neto", "neto", "monto", "venta", "ventas", "valor", "importe_total"),
    ),
    "quantity": (
        *("quantity", "qty", "units", "pieces", "count", "menge", "anzahl", "stueck", "stueckzahl"),
        *("cantidad", "unidades", "uds"),
    ),
    "product": (
        *("product", "sku", "product_id", "product_code", "item", "item_id", "article", "article_number", "stock_code"),
        *("artikelnummer", "artikelnr", "artikel", "produkt", "produktnummer", "referencia", "producto", "articulo"),
        *("codigo", "codigo_producto"),
    ),
    "product_name": (
        *("product_name", "item_name", "description", "title", "product_title", "artikelname", "artikelbezeichnung"),
        *("bezeichnung", "produktname", "beschreibung", "nombre_producto", "nombre_del_producto", "descripcion"),
    ),
    "unit_cost": (
        *("unit_cost", "cost", "cost_price", "purchase_price", "cogs", "einkaufspreis", "ek", "kosten"),
        *("coste", "costo", "coste_unitario", "precio_de_coste"),
    ),
    "discount": ("discount", "discount_amount", "rebate", "rabatt", "nachlass", "skonto", "descuento"),
    "tax": ("tax", "vat", "tax_amount", "sales_tax", "steuer", "mwst", "ust", "mehrwertsteuer", "impuesto", "iva"),
    "shipping": ("shipping", "shipping_cost", "freight", "delivery", "versand", "versandkosten", "porto", "envio",
                 "gastos_de_envio"),
    "currency": ("currency", "currency_code", "waehrung", "moneda", "divisa"),
    "status": ("status", "state", "order_status", "payment_status", "zustand", "bestellstatus", "estado"),
    "channel": ("channel", "source", "sales_channel", "medium", "kanal", "vertriebskanal", "quelle", "canal", "origen"),
    "name": (
        *("name", "customer_name", "full_name", "client_name", "buyer", "kundenname", "vollstaendiger_name"),
        *("nombre", "nombre_completo", "nombre_cliente", "nombre_del_cliente"),
    ),
    "phone": ("phone", "phone_number", "telephone", "mobile", "telefon", "telefonnummer", "handy", "mobil", "telefono",
              "movil"),
    "country": ("country", "country_code", "land", "laendercode", "pais"),
    "category": ("category", "product_category", "product_type", "department", "kategorie", "warengruppe", "categoria",
                 "familia"),
}  # fmt: skip
CUSTOMER_NAMES: Final[Aliases] = {
    "customer_id": (*ORDER_NAMES["customer_id"], "id", "nummer", "numero", "codigo"),
    **{field: ORDER_NAMES[field] for field in ("email", "phone", "name", "country", "channel")},
    "company": ("company", "company_name", "organisation", "organization", "firma", "unternehmen", "firmenname",
                "empresa", "compania"),
    "city": ("city", "town", "ort", "stadt", "wohnort", "ciudad", "poblacion", "localidad"),
    "street": (
        *("street", "address", "address_1", "address_line_1", "street_address", "postal_address", "strasse"),
        *("strasse_nr", "strasse_und_hausnummer", "anschrift", "adresse", "calle", "direccion", "domicilio"),
    ),
    "postcode": ("postcode", "post_code", "zip", "zip_code", "postal_code", "plz", "postleitzahl", "codigo_postal"),
    "region": ("region", "state", "province", "county", "bundesland", "kanton", "provincia", "estado"),
    "locale": ("locale", "language", "lang", "sprache", "idioma", "lengua"),
    "time_zone": ("time_zone", "timezone", "zeitzone", "zona_horaria"),
    "birthday": ("birthday", "birth_date", "birthdate", "date_of_birth", "dob", "geburtstag", "geburtsdatum",
                 "cumpleanos", "fecha_de_nacimiento"),
}  # fmt: skip
CONTRACT_NAMES: Final[Aliases] = {
    "contract_id": (
        *("contract_id", "contract_number", "contract_no", "contract", "agreement", "subscription_id", "id"),
        *("vertragsnummer", "vertragsnr", "vertrag", "abo_nummer", "numero_de_contrato", "numero_contrato", "contrato"),
    ),
    "customer_id": ORDER_NAMES["customer_id"],
    "company": CUSTOMER_NAMES["company"],
    "plan": ("plan", "plan_name", "product", "tariff", "package", "tarif", "paket", "produkt", "tarifa", "producto"),
    "starts_on": (
        *(
            "starts_on",
            "start",
            "start_date",
            "starts",
            "begin",
            "valid_from",
            "beginn",
            "vertragsbeginn",
            "start_datum",
        ),
        *("laufzeitbeginn", "gueltig_ab", "inicio", "fecha_de_inicio", "fecha_inicio"),
    ),
    "ends_on": (
        *("ends_on", "end", "end_date", "ends", "valid_until", "expires", "expiry_date", "ende", "vertragsende"),
        *("laufzeitende", "gueltig_bis", "fin", "fecha_de_fin", "fecha_fin", "vencimiento"),
    ),
    "term_months": (
        *("term_months", "term", "months", "duration", "duration_months", "laufzeit", "laufzeit_monate", "monate"),
        *("plazo", "plazo_meses", "meses", "duracion"),
    ),
    "value": (
        *("value", "term_value", "contract_value", "amount", "net", "price", "wert", "vertragswert", "betrag"),
        *("nettobetrag", "preis", "valor", "importe", "precio"),
    ),
    "renewals": ("renewals", "renewed", "times_renewed", "verlaengerungen", "verlaengert", "renovaciones"),
    "renews_automatically": (
        *("renews_automatically", "auto_renew", "auto_renewal", "automatic", "automatisch", "automatica"),
        *("verlaengert_sich_automatisch", "renovacion_automatica"),
    ),
    "agreed_on": (
        *("agreed_on", "agreed", "signed", "signed_on", "abgeschlossen", "abschlussdatum", "unterzeichnet"),
        *("firmado", "fecha_de_firma"),
    ),
    "cancelled_on": (
        *("cancelled_on", "cancelled", "canceled", "cancellation_date", "gekuendigt", "gekuendigt_am", "kuendigung"),
        *("cancelado", "fecha_de_cancelacion"),
    ),
    "reason": ("reason", "cancellation_reason", "grund", "kuendigungsgrund", "motivo"),
    "margin_rate": ("margin_rate", "margin", "marge", "margensatz", "margen"),
    "is_billed_by_orders": ("is_billed_by_orders", "billed_by_orders", "ueber_bestellungen_abgerechnet"),
    "currency": ORDER_NAMES["currency"],
}
NAMES: Final[Mapping[str, Aliases]] = {
    "orders": ORDER_NAMES,
    "customers": CUSTOMER_NAMES,
    "contracts": CONTRACT_NAMES,
}

MOSTLY: Final = 0.7
NUMBERS: Final = frozenset(
    {"amount", "unit_price", "unit_cost", "discount", "tax", "shipping", "quantity"} | set(agreements.NUMBERS)
)
DAYS: Final = frozenset({"date", *agreements.DATES})
# Columns that only one kind of file has: all of a group must be there.
SIGNS: Final[Mapping[str, Sequence[tuple[str, frozenset[str]]]]] = {
    "orders": (
        ("shopify", frozenset({"name", "lineitem_quantity", "lineitem_name", "lineitem_price"})),
        ("woocommerce", frozenset({"order_number", "order_status", "item_cost"})),
        ("woocommerce", frozenset({"order_id", "status", "item_total", "billing_email"})),
        ("woocommerce", frozenset({"order_number", "item_total"})),
        ("woocommerce", frozenset({"order_#", "status", "customer_type"})),
        ("online_retail", frozenset({"invoiceno", "stockcode", "invoicedate", "unitprice"})),
        ("cdnow", frozenset({"customer_id", "date", "cds"})),
    ),
    "customers": (
        ("shopify", frozenset({"first_name", "last_name", "email", "total_spent"})),
        ("shopify", frozenset({"first_name", "last_name", "accepts_email_marketing"})),
        ("woocommerce", frozenset({"user_email", "user_login"})),
        ("woocommerce", frozenset({"username", "email", "total_spend"})),
        ("woocommerce", frozenset({"customer_id", "billing_first_name", "billing_company"})),
    ),
    "contracts": (),
}
KNOWN: Final[Mapping[tuple[str, str], Aliases]] = {
    ("orders", "shopify"): shopify.ALIASES,
    ("orders", "woocommerce"): woocommerce.ALIASES,
    ("customers", "shopify"): shop_customers.SHOPIFY,
    ("customers", "woocommerce"): shop_customers.WOOCOMMERCE,
}


class Confidence(StrEnum):
    SURE = "sure"  # the name says so, and the values do not speak against it
    LIKELY = "likely"  # a part of the name, or only the values


@dataclass(frozen=True, slots=True)
class Suggestion:
    field: str
    confidence: Confidence


def spelled(name: str) -> str:
    """A column name in small plain letters: “Stück-Preis (EUR)” is stueck_preis_eur."""
    text = name.casefold()
    for letter, plain in (("ä", "ae"), ("ö", "oe"), ("ü", "ue"), ("ß", "ss")):
        text = text.replace(letter, plain)
    bare = "".join(c for c in unicodedata.normalize("NFKD", text) if not unicodedata.combining(c))
    return re.sub(r"[^a-z0-9]+", "_", bare).strip("_")


def preset_of(header: Sequence[str], *, kind: str) -> str:
    """The preset whose columns these are; "generic" when none is recognised."""
    names = {columns.plain(name) for name in header}
    return next((preset for preset, signs in SIGNS[kind] if signs <= names), "generic")


def suggest(
    header: Sequence[str], samples: Sequence[Sequence[str]], *, kind: str, own: Aliases = MappingProxyType({})
) -> dict[int, Suggestion]:
    """Column number → what it probably is. No field and no column comes twice. `samples` are the cells of some rows,
    `own` the names of a business's own fields, which are suggested by a whole name only.
    """
    own = {field: [spelled(name) for name in names] for field, names in own.items()}
    values = [[row[i].strip() for row in samples if i < len(row) and row[i].strip()] for i in range(len(header))]
    wishes = [
        (score, -place, -column, field)
        for place, (field, names) in enumerate([*NAMES[kind].items(), *own.items()])
        for column, name in enumerate(header)
        if (score := _score(field, spelled(name), names, values[column])) >= (3 if field in own else 1)
    ]
    found: dict[int, Suggestion] = {}
    taken: set[str] = set()
    for score, _, column, field in sorted(wishes, reverse=True):
        if -column not in found and field not in taken:
            taken.add(field)
            found[-column] = Suggestion(field, Confidence.SURE if score >= 3 else Confidence.LIKELY)
    return dict(sorted(found.items()))


def _score(field: str, name: str, names: Sequence[str], values: Sequence[str]) -> int:
    """3 and more: the name, 4 when it is the usual one; 2: a part of the name; 1: only the values; 0: not this one."""
    if _looks(field, values) is False:
        return 0
    if name.replace("_", "") in {known.replace("_", "") for known in names}:
        return 4 if name == names[0] else 3
    by_itself = _speaks(values)
    if by_itself and by_itself != field and not (by_itself == "date" and field in DAYS):
        return 0
    words = name.split("_")
    if any(word in names for word in words if len(word) > 3) or (len(names[0]) > 3 and names[0] in name):
        return 2
    return int(by_itself == field)


def _speaks(values: Sequence[str]) -> str:
    """The field that the values name by themselves: an address and a date can be nothing else."""
    if values and all(contacts.EMAIL.fullmatch(text.lower()) for text in values):
        return "email"
    forms = [form for form in dates.FORMS if form is not dates.COMPACT]
    return "date" if values and all(any(form.fullmatch(text) for form in forms) for text in values) else ""


def _looks(field: str, values: Sequence[str]) -> bool | None:
    """Whether the values can be the field's; None when they do not tell."""
    if not values:
        return None
    if field == "email":
        return any(contacts.EMAIL.fullmatch(part.lower()) for text in values for part in contacts.several(text))
    if field in DAYS:
        return _mostly(values, lambda text: any(form.fullmatch(text) for form in (*dates.FORMS, dates.SERIAL)))
    if field in NUMBERS:
        return _mostly(values, _is_number)
    if field == "street":  # an address of a computer is none
        return _mostly(values, lambda text: re.search(r"[^\W\d]", text))
    return None


def _mostly(values: Sequence[str], is_one: Callable[[str], object]) -> bool:
    """A few wrong values are what an import is for."""
    return sum(bool(is_one(text)) for text in values) >= MOSTLY * len(values)


def _is_number(text: str) -> bool:
    bare = numbers.SPACES.sub("", re.sub(r"[€£$¥]|[A-Z]{3}", "", text)).strip(" ()+-\N{MINUS SIGN}")
    return bool(re.fullmatch(r"[\d.,]*\d[\d.,]*", bare))
