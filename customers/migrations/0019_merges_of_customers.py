import django.core.serializers.json
import django.db.models.deletion
from django.conf import settings
from django.db import migrations, models

import customers.folding

# An address without the dots and the plus tag that many mailboxes take no notice of.
MAILBOX = """
CREATE FUNCTION perennial_mailbox(address text) RETURNS text
LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE AS $$
    SELECT replace(split_part(split_part(address, '@', 1), '+', 1), '.', '') || '@'
        || CASE split_part(address, '@', 2) WHEN 'googlemail.com' THEN 'gmail.com' ELSE split_part(address, '@', 2) END
$$"""


class Migration(migrations.Migration):
    dependencies = [
        ("customers", "0018_postal_addresses"),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.RunSQL(MAILBOX, "DROP FUNCTION perennial_mailbox"),
        migrations.CreateModel(
            name="Merge",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("at", models.DateTimeField()),
                ("moved", models.JSONField(default=dict, encoder=django.core.serializers.json.DjangoJSONEncoder)),
            ],
            options={
                "verbose_name": "merge of customers",
                "verbose_name_plural": "merges of customers",
            },
        ),
        migrations.AddIndex(
            model_name="customer",
            index=models.Index(
                condition=models.Q(("archived_at__isnull", True), models.Q(("postcode", ""), _negated=True)),
                fields=["sort_name", "postcode"],
                name="customers_of_a_name_and_place",
            ),
        ),
        migrations.AddIndex(
            model_name="customer",
            index=models.Index(
                condition=models.Q(("archived_at__isnull", True), ("company__isnull", False)),
                fields=["sort_name", "company"],
                name="customers_of_a_name_and_firm",
            ),
        ),
        migrations.AddIndex(
            model_name="email",
            index=models.Index(
                customers.folding.Mailbox("address"), include=("address", "customer"), name="email_mailbox"
            ),
        ),
        migrations.AddField(
            model_name="merge",
            name="by",
            field=models.ForeignKey(
                blank=True,
                db_index=False,
                null=True,
                on_delete=django.db.models.deletion.SET_NULL,
                related_name="+",
                to=settings.AUTH_USER_MODEL,
            ),
        ),
        migrations.AddField(
            model_name="merge",
            name="into",
            field=models.ForeignKey(
                on_delete=django.db.models.deletion.PROTECT, related_name="merges", to="customers.customer"
            ),
        ),
        migrations.AddField(
            model_name="merge",
            name="other",
            field=models.OneToOneField(
                on_delete=django.db.models.deletion.PROTECT, related_name="merge", to="customers.customer"
            ),
        ),
        migrations.AddConstraint(
            model_name="merge",
            constraint=models.CheckConstraint(
                condition=models.Q(("into", models.F("other")), _negated=True), name="nobody_is_merged_with_themselves"
            ),
        ),
    ]
