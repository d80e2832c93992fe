"""A customer as JSON, beyond the row of the list: what is answered of one, and what is taken."""

from collections.abc import Callable
from dataclasses import replace
from typing import Any, Final

from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext as _
from drf_spectacular.utils import OpenApiExample, extend_schema_field, extend_schema_serializer
from rest_framework import serializers
from rest_framework.exceptions import ErrorDetail, ValidationError

from core.api.fields import Id, Moment, Text
from core.api.serializers import StrictSerializer
from core.api.views import ApiView
from crm.api.shapes import CUSTOMER, WHO, CustomerOut, Listed
from customers import birthdays, places
from customers.api.orders import taken
from customers.api.values import Address, Number
from customers.importing import persons
from customers.models import Company, Customer
from customers.selectors import tags as found
from customers.services import custom, tags
from customers.services.upserts import Saved, Told

MOST_CONTACTS: Final = 20
MOST_TAGS: Final = 50
BODY: Final = {
    "name": "Ada Lovelace",
    "email": "ada@example.com",
    "country": "GB",
    "locale": "en",
    "tags": ["Gluten free"],
}


DETAIL: Final[dict[str, Any]] = {
    **CUSTOMER,
    "emails": ["ada@example.com"],
    "phones": ["+442079460958"],
    "identities": [WHO],
    "company": None,
    "channel": "web",
    "street": "12 St James's Square",
    "postcode": "SW1Y 4JH",
    "city": "London",
    "region": "",
    "country": "GB",
    "locale": "en",
    "time_zone": "Europe/London",
    "birthday": "1990-03-14",
    "created_at": "2024-05-02T08:00:00Z",
    "archived_at": None,
    "tags": ["Gluten free"],
}


class IdentityOut(StrictSerializer):
    source = Text()  # type: ignore[assignment]
    external_id = Text()


@extend_schema_serializer(examples=[OpenApiExample("A customer", value=DETAIL, response_only=True)])
class CustomerDetailOut(CustomerOut):
    emails = serializers.SerializerMethodField()
    phones = serializers.SerializerMethodField()
    identities = serializers.SerializerMethodField()
    company = Id(source="row.customer.company_id", allow_null=True)
    channel = Text(source="row.customer.channel")
    street = Text(source="row.customer.street", help_text="With the number and the flat.")
    postcode = Text(source="row.customer.postcode")
    city = Text(source="row.customer.city")
    region = Text(source="row.customer.region")
    country = Text(source="row.customer.country")
    locale = Text(source="row.customer.locale")
    time_zone = Text(source="row.customer.time_zone")
    birthday = Text(source="row.customer.birthday", help_text="--03-14 where the year is not known.")
    created_at = Moment(source="row.customer.created_at")
    archived_at = Moment(source="row.customer.archived_at", allow_null=True)
    tags = serializers.SerializerMethodField(help_text="What people say that the customer needs.")

    @extend_schema_field(serializers.ListField(child=serializers.CharField()))
    def get_tags(self, one: Listed) -> list[str]:
        return list(found.of_customer(one.row.customer.pk).values_list("name", flat=True))

    @extend_schema_field(serializers.ListField(child=serializers.CharField()))
    def get_emails(self, one: Listed) -> list[str]:
        return list(one.row.customer.emails.order_by("pk").values_list("address", flat=True))

    @extend_schema_field(serializers.ListField(child=serializers.CharField()))
    def get_phones(self, one: Listed) -> list[str]:
        return list(one.row.customer.phones.order_by("pk").values_list("number", flat=True))

    @extend_schema_field(IdentityOut(many=True))
    def get_identities(self, one: Listed) -> Any:
        return IdentityOut(one.row.customer.identities.order_by("pk"), many=True).data


@extend_schema_field(
    {
        "type": "object",
        "additionalProperties": {
            "nullable": True,
            "oneOf": [{"type": kind} for kind in ("string", "number", "boolean")],
        },
        "example": {"shoe_size": 42, "newsletter": True, "birthday": None},
    }
)
class CustomIn(serializers.DictField):
    """Values as customers.services.custom takes them: numbers as JSON numbers or texts, dates as YYYY-MM-DD."""


@extend_schema_serializer(examples=[OpenApiExample("A person", value=BODY, request_only=True)])
class CustomerIn(StrictSerializer):
    """What is left out stays. `email` and `phone` are added; `emails`, `phones` and `tags` are all that there are."""

    name = Text(max_length=200, required=False, allow_blank=True)
    email = Address(required=False, allow_blank=True)
    phone = Number(required=False, allow_blank=True)
    emails = serializers.ListField(child=Address(), required=False, max_length=MOST_CONTACTS)
    phones = serializers.ListField(child=Number(), required=False, max_length=MOST_CONTACTS)
    company = Id(required=False, allow_null=True)
    channel = Text(max_length=60, required=False, allow_blank=True)
    street = Text(
        max_length=places.LONGEST_STREET,
        required=False,
        allow_blank=True,
        help_text="With the number and the flat.",
    )
    postcode = Text(max_length=places.LONGEST_POSTCODE, required=False, allow_blank=True)
    city = Text(max_length=80, required=False, allow_blank=True)
    region = Text(max_length=places.LONGEST_REGION, required=False, allow_blank=True)
    country = Text(max_length=60, required=False, allow_blank=True)
    locale = Text(max_length=12, required=False, allow_blank=True, help_text="As in en or de-AT.")
    time_zone = Text(max_length=64, required=False, allow_blank=True, help_text="As in Europe/Berlin.")
    birthday = Text(
        max_length=birthdays.LONGEST, required=False, allow_blank=True, help_text="As in 1990-03-14 or --03-14."
    )
    tags = serializers.ListField(
        child=Text(max_length=tags.LONGEST),
        required=False,
        max_length=MOST_TAGS,
        help_text="All that the customer has; a new one is made by its first use.",
    )
    custom = CustomIn(required=False, help_text="Custom fields by their keys; null takes a value away.")

    def validate_company(self, pk: int | None) -> Company | None:
        found = Company.objects.filter(pk=pk).first() if pk is not None else None
        if pk is not None and found is None:
            raise ValidationError([ErrorDetail(_("There is no such company."), code="does_not_exist")])
        return found

    def validate_locale(self, text: str) -> str:
        if text and not persons.LOCALE.fullmatch(text):
            raise ValidationError([ErrorDetail(_("This is not a language, such as en or de-AT."), code="invalid")])
        return text

    def validate_time_zone(self, text: str) -> str:
        if text and text not in persons.ZONES:
            raise ValidationError([ErrorDetail(_("This is not a time zone, such as Europe/Berlin."), code="invalid")])
        return text

    def validate_birthday(self, text: str) -> str:
        try:
            return birthdays.read(text)
        except ValueError:
            detail = ErrorDetail(_("This is not a day, such as 1990-03-14 or --03-14."), code="invalid")
            raise ValidationError([detail]) from None

    def validate_emails(self, emails: list[str]) -> list[str]:
        return list(dict.fromkeys(emails))

    def validate_phones(self, phones: list[str]) -> list[str]:
        return list(dict.fromkeys(phones))


def saved(view: ApiView, save: Callable[[Told], Saved[Customer]]) -> Saved[Customer]:
    """Read the body and write it, all of it or nothing. Raises ValidationError, also for custom fields and tags."""
    told = taken(CustomerIn(data=view.request.data, context=view.get_serializer_context()))
    names = told.pop("tags", None)
    try:
        with transaction.atomic():
            done = save(told)
            if names is not None and tags.replace(customer_id=done.row.pk, names=names, by=None, at=timezone.now()):
                done = replace(done, outcome="created" if done.outcome == "created" else "updated")
            return done
    except tags.BadTag as error:
        text = _("“%(name)s” is no tag: a tag is a word or a few.") % {"name": error}
        raise ValidationError({"tags": [ErrorDetail(text, code="invalid")]}) from None
    except tags.TooManyTags:
        text = _("There are %(most)s tags already.") % {"most": tags.MOST_TAGS}
        raise ValidationError({"tags": [ErrorDetail(text, code="too_many")]}) from None
    except custom.BadValue as error:
        detail = ErrorDetail(str(error), code="invalid")
        raise ValidationError({"custom": {error.field.key: [detail]}}) from None
    except KeyError as error:
        detail = ErrorDetail(_("There is no such field."), code="unknown_field")
        raise ValidationError({"custom": {str(error.args[0]): [detail]}}) from None
