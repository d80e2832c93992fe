"""What each key figure means: the words that every page which shows it uses, and its formula."""

from dataclasses import dataclass
from typing import Final

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _


@dataclass(frozen=True, kw_only=True)
class Figure:
    """A key figure in words: `kind` is how its amount is written, `rows` the customer list of those behind it."""

    label: Promise
    kind: str
    note: Promise
    definition: Promise
    formula: Promise
    rows: str = ""
    rising_is_good: bool = True


TODAY: Final = {
    "revenue": Figure(
        label=_("Revenue"),
        kind="money_short",
        note=_("against the days before"),
        definition=_("Order value net of tax in the period, less what came back in it. Guests are included."),
        formula=_("order value − refunds"),
        rows="?sort=-value",
    ),
    "clv": Figure(
        label=_("Average CLV"),
        kind="money_whole",
        note=_("predicted, 12 months"),
        definition=_("Expected margin of the next 365 days, discounted, averaged over all customers with an order."),
        formula=_("expected margin of all customers ÷ customers"),
        rows="?sort=-clv",
    ),
    "active": Figure(
        label=_("Active customers"),
        kind="count",
        note=_("ordered lately"),
        definition=_("Customers whose last order is within the days that count as leaving, 90 unless changed."),
        formula=_("customers with an order in the days that count as leaving"),
        rows="?sort=-last",
    ),
    "risk": Figure(
        label=_("Value at risk"),
        kind="money_short",
        note=_("CLV with raised risk"),
        definition=_(
            "What orders of the next 12 months are expected to bring of the customers whose churn risk is medium or"
            " high for their own pace. What contracts bring is not in it: they have a chance of renewal of their own."
        ),
        formula=_("CLV without contracts of the customers with a medium or high risk"),
        rows="?risk=high&risk=medium&sort=-orders",
        rising_is_good=False,
    ),
}

KPIS: Final = {
    "retention": Figure(
        label=_("Retention rate"),
        kind="percent",
        note=_("still active"),
        definition=_(
            "Of the customers who were active on the day before the period, the share who are active on its last day."
            " Nobody signs off in a shop without contracts, so active means: with an order in the days that count as"
            " leaving, 90 unless changed in the settings."
        ),
        formula=_("customers active before and at the end ÷ customers active before"),
    ),
    "churn": Figure(
        label=_("Churn rate"),
        kind="percent",
        note=_("no longer active"),
        definition=_(
            "Of the customers who were active on the day before the period, the share who are not active on its last"
            " day: their last order is longer ago than the days that count as leaving."
        ),
        formula=_("1 − retention rate"),
        rising_is_good=False,
    ),
    "repeat": Figure(
        label=_("Repeat rate"),
        kind="percent",
        note=_("had bought before"),
        definition=_(
            "Of the customers with an order in the period, the share who had also bought on an earlier day, in the"
            " period or before it. Orders of one day count as one purchase."
        ),
        formula=_("customers with an earlier order day ÷ customers with an order"),
    ),
    "order-value": Figure(
        label=_("Average order value"),
        kind="money",
        note=_("net of refunds"),
        definition=_(
            "Revenue of the period per paid order: order value net of tax, less what came back in it."
            " Guests are included."
        ),
        formula=_("revenue ÷ paid orders"),
    ),
    "frequency": Figure(
        label=_("Purchase frequency"),
        kind="number",
        note=_("orders per customer"),
        definition=_("Orders per customer with at least one order in the period. Guests are left out."),
        formula=_("orders of known customers ÷ customers with an order"),
    ),
    "lifespan": Figure(
        label=_("Customer lifespan"),
        kind="years",
        note=_("at this churn rate"),
        definition=_(
            "How long a customer stays on average if customers go on leaving as they did in the period."
            " It says little where few left."
        ),
        formula=_("length of the period ÷ churn rate"),
    ),
    "cac": Figure(
        label=_("Acquisition cost"),
        kind="money",
        note=_("per new customer"),
        definition=_(
            "What it cost to win a customer: the acquisition costs of the last 1, 3 or 12 complete months per customer"
            " whose first order is in them. Months without an entry are left out, costs and customers; in the others a"
            " channel without an entry cost nothing."
        ),
        formula=_("acquisition costs ÷ new customers"),
        rising_is_good=False,
    ),
    "ltv-cac": Figure(
        label=_("LTV to CAC"),
        kind="ratio",
        note=_("margin, not revenue"),
        definition=_(
            "What customers earned beside what they cost: their margin until the end of the twelfth month after the"
            " first order, less what came back, per unit of acquisition cost of the same customers. It is taken over"
            " the latest 1, 3 or 12 months of first orders that have had those twelve months. Around 3 is usual to aim"
            " for; below 1 they cost more than they brought."
        ),
        formula=_("margin per customer by month 12 ÷ acquisition cost per customer"),
    ),
    "payback": Figure(
        label=_("Payback"),
        kind="month",
        note=_("margin covers the cost"),
        definition=_(
            "The first month after the first order by whose end the margin of customers has covered what they cost, for"
            " the latest 1, 3 or 12 months of first orders that have had twelve months since."
            " Month 0 is the month of the first order."
        ),
        formula=_("first month with cumulative margin per customer ≥ acquisition cost per customer"),
        rising_is_good=False,
    ),
    "risk-share": Figure(
        label=_("Share of value at risk"),
        kind="percent",
        note=_("of predicted CLV"),
        definition=_(
            "The part of the predicted 12-month value that orders are expected to bring of customers whose churn risk"
            " is medium or high for their own pace, by the last night. What their contracts bring is not in it."
        ),
        formula=_("CLV without contracts of customers with a medium or high risk ÷ CLV of all customers"),
        rows="?risk=high&risk=medium&sort=-orders",
        rising_is_good=False,
    ),
}

# The rows of the what-if simulator.
WHAT_IF: Final = {
    "stays_order": Figure(
        label=_("Customers who come back"),
        kind="percent",
        note=_("after an order"),
        definition=_(
            "Of the customers who are still there, the share who do not leave for good with their next order, as the"
            " model sees it. Moving “Customers who leave” by −20% takes a fifth of the others away."
        ),
        formula=_("1 − chance to leave at the next order"),
    ),
    "stays_year": Figure(
        label=_("Customers who stay"),
        kind="percent",
        note=_("for a year"),
        definition=_(
            "Of the customers who are still there, the share who have not left for good in a year, as the model sees"
            " it. “Customers who leave” moves the rate at which they leave."
        ),
        formula=_("1 − chance to leave within a year"),
    ),
    "clv": Figure(
        label=_("Value of 12 months"),
        kind="money",
        note=_("discounted margin"),
        definition=_("The margin of the orders expected in the next 365 days, discounted: the CLV of all other pages."),
        formula=_("expected orders × margin of an order, discounted"),
    ),
    "clv_36m": Figure(
        label=_("Value of 36 months"),
        kind="money",
        note=_("discounted margin"),
        definition=_("The same for the next three years."),
        formula=_("expected orders × margin of an order, discounted"),
    ),
    "clv_lifetime": Figure(
        label=_("Lifetime value"),
        kind="money",
        note=_("discounted margin"),
        definition=_("The same for a lifetime, which is counted to ten years."),
        formula=_("expected orders × margin of an order, discounted"),
    ),
    "orders": Figure(
        label=_("Orders"),
        kind="number",
        note=_("in 12 months"),
        definition=_("Orders expected from today's customers in the next 365 days; orders of one day count once."),
        formula=_("chance to be there × orders of those who are there"),
    ),
    "revenue": Figure(
        label=_("Revenue"),
        kind="money",
        note=_("in 12 months"),
        definition=_(
            "Expected orders of the next 365 days times what an order of the customer brings, not discounted."
        ),
        formula=_("expected orders × revenue of an order"),
    ),
    "at_risk": Figure(
        label=_("Revenue at risk"),
        kind="money",
        note=_("in 12 months"),
        definition=_(
            "The revenue of the next 365 days that customers take away who leave from today on. Who has left already"
            " is not in it."
        ),
        formula=_("revenue if nobody left any more − expected revenue"),
        rising_is_good=False,
    ),
    "payback": Figure(
        label=_("Payback of a new customer"),
        kind="month",
        note=_("margin covers the cost"),
        definition=_(
            "The first month by whose end the first order and the expected repeat orders of a new customer have brought"
            " as margin what it cost to win one, by the acquisition costs of the last 12 complete months."
        ),
        formula=_("first month with expected margin ≥ acquisition cost"),
        rising_is_good=False,
    ),
}

FIGURES: Final = TODAY | KPIS

# The questions that the figures answer, in the order of the page.
QUESTIONS: Final = (
    (_("Do customers stay?"), ("retention", "churn", "lifespan", "risk-share")),
    (_("How do they buy?"), ("repeat", "frequency", "order-value")),
    (_("Do they earn what they cost?"), ("cac", "ltv-cac", "payback")),
)
