"""Customers and companies over HTTP: the list as people see it, upserts, corrections."""

import pytest
from django.utils import timezone

from analytics.scores import Name
from core.models import Edit
from crm import joining
from customers.models import Company, Customer, CustomField, Email, Identity, Phone, Tagging
from customers.services import search, tags
from tests.api.callers import caller, codes
from tests.customers.test_order_upserts import at_once
from tests.desk import make_night, score, score_of_nobody
from tests.factories import make_customer

LIST = "/api/v1/customers/"
ADA = "/api/v1/customers/shop/ada/"


@pytest.fixture
def api(db):
    return caller("customers")


def named(name, **fields):
    customer = make_customer(name=name, **fields)
    search.refresh(customer_ids=[customer.pk])
    return customer


@pytest.fixture
def shop(db):
    """Łukasz, Bo and Cy by falling value; Dot has every order returned; Eve came after the night."""
    people = [named(name, external_id=name.lower()) for name in ("Łukasz Łódź", "Bo", "Cy", "Dot", "Eve")]
    lukasz, bo, cy, dot, _eve = people
    make_night(
        score(lukasz, clv_cents=90_000, churn_risk=0.1),
        score(bo, clv_cents=50_000, churn_risk=0.8, churn_band=3, segment=Name.CANT_LOSE),
        score(cy, clv_cents=10_000, churn_risk=0.5, churn_band=2, segment=Name.NEW),
        score_of_nobody(dot),
    )
    return people


def names(answer):
    assert answer.status_code == 200, answer.content
    return [row["name"].split()[0] for row in answer.json()["results"]]


class TestList:
    def test_it_works(self, api, shop):
        Email.objects.create(customer=shop[0], address="l@example.com")
        Customer.objects.filter(pk=shop[0].pk).update(custom={"vip": True})
        first = api.get(LIST).json()["results"][0]
        assert first == {
            "id": str(shop[0].pk),
            "source": "shop",
            "external_id": "łukasz łódź",
            "name": "Łukasz Łódź",
            "email": "l@example.com",
            "segment": "champions",
            "clv_12m": "900.00",
            "churn_risk": 0.1,
            "churn_band": "low",
            "spent": "400.00",
            "orders": 4,
            "last_order_at": "2026-03-11T12:00:00Z",
            "tier": None,
            "points": 0,
            "custom": {"vip": True},
        }

    def test_without_a_night_there_are_no_scores(self, api, db):
        named("Ann")
        (row,) = api.get(LIST).json()["results"]
        assert (row["segment"], row["clv_12m"], row["churn_risk"], row["orders"]) == (None, None, None, None)

    @pytest.mark.parametrize(
        ("query", "expected"),
        [
            ("", ["Łukasz", "Bo", "Cy", "Eve", "Dot"]),
            ("search=lodz", ["Łukasz"]),
            ("search=ŁÓDŹ", ["Łukasz"]),
            ("segment=cant-lose", ["Bo"]),
            ("churn_risk_min=0.5", ["Bo", "Cy"]),
            ("churn_risk_min=0.5&ordering=churn_risk", ["Cy", "Bo"]),
            ("clv_min=500", ["Łukasz", "Bo"]),
            ("clv_min=100&clv_max=500.00", ["Bo", "Cy"]),
            ("ordering=clv_12m", ["Cy", "Bo", "Łukasz"]),
            ("ordering=-churn_risk", ["Bo", "Cy", "Łukasz"]),
            ("ordering=-name", ["Łukasz", "Eve", "Dot", "Cy", "Bo"]),
            ("segment=champions&churn_risk_min=0.2", []),
        ],
    )
    def test_filters_and_orderings(self, api, shop, query, expected):
        found = names(api.get(f"{LIST}?{query}"))
        assert found[: len(expected)] == expected or sorted(found) == sorted(expected)
        if "ordering" not in query or "name" in query:
            assert sorted(found) == sorted(expected)

    def test_pages_go_through_everybody_once(self, api, shop):
        page = api.get(f"{LIST}?limit=2").json()
        found = [row["id"] for row in page["results"]]
        while page["next"]:
            page = api.get(page["next"].removeprefix("http://testserver")).json()
            found += [row["id"] for row in page["results"]]
        assert sorted(found) == sorted(str(person.pk) for person in shop)
        assert len(found) == 5

    @pytest.mark.parametrize(
        ("query", "attr", "code"),
        [
            ("segment=rich", "segment", "invalid_choice"),
            ("churn_risk_min=high", "churn_risk_min", "invalid"),
            ("clv_min=NaN", "clv_min", "invalid"),
            ("clv_min=1e30", "clv_min", "invalid"),
            ("ordering=age", "ordering", "invalid_choice"),
            ("q=ann", "q", "unknown_parameter"),
        ],
    )
    def test_bad_parameters_are_named(self, api, query, attr, code):
        answer = api.get(f"{LIST}?{query}")
        assert (answer.status_code, codes(answer)) == (400, {attr: code})

    def test_the_largest_number_is_no_error(self, api, shop):
        assert names(api.get(f"{LIST}?clv_min=9999999999999999")) == []

    def test_the_number_of_queries_is_the_same_for_more_people(self, api, shop, django_assert_num_queries):
        api.get(LIST)
        with django_assert_num_queries(16):  # two of them for the tags, three for points and tiers
            api.get(f"{LIST}?limit=3")

    def test_a_key_without_the_scope_gets_403(self, db):
        assert caller("orders").get(LIST).status_code == 403
        assert caller("customers:read").get(LIST).status_code == 200


class TestPut:
    def test_it_works(self, api):
        body = {"name": "Ada", "email": "Ada@Example.com", "phone": "+49 170 1234567", "country": "GB", "locale": "en"}
        answer = api.put(ADA, body | {"time_zone": "Europe/London"})
        assert answer.status_code == 201, answer.content
        found = answer.json()
        assert found.items() >= {"name": "Ada", "emails": ["ada@example.com"], "phones": ["+491701234567"]}.items()
        assert found["identities"] == [{"source": "shop", "external_id": "ada"}]
        assert "ada@example.com" in Customer.objects.get().search

    def test_the_same_again_changes_nothing(self, api):
        body = {"name": "Ada", "email": "ada@example.com"}
        first = api.put(ADA, body).json()
        edits = Edit.objects.count()
        again = api.put(ADA, body)
        assert (again.status_code, again.json()) == (200, first)
        assert Edit.objects.count() == edits

    def test_what_is_left_out_stays(self, api):
        api.put(ADA, {"name": "Ada", "city": "London", "email": "a@example.com"})
        answer = api.put(ADA, {"name": "Countess", "email": "b@example.com"}).json()
        assert (answer["name"], answer["city"]) == ("Countess", "London")
        assert answer["emails"] == ["a@example.com", "b@example.com"]
        assert "countess" in Customer.objects.get().search

    def test_the_lists_are_all_that_there_is(self, api):
        api.put(ADA, {"emails": ["a@example.com", "b@example.com"], "phones": ["+491701234567"]})
        answer = api.put(ADA, {"emails": ["B@example.com"], "phones": []}).json()
        assert (answer["emails"], answer["phones"]) == (["b@example.com"], [])
        assert not Phone.objects.exists()

    def test_a_company_and_custom_fields(self, api):
        company = api.put("/api/v1/companies/erp/9/", {"name": "Engines"}).json()
        CustomField.objects.create(key="shoe_size", label="Shoe size", kind="number")
        answer = api.put(ADA, {"company": company["id"], "custom": {"shoe_size": 42}})
        assert (answer.json()["company"], answer.json()["custom"]) == (company["id"], {"shoe_size": "42"})
        assert api.put(ADA, {"company": None, "custom": {"shoe_size": None}}).json()["custom"] == {}

    def test_custom_fields_that_are_not_named_stay(self, api):
        for key, kind in (("shoe_size", "number"), ("vip", "yes_no"), ("note", "text")):
            CustomField.objects.create(key=key, label=key, kind=kind)
        made = api.put(ADA, {"custom": {"shoe_size": 42.5, "vip": True, "note": "tall"}}).json()
        changed = api.send("PATCH", f"{LIST}{made['id']}/", {"custom": {"shoe_size": "43", "note": None}})
        assert (changed.status_code, changed.json()["custom"]) == (200, {"shoe_size": "43", "vip": True})
        assert api.get(LIST).json()["results"][0]["custom"] == {"shoe_size": "43", "vip": True}
        edits = Edit.objects.count()
        assert api.put(ADA, {"custom": {"shoe_size": 43}}).status_code == 200
        assert Edit.objects.count() == edits

    def test_a_field_out_of_use_is_not_written(self, api):
        CustomField.objects.create(key="old", label="Old", archived_at=timezone.now())
        assert codes(api.put(ADA, {"custom": {"old": "x"}})) == {"custom.old": "unknown_field"}

    @pytest.mark.parametrize(
        ("body", "attr", "code"),
        [
            ({"age": 3}, "age", "unknown_field"),
            ({"email": "ada"}, "email", "address"),
            ({"emails": ["ada"]}, "emails.0", "address"),
            ({"emails": ["a@example.com"] * 21}, "emails", "max_length"),
            ({"phone": "0170"}, "phone", "number"),
            ({"name": "x" * 201}, "name", "max_length"),
            ({"name": 7}, "name", "invalid"),
            ({"company": "999999999"}, "company", "does_not_exist"),
            ({"company": "x"}, "company", "invalid"),
            ({"locale": "English"}, "locale", "invalid"),
            ({"time_zone": "Mars/Base"}, "time_zone", "invalid"),
            ({"custom": {"height": 1}}, "custom.height", "unknown_field"),
            ({"custom": {"shoe_size": "large"}}, "custom.shoe_size", "invalid"),
            ({"custom": {"shoe_size": ["42"]}}, "custom.shoe_size", "invalid"),
            ({"custom": {"note": 7}}, "custom.note", "invalid"),
            ({"custom": {"note": {"a": "b"}}}, "custom.note", "invalid"),
            ({"custom": 1}, "custom", "not_a_dict"),
        ],
    )
    def test_bad_input_is_named(self, api, body, attr, code):
        CustomField.objects.create(key="shoe_size", label="Shoe size", kind="number")
        CustomField.objects.create(key="note", label="Note")
        answer = api.put(ADA, body)
        assert (answer.status_code, codes(answer)) == (400, {attr: code}), answer.content
        assert not Customer.objects.exists()

    def test_a_key_without_the_scope_gets_403(self, db):
        assert caller("customers:read").put(ADA, {"name": "Ada"}).status_code == 403
        assert caller("orders").put(ADA, {"name": "Ada"}).status_code == 403


class TestOne:
    def test_by_id_and_by_name(self, api, shop):
        found = api.get(f"{LIST}{shop[1].pk}/").json()
        assert found == api.get(f"{LIST}shop/bo/").json()
        assert (found["clv_12m"], found["segment"]) == ("500.00", "cant-lose")

    def test_a_second_identity_finds_the_same(self, api, shop):
        Identity.objects.create(customer=shop[1], source="crm", external_id="b/1")
        found = api.get(f"{LIST}crm/b%2F1/").json()
        assert (found["id"], found["source"]) == (str(shop[1].pk), "shop")
        assert len(found["identities"]) == 2

    def test_unknown_ones_are_404(self, api, db):
        for url in (f"{LIST}999999999/", f"{LIST}shop/nobody/", f"{LIST}shop/a%00/"):
            assert api.get(url).status_code == 404
        assert api.send("PATCH", f"{LIST}999999999/", {"name": "x"}).status_code == 404

    def test_a_correction_changes_what_it_names(self, api):
        made = api.put(ADA, {"name": "Ada", "city": "London"}).json()
        answer = api.send("PATCH", f"{LIST}{made['id']}/", {"city": "Paris"})
        assert (answer.status_code, answer.json()["name"], answer.json()["city"]) == (200, "Ada", "Paris")
        home = {"street": "1 Quai", "postcode": "75001", "city": "Paris", "region": "IDF", "country": "FR"}
        api.send("PATCH", f"{LIST}{made['id']}/", home)
        answer = api.get(f"{LIST}{made['id']}/").json()
        assert {name: answer[name] for name in home} == home
        assert codes(api.send("PATCH", f"{LIST}{made['id']}/", {"id": "1"})) == {"id": "unknown_field"}


class TestCompanies:
    URL = "/api/v1/companies/erp/9/"

    def test_it_works(self, api):
        body = {"name": "Engines", "tax_number": "GB1", "payment_terms_days": 30, "contract_starts_on": "2026-01-01"}
        answer = api.put(self.URL, body)
        company = Company.objects.get()
        assert (answer.status_code, answer.json()) == (
            201,
            {"id": str(company.pk), "source": "erp", "external_id": "9", "contract_ends_on": None} | body,
        )
        assert api.put(self.URL, body).status_code == 200
        assert api.get(f"/api/v1/companies/{company.pk}/").json() == api.get(self.URL).json() == answer.json()

    def test_what_is_left_out_stays_and_contacts_are_found_by_the_new_name(self, api):
        made = api.put(self.URL, {"name": "Engines", "tax_number": "GB1"}).json()
        api.put(ADA, {"name": "Ada", "company": made["id"]})
        assert api.put(self.URL, {"name": "Motors"}).json()["tax_number"] == "GB1"
        assert "motors" in Customer.objects.get().search

    @pytest.mark.parametrize(
        ("body", "attr", "code"),
        [
            ({}, "name", "required"),
            ({"name": ""}, "name", "blank"),
            ({"name": "x", "payment_terms_days": -1}, "payment_terms_days", "min_value"),
            ({"name": "x", "payment_terms_days": 10**9}, "payment_terms_days", "max_value"),
            ({"name": "x", "contract_starts_on": "2026"}, "contract_starts_on", "invalid"),
            ({"name": "x", "vat": "1"}, "vat", "unknown_field"),
            (
                {"name": "x", "contract_starts_on": "2026-02-01", "contract_ends_on": "2026-01-01"},
                "contract_ends_on",
                "range",
            ),
        ],
    )
    def test_bad_input_is_named(self, api, body, attr, code):
        answer = api.put(self.URL, body)
        assert (answer.status_code, codes(answer)) == (400, {attr: code})
        assert not Company.objects.exists()

    def test_the_list_is_filtered(self, api):
        for source in ("erp", "erp", "crm"):
            Company.objects.create(source=source, external_id=f"x{Company.objects.count()}", name="x")
        assert len(api.get("/api/v1/companies/?source=erp").json()["results"]) == 2


@pytest.mark.django_db(transaction=True)
def test_two_who_write_the_same_new_customer_make_one():
    api = [caller("customers") for _ in range(3)]
    found = at_once(
        *(lambda one=one: one.put(ADA, {"name": "Ada", "email": "a@example.com"}).status_code for one in api)
    )
    assert set(found) <= {200, 201}
    assert 201 in found
    assert (Customer.objects.count(), Email.objects.count()) == (1, 1)


class TestTags:
    """What people say that a customer needs, also from programs."""

    def test_it_works(self, api, db):
        assert api.put(ADA, {"name": "Ada", "tags": ["Vegan", "Gluten free"]}).status_code == 201
        assert api.get(ADA).json()["tags"] == ["Gluten free", "Vegan"]
        api.put(ADA, {"tags": ["vegan", "Café"]})
        assert api.get(ADA).json()["tags"] == ["Café", "Vegan"]
        assert api.get(ADA).json()["name"] == "Ada"

    def test_what_is_not_named_stays(self, api, db):
        api.put(ADA, {"tags": ["Vegan"]})
        api.put(ADA, {"city": "London"})
        assert api.get(ADA).json()["tags"] == ["Vegan"]

    def test_an_empty_list_takes_all_away(self, api, db):
        number = api.put(ADA, {"tags": ["Vegan"]}).json()["id"]
        assert api.send("PATCH", f"{LIST}{number}/", {"tags": []}).json()["tags"] == []
        assert Tagging.objects.get().removed_at is not None

    def test_the_same_again_changes_nothing(self, api, db):
        for _ in range(2):
            api.put(ADA, {"tags": ["Vegan", "VEGAN"]})
        assert Tagging.objects.count() == 1

    def test_a_bad_tag_writes_nothing(self, api, db):
        answer = api.put(ADA, {"name": "Ada", "tags": ["Vegan", "!!!"]})
        assert (answer.status_code, codes(answer)) == (400, {"tags": "invalid"})
        assert not Customer.objects.exists()
        assert not Tagging.objects.exists()

    def test_a_tag_of_too_many_letters_is_refused(self, api, db):
        assert api.put(ADA, {"tags": ["x" * 41]}).status_code == 400

    def test_there_is_an_end_to_new_ones(self, api, db, monkeypatch):
        monkeypatch.setattr(tags, "MOST_TAGS", 1)
        answer = api.put(ADA, {"tags": ["One", "Two"]})
        assert (answer.status_code, codes(answer)) == (400, {"tags": "too_many"})

    def test_reading_is_not_writing(self, db):
        assert caller("customers:read").put(ADA, {"tags": ["Vegan"]}).status_code == 403


def test_the_id_of_who_was_merged_leads_to_the_one(api):
    ada, twin = named("Ada", external_id="ada"), named("Ada L.", external_id="twin")
    joining.merge(into=ada.pk, other=twin.pk, by=None, at=timezone.now())
    for address in (f"{LIST}{twin.pk}/", f"{LIST}shop/twin/", ADA):
        assert api.get(address).json()["id"] == str(ada.pk)
    assert api.send("PATCH", f"{LIST}{twin.pk}/", {"city": "Bonn"}).json()["id"] == str(ada.pk)
    ada.refresh_from_db()
    assert ada.city == "Bonn"
