"""Customer exports of Shopify and WooCommerce: one row per person, told by the same key as in the orders' export.

Whether somebody takes marketing is left out on purpose: consent is given here, not by a file.
"""

from typing import Final

from customers import places
from customers.importing import shop_orders
from customers.importing.record import Record
from customers.importing.rows import PersonRow

SHOPIFY: Final = {
    "email": ("email",),
    "customer_id": ("customer_id", "id"),
    "first_name": ("first_name",),
    "last_name": ("last_name",),
    "company": ("default_address_company", "company"),
    "street": ("default_address_address1", "default_address_street", "address1"),
    "street_2": ("default_address_address2", "address2"),
    "postcode": ("default_address_zip", "zip"),
    "city": ("default_address_city", "city"),
    "region": ("default_address_province_code", "province_code", "province"),
    "country": ("default_address_country_code", "country_code", "country"),
    "phone": ("phone",),
    "address_phone": ("default_address_phone",),
}
SHOPIFY_LEFT_OUT: Final = (
    *("accepts_marketing", "accepts_email_marketing", "accepts_sms_marketing", "accepts_whatsapp_marketing"),
)

# Customer/Order/Coupon Export, WordPress user exports, and the report Analytics → Customers.
WOOCOMMERCE: Final = {
    "email": ("user_email", "email", "billing_email", "email_(billing)"),
    "customer_id": ("customer_id", "user_id", "customer_user", "id"),
    "name": ("name", "display_name", "billing_full_name"),
    "first_name": ("first_name", "billing_first_name"),
    "last_name": ("last_name", "billing_last_name"),
    "company": ("billing_company", "company"),
    "street": ("billing_address_1", "billing_address", "address_1&2_(billing)", "address_1_(billing)"),
    "street_2": ("billing_address_2", "address_2_(billing)"),
    "postcode": ("billing_postcode", "postcode_(billing)", "postal_code", "postcode"),
    "city": ("billing_city", "city"),
    "region": ("billing_state", "state_code_(billing)", "region", "state"),
    "country": ("billing_country", "country_/_region", "country"),
    "phone": ("billing_phone", "phone"),
}
WOOCOMMERCE_LEFT_OUT: Final = ("accepts_marketing", "newsletter", "mailchimp_woocommerce_is_subscribed")
REQUIRED: Final = (("email", "customer_id"),)


def parse(record: Record) -> PersonRow:
    """Raises ValueProblem for what cannot be used."""
    country = record.name("country", longest=60)
    email = shop_orders.contact(record, "email")
    phone = shop_orders.phone_of(record, country, "phone", "address_phone")
    customer = shop_orders.customer_of(record, email=email, phone=phone, id_field="customer_id")
    if not customer:
        raise record.problem("email", "is no e-mail, and there is no phone or customer id either")
    return PersonRow(
        line=record.line,
        customer=customer,
        name=shop_orders.full_name(record, "name", "first_name", "last_name"),
        emails=(email,) if email else (),
        phones=(phone,) if phone else (),
        company=record.name("company", longest=200),
        country=country,
        city=record.name("city", longest=80),
        street=shop_orders.street_of(record, "street"),
        postcode=shop_orders.postcode_of(record, "postcode"),
        region=record.name("region", longest=places.LONGEST_REGION),
    )
