import django.db.models.deletion
from django.conf import settings
from django.db import migrations, models
from django.db.models import Q

# What was said is not changed. Rows go with their customer; an account that goes leaves its number behind.
STAND = """
CREATE FUNCTION perennial_consents_stand() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF to_jsonb(NEW) - 'by_id' = to_jsonb(OLD) - 'by_id' AND NEW.by_id IS NULL THEN
        RETURN NEW;
    END IF;
    RAISE EXCEPTION 'Consents are never changed: say something new.' USING ERRCODE = 'restrict_violation';
END $$;
CREATE TRIGGER consents_are_not_changed BEFORE UPDATE ON customers_consent
    FOR EACH ROW EXECUTE FUNCTION perennial_consents_stand();
"""
UNDO = """
DROP TRIGGER consents_are_not_changed ON customers_consent;
DROP FUNCTION perennial_consents_stand;
"""


class Migration(migrations.Migration):
    dependencies = [
        ("customers", "0016_codes_of_orders"),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.AddField(
            model_name="customer",
            name="messages_paused_until",
            field=models.DateField(blank=True, null=True, verbose_name="messages paused until"),
        ),
        migrations.AddField(
            model_name="codemail",
            name="customer",
            field=models.ForeignKey(
                null=True,
                on_delete=django.db.models.deletion.CASCADE,
                related_name="+",
                to="customers.customer",
            ),
        ),
        migrations.CreateModel(
            name="Consent",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                (
                    "channel",
                    models.CharField(
                        choices=[("email", "E-mail"), ("sms", "Text message"), ("call", "Phone call")],
                        max_length=10,
                        verbose_name="channel",
                    ),
                ),
                (
                    "purpose",
                    models.CharField(
                        choices=[("marketing", "Offers and news")],
                        default="marketing",
                        max_length=10,
                        verbose_name="purpose",
                    ),
                ),
                ("is_given", models.BooleanField(verbose_name="given")),
                ("wording", models.CharField(max_length=300, verbose_name="wording")),
                ("source", models.CharField(max_length=20, verbose_name="source")),
                ("ip", models.GenericIPAddressField(null=True)),
                ("at", models.DateTimeField()),
                (
                    "by",
                    models.ForeignKey(
                        null=True,
                        on_delete=django.db.models.deletion.SET_NULL,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
                (
                    "customer",
                    models.ForeignKey(
                        db_index=False,
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="consents",
                        to="customers.customer",
                    ),
                ),
            ],
            options={
                "verbose_name": "consent",
                "verbose_name_plural": "consents",
                "indexes": [
                    models.Index(fields=["customer", "purpose", "channel", "-id"], name="consents_of_a_customer")
                ],
                "constraints": [
                    models.CheckConstraint(
                        condition=Q(channel__in=["email", "sms", "call"]), name="consent_has_a_channel"
                    ),
                    models.CheckConstraint(condition=Q(purpose="marketing"), name="consent_has_a_purpose"),
                    models.CheckConstraint(condition=~Q(wording=""), name="consent_has_a_wording"),
                ],
            },
        ),
        migrations.RunSQL(STAND, UNDO),
    ]
