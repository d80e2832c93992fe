"""Two customers who look like one person and are two: said once, and nobody is asked again."""

import pytest
from django.urls import reverse

from crm import joining
from customers.models import Apart, Customer, Phone
from customers.services import apart
from tests.factories import make_business, make_customer
from tests.loyalty.accounts import DAY, NOW

pytestmark = pytest.mark.django_db


@pytest.fixture
def three(db):
    """Who share a telephone."""
    make_business()
    return [make_person(name) for name in ("Ada", "Bea", "Cleo")]


def make_person(name):
    customer = make_customer(name=name)
    Phone.objects.create(customer=customer, number="+491701234567")
    return customer


def say(one, other):
    return apart.say(one=one.pk, other=other.pk, by=None, at=NOW)


def standing():
    return set(Apart.objects.filter(ended_at=None).values_list("one", "other"))


def listed(desk):
    page = desk.get(reverse("desk:duplicate_list"), {"by": "phone"}).context["page"]
    return [[(one.customer.name, one.beside and one.beside.name) for one in group.members] for group in page.groups]


class TestList:
    def test_a_pair_is_asked_about_no_more(self, desk, three):
        ada, bea, cleo = three
        assert listed(desk) == [[("Ada", None), ("Bea", "Ada"), ("Cleo", "Ada")]]
        say(bea, ada)
        assert listed(desk) == [[("Ada", None), ("Bea", None), ("Cleo", "Ada")]]
        say(ada, cleo)
        assert listed(desk) == [[("Bea", None), ("Cleo", "Bea")]]
        say(bea, cleo)
        assert listed(desk) == []

    def test_it_is_said_and_taken_back_by_a_button(self, desk, three):
        ada, bea, _cleo = three
        url = reverse("desk:customer_apart", args=[bea.pk, ada.pk])
        page = desk.post(url, {"by": "phone"}, follow=True)
        assert page.redirect_chain == [(reverse("desk:duplicate_list") + "?by=phone", 302)]
        text = desk.get(reverse("desk:duplicate_list"), {"by": "apart"}).content.decode()
        assert "said by Mara Manager" in text
        compared = desk.get(reverse("desk:customer_merge_with", args=[ada.pk, bea.pk])).content.decode()
        assert "that these are two people" in compared
        desk.post(url, {"again": ""})
        assert standing() == set()
        assert Apart.objects.get().ended_by.name == "Mara Manager"

    def test_who_is_nobody_or_oneself(self, desk, three):
        ada = three[0]
        assert desk.post(reverse("desk:customer_apart", args=[ada.pk, 0])).status_code == 404
        page = desk.post(reverse("desk:customer_apart", args=[ada.pk, ada.pk]), follow=True)
        assert "the same customer by now" in page.content.decode()

    def test_a_viewer_may_not(self, client, viewer, three):
        client.force_login(viewer)
        assert client.post(reverse("desk:customer_apart", args=[three[0].pk, three[1].pk])).status_code == 403


class TestMerges:
    def merge(self, into, other):
        joining.merge(into=into.pk, other=other.pk, by=None, at=NOW + DAY)

    def test_twice_is_once(self, three):
        assert say(*three[:2]) == say(three[1], three[0])

    def test_it_is_kept_when_either_is_merged_elsewhere(self, three):
        ada, bea, cleo = three
        say(ada, bea)
        self.merge(cleo, ada)
        assert standing() == {(bea.pk, cleo.pk)}
        dora = make_customer()
        self.merge(dora, bea)
        assert standing() == {(cleo.pk, dora.pk)}

    def test_of_two_that_become_one_pair_one_counts(self, three):
        ada, bea, cleo = three
        say(ada, bea)
        say(ada, cleo)
        self.merge(bea, cleo)
        assert standing() == {(ada.pk, bea.pk)}
        assert apart.take_back(one=ada.pk, other=cleo.pk, by=None, at=NOW)  # by the old number
        assert standing() == set()

    def test_whoever_merges_the_two_after_all_ends_it(self, three):
        ada, bea, _cleo = three
        say(ada, bea)
        self.merge(ada, bea)
        assert standing() == set()
        with pytest.raises(apart.SamePerson):
            say(ada, bea)

    def test_nobody(self, three):
        with pytest.raises(Customer.DoesNotExist):
            apart.say(one=three[0].pk, other=0, by=None, at=NOW)
