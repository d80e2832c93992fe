import django.contrib.postgres.constraints
import django.core.validators
import django.db.models.deletion
from django.contrib.postgres.operations import BtreeGistExtension
from django.db import migrations, models

import customers.models.contract

EDITS = """
SELECT perennial_keep_edits_of('customers_contract', 'customers_contract', 'id', ARRAY['external_id', 'company_id',
    'customer_id', 'plan', 'agreed_on', 'starts_on', 'term_months', 'value_cents', 'margin_rate', 'renews_automatically']);
SELECT perennial_keep_edits_of('customers_contractterm', 'customers_contract', 'contract_id', ARRAY['number',
    'starts_on', 'ends_on', 'value_cents', 'outcome', 'decided_on', 'reason']);
"""
UNDO = "".join(
    f"DROP TRIGGER edits_are_kept ON customers_{table}; DROP TRIGGER coming_and_going_is_kept ON customers_{table};"
    for table in ("contract", "contractterm")
)
STAND = """
CREATE FUNCTION perennial_terms_stand() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF OLD.outcome <> 'pending' AND (
        (to_jsonb(NEW) - '{outcome,decided_on,reason}'::text[])
            <> (to_jsonb(OLD) - '{outcome,decided_on,reason}'::text[])
        OR (NEW.outcome <> 'pending' AND to_jsonb(NEW) <> to_jsonb(OLD))
    ) THEN
        RAISE EXCEPTION 'A term that is decided upon stands: take the decision back first.'
            USING ERRCODE = 'restrict_violation';
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER decided_terms_stand BEFORE UPDATE ON customers_contractterm
    FOR EACH ROW EXECUTE FUNCTION perennial_terms_stand();
"""
FALL = "DROP TRIGGER decided_terms_stand ON customers_contractterm; DROP FUNCTION perennial_terms_stand"


class Migration(migrations.Migration):
    dependencies = [
        ("customers", "0009_costs"),
    ]

    operations = [
        BtreeGistExtension(),
        migrations.CreateModel(
            name="Contract",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("source", models.CharField(default="manual", max_length=60)),
                ("external_id", models.CharField(max_length=200, verbose_name="contract number")),
                ("plan", models.CharField(max_length=120, verbose_name="plan")),
                ("agreed_on", models.DateField(verbose_name="agreed")),
                ("starts_on", models.DateField(verbose_name="starts")),
                (
                    "term_months",
                    models.PositiveSmallIntegerField(
                        default=12,
                        validators=[
                            django.core.validators.MinValueValidator(1),
                            django.core.validators.MaxValueValidator(120),
                        ],
                        verbose_name="term, months",
                    ),
                ),
                ("value_cents", models.BigIntegerField(verbose_name="value of a term")),
                (
                    "margin_rate",
                    models.DecimalField(
                        blank=True, decimal_places=4, max_digits=5, null=True, verbose_name="margin rate"
                    ),
                ),
                ("renews_automatically", models.BooleanField(default=False, verbose_name="renews automatically")),
                ("created_at", models.DateTimeField(auto_now_add=True)),
                (
                    "company",
                    models.ForeignKey(
                        blank=True,
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="contracts",
                        to="customers.company",
                        verbose_name="company",
                    ),
                ),
                (
                    "customer",
                    models.ForeignKey(
                        blank=True,
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="contracts",
                        to="customers.customer",
                        verbose_name="customer",
                    ),
                ),
            ],
            options={
                "verbose_name": "contract",
                "verbose_name_plural": "contracts",
            },
        ),
        migrations.CreateModel(
            name="ContractTerm",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("number", models.PositiveSmallIntegerField(verbose_name="term")),
                ("starts_on", models.DateField(verbose_name="starts")),
                ("ends_on", models.DateField(verbose_name="last day")),
                ("value_cents", models.BigIntegerField(verbose_name="value")),
                (
                    "outcome",
                    models.CharField(
                        choices=[
                            ("pending", "Open"),
                            ("renewed", "Renewed"),
                            ("cancelled", "Cancelled"),
                            ("lapsed", "Lapsed"),
                        ],
                        default="pending",
                        max_length=10,
                        verbose_name="outcome",
                    ),
                ),
                ("decided_on", models.DateField(blank=True, null=True, verbose_name="known since")),
                ("reason", models.CharField(blank=True, max_length=200, verbose_name="reason")),
                (
                    "contract",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE, related_name="terms", to="customers.contract"
                    ),
                ),
            ],
            options={
                "verbose_name": "term of a contract",
                "verbose_name_plural": "terms of contracts",
            },
        ),
        migrations.AddConstraint(
            model_name="contract",
            constraint=models.UniqueConstraint(fields=("source", "external_id"), name="one_contract_per_source_and_id"),
        ),
        migrations.AddConstraint(
            model_name="contract",
            constraint=models.CheckConstraint(
                condition=models.Q(("customer__isnull", False), ("company__isnull", False), _connector="OR"),
                name="a_contract_is_somebody_s",
            ),
        ),
        migrations.AddConstraint(
            model_name="contract",
            constraint=models.CheckConstraint(
                condition=models.Q(("plan", ""), _negated=True), name="a_contract_names_its_plan"
            ),
        ),
        migrations.AddConstraint(
            model_name="contract",
            constraint=models.CheckConstraint(
                condition=models.Q(("term_months__gte", 1), ("term_months__lte", 120)),
                name="a_term_has_1_to_120_months",
            ),
        ),
        migrations.AddConstraint(
            model_name="contract",
            constraint=models.CheckConstraint(
                condition=models.Q(("value_cents__gte", 0)), name="a_contract_is_not_worth_less_than_nothing"
            ),
        ),
        migrations.AddConstraint(
            model_name="contract",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    ("margin_rate__isnull", True),
                    models.Q(("margin_rate__gte", -1), ("margin_rate__lte", 1)),
                    _connector="OR",
                ),
                name="margin_rate_of_a_contract_is_a_share",
            ),
        ),
        migrations.AddIndex(
            model_name="contractterm",
            index=models.Index(
                condition=models.Q(("outcome", "pending")), fields=["ends_on"], name="open_terms_by_last_day"
            ),
        ),
        migrations.AddConstraint(
            model_name="contractterm",
            constraint=models.UniqueConstraint(fields=("contract", "number"), name="terms_of_a_contract_are_numbered"),
        ),
        migrations.AddConstraint(
            model_name="contractterm",
            constraint=models.UniqueConstraint(
                condition=models.Q(("outcome", "renewed"), _negated=True),
                fields=("contract",),
                name="a_contract_has_one_last_term",
            ),
        ),
        migrations.AddConstraint(
            model_name="contractterm",
            constraint=models.CheckConstraint(
                condition=models.Q(("number__gte", 1)), name="terms_are_numbered_from_one"
            ),
        ),
        migrations.AddConstraint(
            model_name="contractterm",
            constraint=models.CheckConstraint(
                condition=models.Q(("ends_on__gte", models.F("starts_on"))), name="a_term_ends_after_it_starts"
            ),
        ),
        migrations.AddConstraint(
            model_name="contractterm",
            constraint=models.CheckConstraint(
                condition=models.Q(("value_cents__gte", 0)), name="a_term_is_not_worth_less_than_nothing"
            ),
        ),
        migrations.AddConstraint(
            model_name="contractterm",
            constraint=models.CheckConstraint(
                condition=models.Q(("outcome__in", ["pending", "renewed", "cancelled", "lapsed"])),
                name="a_term_has_a_known_outcome",
            ),
        ),
        migrations.AddConstraint(
            model_name="contractterm",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    models.Q(("decided_on__isnull", True), ("outcome", "pending")),
                    models.Q(models.Q(("outcome", "pending"), _negated=True), ("decided_on__isnull", False)),
                    _connector="OR",
                ),
                name="a_decided_term_says_since_when",
            ),
        ),
        migrations.AddConstraint(
            model_name="contractterm",
            constraint=django.contrib.postgres.constraints.ExclusionConstraint(
                expressions=[
                    ("contract", "="),
                    (customers.models.contract.Days("starts_on", "ends_on", models.Value("[]")), "&&"),
                ],
                name="terms_of_a_contract_do_not_overlap",
            ),
        ),
        migrations.RunSQL(EDITS, UNDO),
        migrations.RunSQL(STAND, FALL),
    ]
