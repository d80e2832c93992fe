import django.contrib.postgres.fields
import django.contrib.postgres.indexes
from django.db import migrations, models

EDITS = """
SELECT perennial_keep_edits_of('customers_customer', 'customers_customer', 'id', ARRAY['name', 'company_id', 'channel',
    'country', 'city', 'locale', 'time_zone', 'custom', 'archived_at']);
SELECT perennial_keep_edits_of('customers_email', 'customers_customer', 'customer_id', ARRAY['address']);
SELECT perennial_keep_edits_of('customers_phone', 'customers_customer', 'customer_id', ARRAY['number']);
SELECT perennial_keep_edits_of('customers_identity', 'customers_customer', 'customer_id', ARRAY['source', 'external_id']);
SELECT perennial_keep_edits_of('customers_company', 'customers_company', 'id', ARRAY['name', 'tax_number',
    'payment_terms_days', 'contract_starts_on', 'contract_ends_on']);
SELECT perennial_keep_edits_of('customers_product', 'customers_product', 'id', ARRAY['sku', 'name', 'kind',
    'category_id', 'unit_price', 'unit_cost']);
SELECT perennial_keep_edits_of('customers_category', 'customers_category', 'id', ARRAY['name', 'margin_rate']);
SELECT perennial_keep_edits_of('customers_customfield', 'customers_customfield', 'id', ARRAY['label', 'kind',
    'choices', 'position', 'archived_at']);
SELECT perennial_keep_edits_of('customers_order', 'customers_order', 'id', ARRAY['customer_id', 'status', 'placed_at',
    'channel', 'net_cents', 'tax_cents', 'shipping_cents'], true);
SELECT perennial_keep_edits_of('customers_orderline', 'customers_order', 'order_id', ARRAY['product_id', 'quantity',
    'unit_price', 'discount_cents'], true);
SELECT perennial_keep_edits_of('customers_refund', 'customers_order', 'order_id', ARRAY['external_id', 'refunded_at',
    'net_cents'], true);
"""

UNDO = "".join(
    f"DROP TRIGGER edits_are_kept ON customers_{table}; DROP TRIGGER coming_and_going_is_kept ON customers_{table};"
    for table in (
        *("customer", "email", "phone", "identity", "company", "product", "category", "customfield"),
        *("order", "orderline", "refund"),
    )
)


class Migration(migrations.Migration):
    dependencies = [
        ("customers", "0007_uploads"),
        ("core", "0006_edits"),
    ]

    operations = [
        migrations.CreateModel(
            name="CustomField",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("key", models.SlugField(max_length=40, unique=True, verbose_name="key")),
                ("label", models.CharField(max_length=60, verbose_name="label")),
                (
                    "kind",
                    models.CharField(
                        choices=[
                            ("text", "Text"),
                            ("number", "Number"),
                            ("date", "Date"),
                            ("yes_no", "Yes or no"),
                            ("choice", "Choice"),
                        ],
                        default="text",
                        max_length=10,
                        verbose_name="kind",
                    ),
                ),
                (
                    "choices",
                    django.contrib.postgres.fields.ArrayField(
                        base_field=models.CharField(max_length=80),
                        blank=True,
                        default=list,
                        size=None,
                        verbose_name="choices",
                    ),
                ),
                ("position", models.PositiveSmallIntegerField(default=0, verbose_name="position")),
                ("archived_at", models.DateTimeField(blank=True, null=True, verbose_name="archived")),
            ],
            options={
                "verbose_name": "custom field",
                "verbose_name_plural": "custom fields",
            },
        ),
        migrations.AddField(
            model_name="customer",
            name="custom",
            field=models.JSONField(blank=True, db_default={}, default=dict, verbose_name="custom fields"),
        ),
        migrations.AddIndex(
            model_name="customer",
            index=models.Index(
                condition=models.Q(("archived_at__isnull", False)), fields=["id"], name="archived_customers"
            ),
        ),
        migrations.AddIndex(
            model_name="customer",
            index=django.contrib.postgres.indexes.GinIndex(
                condition=models.Q(("custom", {}), _negated=True),
                fields=["custom"],
                name="customer_custom",
                opclasses=["jsonb_path_ops"],
            ),
        ),
        migrations.AddConstraint(
            model_name="customer",
            constraint=models.CheckConstraint(
                condition=models.Q(("custom__contains", {})), name="custom_fields_of_a_customer_are_an_object"
            ),
        ),
        migrations.AddConstraint(
            model_name="customfield",
            constraint=models.CheckConstraint(
                condition=models.Q(("key__regex", "^[a-z][a-z0-9_]*$")),
                name="a_custom_field_has_a_key_of_small_letters",
            ),
        ),
        migrations.AddConstraint(
            model_name="customfield",
            constraint=models.CheckConstraint(
                condition=models.Q(("label", ""), _negated=True), name="a_custom_field_has_a_label"
            ),
        ),
        migrations.AddConstraint(
            model_name="customfield",
            constraint=models.CheckConstraint(
                condition=models.Q(("kind__in", ["text", "number", "date", "yes_no", "choice"])),
                name="a_custom_field_has_a_known_kind",
            ),
        ),
        migrations.AddConstraint(
            model_name="customfield",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    models.Q(("choices__len__gte", 1), ("kind", "choice")),
                    models.Q(("kind", "choice"), _negated=True),
                    _connector="OR",
                ),
                name="a_choice_has_something_to_choose",
            ),
        ),
        migrations.RunSQL(EDITS, UNDO),
    ]
