"""Contracts come in files, can be billed by orders, and fix time zone and currency as orders do."""

from django.db import migrations, models

KINDS = [("orders", "Orders"), ("customers", "Customers"), ("contracts", "Contracts")]
BEFORE = (
    *("external_id", "company_id", "customer_id", "plan", "agreed_on", "starts_on", "term_months", "value_cents"),
    *("margin_rate", "renews_automatically"),
)
DROP_EDITS = """
DROP TRIGGER edits_are_kept ON customers_contract; DROP TRIGGER coming_and_going_is_kept ON customers_contract
"""
FIXED = """
CREATE OR REPLACE FUNCTION perennial_zone_and_currency_are_fixed() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF EXISTS (SELECT FROM customers_order) OR EXISTS (SELECT FROM customers_unmatchedreturn){contracts} THEN
        RAISE EXCEPTION 'Time zone and currency are fixed once {facts} exist.'
            USING ERRCODE = 'check_violation', CONSTRAINT = 'zone_and_currency_are_fixed_once_orders_exist';
    END IF;
    RETURN NEW;
END $$
"""


def keep_edits(columns):
    listed = ", ".join(f"'{name}'" for name in columns)
    return f"SELECT perennial_keep_edits_of('customers_contract', 'customers_contract', 'id', ARRAY[{listed}])"


class Migration(migrations.Migration):
    dependencies = [("customers", "0011_tags")]

    operations = [
        migrations.AlterField("importbatch", "kind", models.CharField(choices=KINDS, max_length=10)),
        migrations.AlterField("upload", "kind", models.CharField(choices=KINDS, max_length=10)),
        migrations.AddField(
            "contract", "is_billed_by_orders", models.BooleanField(default=False, verbose_name="billed by orders")
        ),
        migrations.RunSQL([DROP_EDITS, keep_edits([*BEFORE, "is_billed_by_orders"])], [DROP_EDITS, keep_edits(BEFORE)]),
        migrations.RunSQL(
            FIXED.format(contracts=" OR EXISTS (SELECT FROM customers_contract)", facts="orders or contracts"),
            FIXED.format(contracts="", facts="orders"),
        ),
    ]
