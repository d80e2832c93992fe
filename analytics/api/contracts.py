"""`contracts` with what the last night says of each: the chance of renewal and the value. Read only."""

from typing import Any, Final

from django.db.models import OuterRef, QuerySet, Subquery
from django.db.models.functions import JSONObject
from drf_spectacular.utils import OpenApiExample, extend_schema, extend_schema_field, extend_schema_serializer
from drf_spectacular.utils import extend_schema_view as schema
from rest_framework import serializers

from analytics.models import ContractValue
from core.api.fields import Flag, Money, Text
from core.api.serializers import StrictSerializer
from customers.api import contracts
from customers.models import Contract

OUTLOOK: Final = {
    "as_of": "2026-03-31",
    "p_renew": 0.874102,
    "value": "2310.00",
    "value_low": "440.00",
    "value_high": "4103.00",
    "value_agreed": "438.00",
    "value_renewals": "1872.00",
    "at_stake": "2141.00",
    "is_overdue": False,
    "model": "sBG of all plans",
}
COLUMNS: Final = (
    *("as_of", "p_renew", "value_cents", "low_cents", "high_cents", "left_cents", "beyond_cents", "stake_cents"),
    *("is_overdue", "model"),
)


class Outlook(StrictSerializer):
    """Margin in the business currency, discounted to `as_of`. The interval holds the value in 8 of 10 cases."""

    as_of = serializers.DateField()
    p_renew = serializers.FloatField(allow_null=True, help_text="Of the next renewal; null when it was cancelled.")
    value = Money(source="value_cents", least=None, help_text="Of what is agreed and of the renewals that may come.")
    value_low = Money(source="low_cents", least=None)
    value_high = Money(source="high_cents", least=None)
    value_agreed = Money(source="left_cents", least=None, help_text="The part of what is agreed and not over.")
    value_renewals = Money(source="beyond_cents", least=None, help_text="The part of renewals, by their chance.")
    at_stake = Money(source="stake_cents", least=None, help_text="Lost if the next renewal does not come.")
    is_overdue = Flag()
    model = Text()


@extend_schema_serializer(
    examples=[OpenApiExample("A contract", value=contracts.CONTRACT | {"outlook": OUTLOOK}, response_only=True)]
)
class ContractOut(contracts.ContractOut):
    outlook = serializers.SerializerMethodField(
        help_text="What the last night says. Null before a night has seen the contract, and once it has ended."
    )

    @extend_schema_field(Outlook(allow_null=True))
    def get_outlook(self, contract: Contract) -> Any:
        told = getattr(contract, "outlook", None)
        if told is None:
            return None
        told |= {"p_renew": None if told["p_renew"] is None else round(told["p_renew"], 6)}
        return Outlook(told, context=self.context).data


def valued() -> QuerySet[Contract]:
    """In one query for any number of contracts, and one for their terms."""
    told = ContractValue.objects.filter(pk=OuterRef("pk")).values(told=JSONObject(**{name: name for name in COLUMNS}))
    return contracts.whole().annotate(outlook=Subquery(told))


class ContractList(contracts.ContractList):
    serializer_class = ContractOut
    queryset = valued()


class ContractById(contracts.ContractById):
    serializer_class = ContractOut
    queryset = valued()


@schema(put=extend_schema(responses={200: ContractOut, 201: ContractOut}))
class ContractByName(contracts.ContractByName):
    serializer_class = ContractOut
    queryset = valued()


@schema(post=extend_schema(responses={200: ContractOut}))
class ContractRenewals(contracts.ContractRenewals):
    serializer_class = ContractOut
    queryset = valued()


@schema(post=extend_schema(responses={200: ContractOut}))
class ContractCancellations(contracts.ContractCancellations):
    serializer_class = ContractOut
    queryset = valued()
