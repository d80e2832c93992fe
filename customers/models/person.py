"""People who buy: one customer, several identities, e-mails and phones.

E-mails and phones are normalised but not unique: families share them, and imports never join people by them.
"""

from typing import ClassVar

from django.contrib.postgres.indexes import GinIndex
from django.db import models
from django.db.models import Q
from django.db.models.functions import Lower, Right
from django.urls import reverse
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from customers import birthdays, places
from customers.folding import Mailbox, postcode_digits
from customers.models.company import Company
from customers.places import Place


class Customer(models.Model):
    name = models.CharField(_("name"), max_length=200, blank=True)
    company = models.ForeignKey(
        Company, models.PROTECT, null=True, blank=True, related_name="contacts", verbose_name=_("company")
    )
    channel = models.CharField(_("acquisition channel"), max_length=60, blank=True)
    street = models.CharField(
        _("street and number"), max_length=places.LONGEST_STREET, blank=True, default="", db_default=""
    )
    postcode = models.CharField(
        _("postcode"), max_length=places.LONGEST_POSTCODE, blank=True, default="", db_default=""
    )
    city = models.CharField(_("city"), max_length=80, blank=True)
    region = models.CharField(_("region"), max_length=places.LONGEST_REGION, blank=True, default="", db_default="")
    country = models.CharField(_("country"), max_length=60, blank=True)
    locale = models.CharField(_("language"), max_length=12, blank=True)
    time_zone = models.CharField(_("time zone"), max_length=64, blank=True)
    birthday = models.CharField(_("birthday"), max_length=birthdays.LONGEST, blank=True, default="", db_default="")
    custom = models.JSONField(
        _("custom fields"), default=dict, db_default={}, blank=True
    )  # key → value, see CustomField
    # Both kept by customers.services.search, folded (lower case, no accents): the name to sort by, and everything that
    # people look for: name, company, e-mails, phones and external ids.
    sort_name = models.CharField(max_length=80, blank=True, default="", editable=False)
    search = models.TextField(blank=True, default="", editable=False)
    # Up to this day no offers and news, whatever the customer agreed to.
    messages_paused_until = models.DateField(_("messages paused until"), null=True, blank=True)
    archived_at = models.DateTimeField(_("archived"), null=True, blank=True)
    created_at = models.DateTimeField(auto_now_add=True)
    batch = models.ForeignKey("customers.ImportBatch", models.SET_NULL, null=True, blank=True, editable=False)

    class Meta:
        verbose_name = _("customer")
        verbose_name_plural = _("customers")
        indexes: ClassVar = [
            # crm.selectors: customers whose folded text contains what was typed
            GinIndex(fields=["search"], name="customer_search", opclasses=["gin_trgm_ops"]),
            # crm.selectors: the list sorted by name
            models.Index(fields=["sort_name", "id"], name="customer_by_name"),
            # crm.selectors: customers of a channel or a country, and which channels and countries there are
            models.Index(fields=["channel"], condition=~Q(channel=""), name="customer_by_channel"),
            models.Index(fields=["country"], condition=~Q(country=""), name="customer_by_country"),
            # crm.selectors: who is archived, and whether one of the list is
            models.Index(fields=["id"], condition=Q(archived_at__isnull=False), name="archived_customers"),
            # loyalty.services.birthdays: who was born on a day of the year
            models.Index(Right("birthday", 5), condition=~Q(birthday=""), name="customer_by_birthday"),
            # loyalty.selectors.addresses: who lives where the digits of the postcode are these
            models.Index(
                postcode_digits(), "id", condition=~Q(street="") & ~Q(postcode=""), name="customer_by_postcode"
            ),
            # customers.selectors.duplicates: who has the same name in the same place, or in the same company
            models.Index(
                fields=["sort_name", "postcode"],
                condition=Q(archived_at__isnull=True) & ~Q(postcode=""),
                name="customers_of_a_name_and_place",
            ),
            models.Index(
                fields=["sort_name", "company"],
                condition=Q(archived_at__isnull=True, company__isnull=False),
                name="customers_of_a_name_and_firm",
            ),
            # crm.filters: customers by a custom field's value
            GinIndex(fields=["custom"], name="customer_custom", opclasses=["jsonb_path_ops"], condition=~Q(custom={})),
        ]
        constraints: ClassVar = [
            models.CheckConstraint(
                condition=Q(birthday__regex=birthdays.CHECK), name="a_birthday_is_a_day_of_the_year"
            ),
            models.CheckConstraint(condition=Q(custom__contains={}), name="custom_fields_of_a_customer_are_an_object"),
        ]

    def __str__(self) -> str:
        return self.name or gettext("Customer %(number)s") % {"number": self.pk}

    def get_absolute_url(self) -> str:
        return reverse("desk:customer_detail", args=[self.pk])

    @property
    def place(self) -> Place:
        return Place(self.street, self.postcode, self.city, self.region, self.country)


class Identity(models.Model):
    """How one system outside calls the customer. Merging two customers repoints these rows."""

    customer = models.ForeignKey(Customer, models.CASCADE, related_name="identities")
    source = models.CharField(_("source"), max_length=60)
    external_id = models.CharField(_("id there"), max_length=200)

    class Meta:
        verbose_name = _("identity")
        verbose_name_plural = _("identities")
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["source", "external_id"], name="one_identity_per_source_and_id"),
            models.CheckConstraint(condition=~Q(external_id=""), name="an_identity_has_an_id"),
        ]

    def __str__(self) -> str:
        return f"{self.source}:{self.external_id}"


class Email(models.Model):
    customer = models.ForeignKey(Customer, models.CASCADE, related_name="emails")
    address = models.EmailField(_("e-mail"))

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["customer", "address"], name="a_customer_has_an_email_once"),
            models.CheckConstraint(condition=Q(address=Lower("address")), name="email_is_in_lower_case"),
        ]
        indexes: ClassVar = [
            # customers.selectors: people who share an address
            models.Index(fields=["address"], name="email_address"),
            # customers.selectors.duplicates: addresses of the same mailbox, without a visit to the table
            models.Index(Mailbox("address"), include=["address", "customer"], name="email_mailbox"),
        ]

    def __str__(self) -> str:
        return self.address


class Phone(models.Model):
    """A phone number in E.164 form (+491701234567)."""

    customer = models.ForeignKey(Customer, models.CASCADE, related_name="phones")
    number = models.CharField(_("phone"), max_length=16)

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["customer", "number"], name="a_customer_has_a_phone_once"),
            models.CheckConstraint(condition=Q(number__regex=r"^\+[1-9][0-9]{5,14}$"), name="phone_is_in_e164_form"),
        ]
        indexes: ClassVar = [
            # customers.selectors: people who share a number
            models.Index(fields=["number"], name="phone_number"),
        ]

    def __str__(self) -> str:
        return self.number
