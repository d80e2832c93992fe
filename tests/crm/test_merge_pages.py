"""Likely duplicates, whom to merge with, both side by side, and the merge itself."""

import pytest
from django.urls import reverse

from customers.models import Company, Customer, Email, Merge, Order, Phone
from customers.selectors import duplicates
from customers.services import search
from loyalty.services import points
from tests.factories import make_customer, make_order
from tests.loyalty.accounts import DAY, NOW, totals
from tests.loyalty.shop import open_programme

pytestmark = pytest.mark.django_db
LATER = NOW + 36_500 * DAY


@pytest.fixture
def ada(db):
    return make_person("Ada Lovelace", email="ada@example.com")


@pytest.fixture
def twin(ada):
    return make_person("Ada L.", email="a.da+shop@example.com")


def make_person(name, *, email="", phone="", **fields):
    customer = make_customer(name=name, **fields)
    if email:
        Email.objects.create(customer=customer, address=email)
    if phone:
        Phone.objects.create(customer=customer, number=phone)
    search.refresh(customer_ids=[customer.pk])
    return customer


def preview_of(into, other):
    return reverse("desk:customer_merge_with", args=[into.pk, other.pk])


def listed(desk, **asked):
    page = desk.get(reverse("desk:duplicate_list"), asked).context["page"]
    return [[one.customer.name for one in group.members] for group in page.groups]


class TestDuplicates:
    def test_dots_and_plus_tags_are_one_mailbox(self, desk, ada, twin):
        make_order(customer=twin)
        make_person("Bob", email="bob@example.com")
        assert listed(desk) == [["Ada L.", "Ada Lovelace"]]  # who bought more comes first, to stay
        assert preview_of(twin, ada) in desk.get(reverse("desk:duplicate_list")).content.decode()

    def test_googlemail_is_gmail(self, desk):
        make_person("One", email="a.b@googlemail.com")
        make_person("Two", email="ab@gmail.com")
        assert listed(desk) == [["One", "Two"]]

    def test_one_customer_with_two_such_addresses_is_nobody_twice(self, desk, ada):
        Email.objects.create(customer=ada, address="ad.a@example.com")
        assert listed(desk) == []

    def test_phones(self, desk):
        for name in ("One", "Two"):
            make_person(name, phone="+491701234567")
        assert listed(desk, by="phone") == [["One", "Two"]]

    def test_a_name_counts_in_the_same_place_or_company(self, desk):
        firm = Company.objects.create(source="shop", external_id="f", name="Firm")
        for fields in ({"postcode": "53111"}, {"postcode": "53111"}, {"postcode": "10115"}, {"company": firm}):
            make_person("Anna Schmidt", **fields)
        make_person("anna SCHMIDT", company=firm)
        make_person("Bert", postcode="53111")
        assert [len(group) for group in listed(desk, by="postcode")] == [2]
        assert listed(desk, by="company") == [["Anna Schmidt", "anna SCHMIDT"]]

    def test_who_is_archived_or_merged_is_not_in_it(self, desk, ada, twin):
        Customer.objects.filter(pk=twin.pk).update(archived_at=NOW)
        assert listed(desk) == []

    @pytest.mark.parametrize("kind", duplicates.KINDS)
    def test_pages_follow_each_other(self, desk, kind, monkeypatch):
        monkeypatch.setattr(duplicates, "GROUPS", 2)
        firm = Company.objects.create(source="shop", external_id="f", name="Firm")
        for number in range(3):
            for _twice in range(2):
                told = {"email": f"p{number}@example.com", "phone": f"+49170123456{number}"}
                make_person(f"P {number}", **told, postcode="53111", company=firm)
        first = duplicates.page(kind=kind)
        second = duplicates.page(kind=kind, cursor=first.following)
        assert [len(page.groups) for page in (first, second)] == [2, 1]
        assert second.following == ""
        names = [group.members[0].customer.name for page in (first, second) for group in page.groups]
        assert names == ["P 0", "P 1", "P 2"]

    @pytest.mark.parametrize("cursor", ["%%%", "bnVsbA", "WzEsMl0", "WyJhIiwieCJd"])
    def test_a_cursor_that_is_none_begins_at_the_beginning(self, desk, cursor):
        assert desk.get(reverse("desk:duplicate_list"), {"after": cursor, "by": "company"}).status_code == 200

    def test_a_mailbox_of_many_shows_some(self, desk, django_assert_num_queries):
        for number in range(7):
            make_person(f"P {number}", email="info@example.com")
        with django_assert_num_queries(6):
            page = duplicates.page(kind="email")
        (group,) = page.groups
        assert (len(group.members), group.more) == (5, 2)


class TestChoosing:
    def test_who_shares_an_address_is_there_at_once(self, desk, ada):
        other = make_person("Ada B.", email="ada@example.com")
        page = desk.get(reverse("desk:customer_merge", args=[ada.pk]))
        assert preview_of(ada, other) in page.content.decode()

    def test_others_are_searched_for(self, desk, ada, twin):
        page = desk.get(reverse("desk:customer_merge", args=[ada.pk]), {"q": "ada"})
        assert page.context["found"] == [twin]
        page = desk.get(reverse("desk:customer_merge", args=[ada.pk]), {"q": "zebra"})
        assert "Nobody found" in page.content.decode()


class TestPreview:
    @pytest.fixture
    def members(self, desk, ada, twin):
        open_programme()
        points.earn(customer_id=ada.pk, points=120, key="ada", at=NOW)
        points.earn(customer_id=twin.pk, points=30, key="twin", at=NOW)
        make_order(customer=twin)
        return ada, twin

    def test_it_shows_what_will_be(self, desk, members):
        preview = desk.get(preview_of(*members)).context["preview"]
        rows = {str(row.label): (row.into, row.other, row.after) for row in [*preview.facts, *preview.people]}
        assert rows["Points to spend"] == ("120", "30", "150")
        assert rows["Orders"] == ("0", "1", "1")
        assert rows["Name"] == ("Ada Lovelace", "Ada L.", "Ada Lovelace")
        assert rows["E-mails"][2] == "ada@example.com, a.da+shop@example.com"

    def test_and_then_it_is_so(self, desk, members):
        ada, twin = members
        page = desk.post(preview_of(ada, twin), follow=True)
        assert page.redirect_chain == [(ada.get_absolute_url(), 302)]
        assert totals(ada) == (150, 0, 0)
        assert Order.objects.get().customer == ada
        assert Merge.objects.get().by.name == "Mara Manager"

    def test_the_old_page_leads_to_the_new_one(self, desk, members):
        ada, twin = members
        desk.post(preview_of(ada, twin))
        page = desk.get(twin.get_absolute_url(), follow=True)
        assert page.redirect_chain == [(ada.get_absolute_url(), 302)]
        assert "Ada L. was merged into this customer." in page.content.decode()
        assert "merged" in desk.get(reverse("customers:record_history", args=["customer", twin.pk])).content.decode()

    def test_points_on_hold_are_a_refusal_that_says_what_to_do(self, desk, members):
        ada, twin = members
        points.hold(customer_id=twin.pk, points=10, key="hold", at=NOW, until=LATER)
        text = desk.get(preview_of(ada, twin)).content.decode()
        assert "Ada L. has points on hold" in text
        assert reverse("loyalty:customer_points", args=[twin.pk]) in text
        assert "Merge for good" not in text
        refused = desk.post(preview_of(ada, twin), follow=True).content.decode()
        assert "Redeem or release them first" in refused
        assert not Merge.objects.exists()
        assert (totals(ada), totals(twin)) == ((120, 0, 0), (20, 0, 10))

    def test_who_is_nobody_or_oneself(self, desk, ada):
        assert desk.get(reverse("desk:customer_merge_with", args=[ada.pk, 0])).status_code == 404
        assert desk.post(reverse("desk:customer_merge_with", args=[ada.pk, 0])).status_code == 404
        assert "the same customer" in desk.get(preview_of(ada, ada)).content.decode()

    def test_a_viewer_may_not(self, client, viewer, desk, ada, twin):
        client.force_login(viewer)
        assert client.post(preview_of(ada, twin)).status_code == 403
        assert reverse("desk:customer_merge", args=[ada.pk]) not in client.get(ada.get_absolute_url()).content.decode()
