"""Putting the demo's contracts into a home, by the services that people's clicks call; those there already stay."""

from decimal import Decimal
from typing import Final

from django.db import transaction

from core import money
from core.models import Business
from crm.demo.clearing import SOURCE
from crm.demo.facts import Deal, Shop
from customers.models import Company, Contract, Identity
from customers.services import contracts
from customers.services.contracts import Agreement

RENEWED: Final = "renewed"


@transaction.atomic
def agree(*, shop: Shop, business: Business) -> int:
    """Returns how many contracts are new."""
    known = set(Contract.objects.filter(source=SOURCE).values_list("external_id", flat=True))
    missing = [deal for deal in shop.deals if deal.external_id not in known]
    companies = {one.name: one for one in Company.objects.filter(source=SOURCE).order_by("-pk")}
    identities = Identity.objects.filter(source=SOURCE, external_id__in=[deal.contact for deal in missing])
    contacts = {one.external_id: one.customer for one in identities.select_related("customer")}
    for deal in missing:
        _agree(
            deal,
            agreement=Agreement(
                plan=deal.plan,
                company=companies.get(deal.firm),
                customer=contacts[deal.contact],
                agreed_on=deal.starts_on,
                starts_on=deal.starts_on,
                term_months=deal.months,
                value_cents=_cents(deal.value, business),
                margin_rate=deal.margin,
                renews_automatically=deal.automatic,
            ),
            business=business,
        )
    return len(missing)


def _agree(deal: Deal, *, agreement: Agreement, business: Business) -> None:
    made = contracts.add(agreement=agreement, on=deal.starts_on, source=SOURCE, external_id=deal.external_id)
    for number, told in enumerate(deal.decisions, start=1):
        if told.outcome == RENEWED:
            value_cents = _cents(told.value, business) if told.value is not None else None
            contracts.renew(contract_id=made.pk, number=number, on=told.on, value_cents=value_cents)
        else:
            contracts.cancel(contract_id=made.pk, number=number, on=told.on, reason=told.reason, outcome=told.outcome)


def _cents(amount: Decimal, business: Business) -> int:
    return int(amount.scaleb(money.exponent(business.currency)))
