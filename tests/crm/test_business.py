"""The settings of the business: saved, refused in words, fixed once orders exist, and never lost between two people."""

import pytest

from core import business
from core.models import Business, Role, User
from crm import night
from crm.selectors import first_steps
from customers.services import contract_removal
from tests.contracts import make_contract
from tests.desk import make_night, score
from tests.factories import make_business, make_customer, make_order

pytestmark = pytest.mark.django_db

PAGE = "/settings/business/"
SETTINGS = {
    "name": "Juniper & Oak",
    "kind": "shop",
    "time_zone": "UTC",
    "currency": "USD",
    "margin_rate": "40",
    "discount_rate": "10",
    "churn_horizon_days": "90",
}


@pytest.fixture
def admin():
    return User.objects.create_user("ada@example.com", "a long password", role=Role.ADMIN)


@pytest.fixture
def desk(client, admin):
    make_business(name="Juniper & Oak")
    client.force_login(admin)
    return client


def form_of(desk):
    return SETTINGS | {"made_from": desk.get(PAGE).context["form"]["made_from"].value()}


def test_it_works(desk):
    answer = desk.post(
        PAGE, form_of(desk) | {"name": "Elm", "time_zone": "Asia/Tokyo", "currency": "JPY", "margin_rate": "12.34"}
    )
    assert answer.status_code == 302
    row = Business.objects.get()
    assert (row.name, row.time_zone, row.currency, str(row.margin_rate)) == ("Elm", "Asia/Tokyo", "JPY", "0.1234")


def test_saving_what_is_shown_changes_nothing(desk):
    before = Business.objects.values().get()
    desk.post(PAGE, form_of(desk))
    assert Business.objects.values().get() == before


@pytest.mark.parametrize("role", [role for role in Role.values if role != "admin"])
def test_others_get_403(client, role):
    client.force_login(User.objects.create_user("bo@example.com", "a long password", role=role))
    assert client.get(PAGE).status_code == 403
    assert client.post(PAGE, SETTINGS | {"name": "Mine"}).status_code == 403


class TestFixed:
    def test_zone_and_currency_are_shown_with_the_reason(self, desk):
        make_order()
        page = desk.get(PAGE).content.decode()
        assert "Time zone and currency are fixed." in page
        desk.post(PAGE, form_of(desk) | {"time_zone": "Asia/Tokyo", "currency": "JPY", "name": "Elm"})
        row = Business.objects.get()
        assert (row.name, row.time_zone, row.currency) == ("Elm", "UTC", "USD")

    def test_a_contract_fixes_them_as_an_order_does(self, desk):
        contract = make_contract()
        assert "Time zone and currency are fixed." in desk.get(PAGE).content.decode()
        with pytest.raises(business.ZoneAndCurrencyAreFixed):
            business.change(row=Business.objects.get(), settings={"currency": "EUR"})
        contract_removal.remove(contract_id=contract.pk)
        business.change(row=Business.objects.get(), settings={"currency": "EUR"})
        assert Business.objects.get().currency == "EUR"

    def test_an_order_that_comes_in_meanwhile_is_a_form_error(self, desk, monkeypatch):
        """The page did not know of it; the orders' trigger did."""
        make_order()
        monkeypatch.setattr(first_steps, "has_facts", lambda: False)
        page = desk.post(PAGE, form_of(desk) | {"currency": "EUR", "name": "Elm"}).content.decode()
        assert "An order or a contract came in meanwhile" in page
        assert Business.objects.get().name == "Juniper & Oak"

    def test_the_service_says_which_refusal_it_was(self):
        row = make_business()
        make_order()
        with pytest.raises(business.ZoneAndCurrencyAreFixed):
            business.change(row=row, settings={"currency": "EUR"})


class TestTwoAdmins:
    def test_different_fields_merge(self, desk):
        fields = form_of(desk)
        Business.objects.update(churn_horizon_days=30)
        desk.post(PAGE, fields | {"margin_rate": "20"})
        row = Business.objects.get()
        assert (str(row.margin_rate), row.churn_horizon_days) == ("0.2000", 30)

    def test_the_same_field_shows_both_and_the_next_save_settles_it(self, desk):
        fields = form_of(desk)
        Business.objects.update(churn_horizon_days=30)
        answer = desk.post(PAGE, fields | {"churn_horizon_days": "60"})
        assert "Theirs: 30" in answer.content.decode()
        assert Business.objects.get().churn_horizon_days == 30
        again = fields | {
            "churn_horizon_days": "60",
            "keep-churn_horizon_days": "yours",
            "made_from": answer.context["form"]["made_from"].value(),
        }
        assert desk.post(PAGE, again).status_code == 302
        assert Business.objects.get().churn_horizon_days == 60


class TestNextNight:
    @pytest.fixture
    def run(self, desk):
        return make_night(score(make_customer()), settings=night.settings_now())

    def test_a_rate_takes_effect_with_the_next_one_and_it_can_be_run(self, desk, run):
        assert "take effect with the next one" not in desk.get(PAGE).content.decode()
        desk.post(PAGE, form_of(desk) | {"margin_rate": "20"})
        page = desk.get(PAGE).content.decode()
        assert "take effect with the next one" in page
        assert "Run the night now" in page

    def test_a_name_does_not_wait_for_a_night(self, desk, run):
        desk.post(PAGE, form_of(desk) | {"name": "Elm"})
        assert "take effect with the next one" not in desk.get(PAGE).content.decode()


class TestChoices:
    def test_currencies_have_names_in_the_readers_language(self, desk, admin):
        assert "CHF, Swiss Franc" in desk.get(PAGE).content.decode()
        User.objects.update(language="de")
        assert "CHF, Schweizer Franken" in desk.get(PAGE).content.decode()

    def test_they_say_where_decimals_differ(self, desk):
        page = desk.get(PAGE).content.decode()
        assert "JPY, Japanese Yen (no decimals)" in page
        assert "KWD, Kuwaiti Dinar (3 decimals)" in page

    def test_a_zone_under_an_old_name_can_be_kept(self, desk):
        make_business(time_zone="US/Eastern")
        desk.post(PAGE, form_of(desk) | {"time_zone": "US/Eastern", "name": "Elm"})
        assert Business.objects.get().name == "Elm"


class TestFirstSteps:
    def steps(self, desk):
        return {step.text.slug: step.is_done for step in desk.get("/").context["first_steps"]}

    def test_they_come_from_what_is_there(self, desk):
        assert self.steps(desk) == {
            "business": True, "orders": False, "night": False, "staff": False, "shop": False,
        }  # fmt: skip
        make_order()
        User.objects.create_user("bo@example.com")
        make_business(name="My shop")
        assert self.steps(desk) == {
            "business": False, "orders": True, "night": False, "staff": True, "shop": False,
        }  # fmt: skip

    def test_hiding_them_is_for_everybody(self, desk):
        assert desk.post("/first-steps/hide/").url == "/"
        assert not self.steps(desk)

    def test_only_admins_see_them(self, client):
        make_business()
        client.force_login(User.objects.create_user("bo@example.com", role=Role.MANAGER))
        assert not self.steps(client)

    def test_the_demo_offers_another_way(self, desk):
        make_business(is_demo=True)
        page = desk.get("/")
        assert not page.context["first_steps"]
        assert "Start with my own data" in page.content.decode()
