"""`contracts`: lists, one, upsert by source and id, renewals and cancellations."""

from datetime import date, timedelta
from typing import Any, Final

from django.db.models import Q, QuerySet
from django.shortcuts import get_object_or_404
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django_filters import filters
from django_filters.filterset import FilterSet
from drf_spectacular.utils import OpenApiExample, extend_schema, extend_schema_field, extend_schema_serializer
from rest_framework import serializers
from rest_framework.exceptions import ErrorDetail, NotFound, ValidationError
from rest_framework.request import Request
from rest_framework.response import Response

from core.api.errors import Conflict
from core.api.fields import FIRST_YEAR, Amount, Flag, Id, Money, Text, Whole
from core.api.filters import IdFilter, OneOf
from core.api.serializers import StrictSerializer
from core.api.views import ApiView, ListView
from customers.api.orders import taken
from customers.api.values import created, named
from customers.models import Company, Contract, ContractTerm, Customer
from customers.models.contract import LONGEST_TERM
from customers.selectors.contracts import DUE_DAYS
from customers.services import contract_upserts, contracts

MOST_RENEWALS: Final = 600
LAST_YEAR: Final = 2099
Outcome, Status = ContractTerm.Outcome, ContractTerm.Status
BODY: Final = {
    "customer": "42",
    "plan": "Coffee for the office",
    "starts_on": "2025-03-01",
    "term_months": 12,
    "value": "1200.00",
    "renewals": 1,
}
CONTRACT: Final = {
    "id": "7",
    "source": "erp",
    "external_id": "K-7",
    "company": None,
    "customer": "42",
    "plan": "Coffee for the office",
    "agreed_on": "2025-03-01",
    "starts_on": "2025-03-01",
    "term_months": 12,
    "value": "1200.00",
    "margin_rate": None,
    "renews_automatically": False,
    "is_billed_by_orders": False,
    "status": "running",
    "ends_on": "2027-02-28",
    "renewals": 1,
    "terms": [
        {
            "number": 1,
            "starts_on": "2025-03-01",
            "ends_on": "2026-02-28",
            "value": "1200.00",
            "outcome": "renewed",
            "decided_on": "2026-02-10",
            "reason": "",
        }
    ],
}


class Day(serializers.DateField):
    """A day that a contract can have."""

    default_error_messages = {"year": gettext_lazy("The year is not between 1900 and 2099.")}

    def to_internal_value(self, value: Any) -> date:
        day = super().to_internal_value(value)
        if not FIRST_YEAR <= day.year <= LAST_YEAR:
            self.fail("year")
        return day


@extend_schema_field({"oneOf": [{"type": "string", "pattern": r"^-?[01](\.[0-9]{1,4})?$"}, {"type": "number"}]})
class Share(Amount):
    """A margin rate: -1 to 1."""

    def to_internal_value(self, data: Any) -> Any:
        value = self.read(data, places=4)
        if abs(value) > 1:
            self.fail("range")
        return value

    def to_representation(self, value: Any) -> str:
        return f"{value.normalize():f}"


class TermOut(StrictSerializer):
    number = Whole()
    starts_on = serializers.DateField()
    ends_on = serializers.DateField(help_text="The term's last day.")
    value = Money(source="value_cents", least=None)
    outcome = serializers.ChoiceField(choices=Outcome.choices)
    decided_on = serializers.DateField(allow_null=True)
    reason = Text()


@extend_schema_serializer(examples=[OpenApiExample("A contract", value=CONTRACT, response_only=True)])
class ContractOut(StrictSerializer):
    id = Id(source="pk")
    source = Text()  # type: ignore[assignment]
    external_id = Text()
    company = Id(source="company_id", allow_null=True)
    customer = Id(source="customer_id", allow_null=True)
    plan = Text()
    agreed_on = serializers.DateField()
    starts_on = serializers.DateField()
    term_months = Whole()
    value = Money(source="value_cents", least=None)
    margin_rate = Share(least=None, allow_null=True)
    renews_automatically = Flag()
    is_billed_by_orders = Flag(help_text="Its value is in that of the customer's orders.")
    status = serializers.SerializerMethodField()
    ends_on = serializers.SerializerMethodField(help_text="The last day of the last term that is agreed.")
    renewals = serializers.SerializerMethodField()
    terms = serializers.SerializerMethodField()

    @extend_schema_field(serializers.ChoiceField(choices=Status.choices))
    def get_status(self, contract: Contract) -> str:
        return _terms(contract)[-1].status(timezone.localdate()).value

    @extend_schema_field(serializers.DateField())
    def get_ends_on(self, contract: Contract) -> str:
        return _terms(contract)[-1].ends_on.isoformat()

    @extend_schema_field(serializers.IntegerField())
    def get_renewals(self, contract: Contract) -> int:
        return _terms(contract)[-1].renewals

    @extend_schema_field(TermOut(many=True))
    def get_terms(self, contract: Contract) -> Any:
        return TermOut(_terms(contract), many=True, context=self.context).data


def _terms(contract: Contract) -> list[ContractTerm]:
    """By number; they are fetched with the contracts."""
    return sorted(contract.terms.all(), key=lambda term: term.number)


@extend_schema_serializer(examples=[OpenApiExample("A contract", value=BODY, request_only=True)])
class ContractIn(StrictSerializer):
    """What is left out stays as it is; a new contract needs its plan, first day and value."""

    company = Id(required=False, allow_null=True)
    customer = Id(required=False, allow_null=True)
    plan = Text(max_length=120, required=False)
    agreed_on = Day(required=False, help_text="Without it the first day, or today if that is still to come.")
    starts_on = Day(required=False, help_text="Stands once a term was decided upon.")
    term_months = Whole(min_value=1, max_value=LONGEST_TERM, required=False)
    value = Money(source="value_cents", required=False, help_text="Net, of a term: the open one and those to come.")
    margin_rate = Share(least=None, required=False, allow_null=True, help_text="From -1 to 1; null: the business's.")
    renews_automatically = Flag(required=False)
    is_billed_by_orders = Flag(required=False, help_text="Its invoices come in as orders: it is not counted twice.")
    renewals = Whole(min_value=0, max_value=MOST_RENEWALS, required=False, help_text="How often it was renewed so far.")

    def validate_company(self, pk: int | None) -> Company | None:
        found: Company | None = _found(Company.objects.all(), pk, _("There is no such company."))
        return found

    def validate_customer(self, pk: int | None) -> Customer | None:
        found: Customer | None = _found(Customer.objects.all(), pk, _("There is no such customer."))
        return found


def _found(rows: QuerySet[Any], pk: int | None, message: str) -> Any:
    found = None if pk is None else rows.filter(pk=pk).first()
    if pk is not None and found is None:
        raise ValidationError([ErrorDetail(message, code="does_not_exist")])
    return found


class DecisionIn(StrictSerializer):
    """Which term is decided upon, and since when that is known; without a day, today."""

    number = Whole(min_value=1, max_value=10_000)
    on = Day(required=False)

    def validate_on(self, day: date) -> date:
        if day > timezone.localdate():
            raise ValidationError([ErrorDetail(_("This is in the future."), code="future")])
        return day


@extend_schema_serializer(
    examples=[OpenApiExample("The second term", value={"number": 2, "value": "1300.00"}, request_only=True)]
)
class RenewIn(DecisionIn):
    value = Money(source="value_cents", required=False, help_text="Of the next term; without it as agreed.")


@extend_schema_serializer(
    examples=[OpenApiExample("The customer's word", value={"number": 2, "reason": "Moved away"}, request_only=True)]
)
class CancelIn(DecisionIn):
    reason = Text(max_length=200, required=False, allow_blank=True)
    outcome = serializers.ChoiceField(choices=[Outcome.CANCELLED, Outcome.LAPSED], required=False)


class ContractFilter(FilterSet):
    source = filters.CharFilter(label="The system that names it.")
    company = IdFilter(field_name="company_id", label="The company's id.")
    customer = IdFilter(field_name="customer_id", label="The customer's id.")
    plan = filters.CharFilter(label="The plan's name.")
    state = OneOf(*("open", "overdue", "ended"), method="of_state", label="By the last term, today.")
    due_within = OneOf(*map(str, DUE_DAYS), method="due", label="Open terms that end within so many days.")

    def of_state(self, rows: QuerySet[Contract], name: str, value: str) -> QuerySet[Contract]:
        over, pending = Q(ends_on__lt=timezone.localdate()), Q(outcome=Outcome.PENDING)
        wanted = {"open": pending | ~over, "overdue": pending & over, "ended": ~pending & over}[value]
        return _with_last(rows, wanted)

    def due(self, rows: QuerySet[Contract], name: str, value: Any) -> QuerySet[Contract]:
        today = timezone.localdate()
        wanted = Q(outcome=Outcome.PENDING, ends_on__gte=today, ends_on__lte=today + timedelta(days=int(value)))
        return _with_last(rows, wanted)


def _with_last(rows: QuerySet[Contract], wanted: Q) -> QuerySet[Contract]:
    last = ContractTerm.objects.filter(~Q(outcome=Outcome.RENEWED) & wanted)
    return rows.filter(pk__in=last.values("contract_id"))


def whole() -> QuerySet[Contract]:
    return Contract.objects.prefetch_related("terms")


class ContractList(ListView):
    """The views are extended by an app above with what a night says (analytics.api.contracts)."""

    serializer_class: type[ContractOut] = ContractOut
    filterset_class = ContractFilter
    queryset = whole()

    def get(self, request: Request) -> Response:
        """Contracts with their terms, the newest first."""
        return super().get(request)


class ContractById(ApiView):
    serializer_class: type[ContractOut] = ContractOut
    queryset = whole()

    def get(self, request: Request, pk: int) -> Response:
        """One contract with its terms."""
        return Response(self.get_serializer(get_object_or_404(self.get_queryset(), pk=pk)).data)


class ContractByName(ApiView):
    serializer_class: type[ContractOut] = ContractOut
    queryset = whole()

    @extend_schema(operation_id="contracts_retrieve_by_source")
    def get(self, request: Request, source: str, external_id: str) -> Response:
        """One contract, by the source's name and the id there."""
        found = get_object_or_404(self.get_queryset(), source=source, external_id=external_id)
        return Response(self.get_serializer(found).data)

    @extend_schema(request=ContractIn, responses={200: ContractOut, 201: ContractOut})
    def put(self, request: Request, source: str, external_id: str) -> Response:
        """Write what is told of a contract. 201: it is new. 200: it is known, and changed if the body differs."""
        data = taken(ContractIn(data=request.data, context=self.get_serializer_context()))
        try:
            saved = contract_upserts.contract(
                source=named(source, longest=60),
                external_id=named(external_id),
                told=data,
                on=timezone.localdate(),
            )
        except contract_upserts.Refused as error:
            raise ValidationError({error.field: [ErrorDetail(str(error), code=error.code)]}) from None
        except contracts.AlreadyDecided:
            raise _decided() from None
        shown = self.get_serializer(self.get_queryset().get(pk=saved.row.pk))
        return Response(shown.data, status=created(saved.outcome))


class ContractRenewals(ApiView):
    serializer_class: type[ContractOut] = ContractOut
    queryset = whole()

    @extend_schema(request=RenewIn, responses={200: ContractOut}, operation_id="contracts_renew")
    def post(self, request: Request, pk: int) -> Response:
        """Renew a term. A term that was renewed before stays renewed, once; one that was cancelled is a 409."""
        data = taken(RenewIn(data=request.data, context=self.get_serializer_context()))
        return self.answer(pk, contracts.renew, {"on": timezone.localdate()} | data)

    def answer(self, pk: int, decide: Any, told: dict[str, Any]) -> Response:
        try:
            decide(contract_id=pk, **told)
        except (Contract.DoesNotExist, ContractTerm.DoesNotExist):
            raise NotFound from None
        except contracts.AlreadyDecided:
            raise _decided() from None
        except contracts.NotBegun:
            detail = ErrorDetail(_("The term has not begun: it cannot be renewed yet."), code="not_begun")
            raise ValidationError({"number": [detail]}) from None
        except contracts.NotOver:
            detail = ErrorDetail(_("A term lapses when it is over, not before."), code="not_over")
            raise ValidationError({"outcome": [detail]}) from None
        return Response(self.get_serializer(self.get_queryset().get(pk=pk)).data)


class ContractCancellations(ContractRenewals):
    @extend_schema(request=CancelIn, responses={200: ContractOut}, operation_id="contracts_cancel")
    def post(self, request: Request, pk: int) -> Response:
        """Let the contract end with a term. The same again changes nothing; a term that was renewed is a 409."""
        data = taken(CancelIn(data=request.data, context=self.get_serializer_context()))
        return self.answer(pk, contracts.cancel, {"on": timezone.localdate()} | data)


def _decided() -> Conflict:
    return Conflict(_("The term was decided upon in another way."), code="already_decided")
