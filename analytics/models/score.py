"""Scores: one partition a run. A run's rows are written to a table of their own and attached when they are complete."""

from django.db import models

from core.models import Run
from customers.models import Customer


class Score(models.Model):
    """What a night says of a customer with at least one order. Predictions are empty where every order came back."""

    pk = models.CompositePrimaryKey("run_id", "customer_id")
    run = models.ForeignKey(Run, models.DO_NOTHING, db_constraint=False, db_index=False, related_name="scores")
    customer = models.ForeignKey(
        Customer, models.DO_NOTHING, db_constraint=False, db_index=False, related_name="scores"
    )
    orders = models.IntegerField()
    order_days = models.IntegerField()
    first_at = models.DateTimeField()
    last_at = models.DateTimeField()
    age_days = models.IntegerField()  # from the first order day to the run's date
    last_age_days = models.IntegerField()  # from the last order day to the run's date
    value_cents = models.BigIntegerField()
    historic_cents = models.BigIntegerField()  # margin to date
    p_alive = models.FloatField(null=True)
    churn_risk = models.FloatField(null=True)
    churn_band = models.SmallIntegerField(default=0)
    expected_orders = models.FloatField(null=True)
    order_margin_cents = models.BigIntegerField(null=True)
    clv_cents = models.BigIntegerField(null=True)  # of orders and contracts
    clv_low_cents = models.BigIntegerField(null=True)
    clv_high_cents = models.BigIntegerField(null=True)
    clv_36m_cents = models.BigIntegerField(null=True)
    clv_lifetime_cents = models.BigIntegerField(null=True)  # ten years at most
    contract_cents = models.BigIntegerField(default=0)  # the part of clv_cents that contracts are
    contract_36m_cents = models.BigIntegerField(default=0)
    contract_lifetime_cents = models.BigIntegerField(default=0)
    orders_low = models.FloatField(null=True)  # of the orders within 365 days, 80 %
    orders_high = models.FloatField(null=True)
    usual_gap_days = models.FloatField(null=True)
    next_order_on = models.DateField(null=True)  # half of customers like this order by then; empty beyond 3 years
    acquisition_cents = models.BigIntegerField(default=0)
    cost_cents = models.BigIntegerField(default=0)  # to serve and to keep, to date
    expected_cost_cents = models.BigIntegerField(null=True)  # over the next 365 days
    textbook_cents = models.BigIntegerField(null=True)  # empty too while the shop is too young for a lifespan
    profitable_on = models.DateField(null=True)  # since when margin covers every cost; empty while it does not
    r = models.SmallIntegerField(default=0)
    f = models.SmallIntegerField(default=0)
    m = models.SmallIntegerField(default=0)
    segment = models.SmallIntegerField(default=0)
    previous_segment = models.SmallIntegerField(default=0)
    segment_changed_on = models.DateField()
    # Codes of analytics.schemes, and the category most money went to (0: none).
    value_tier = models.SmallIntegerField(default=0)
    tenure = models.SmallIntegerField(default=0)
    trajectory = models.SmallIntegerField(default=0)
    profitability = models.SmallIntegerField(default=0)
    main_category = models.BigIntegerField(default=0)

    class Meta:
        managed = False
        db_table = "analytics_score"

    def __str__(self) -> str:
        return f"Score of customer {self.customer_id} in run {self.run_id}"

    @property
    def profit_cents(self) -> int:
        """Margin to date less every cost to date."""
        return self.historic_cents - self.cost_cents - self.acquisition_cents
