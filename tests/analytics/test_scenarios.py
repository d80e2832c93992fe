"""Scenarios: kept as levers, one name each, edited by two at once, deleted and brought back, beside what is."""

import csv
import threading
from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest
from django.db import IntegrityError, connection, connections, transaction

from analytics.models import Scenario
from analytics.models.scenario import LIMITS
from analytics.selectors import scenarios as found
from analytics.selectors import what_if, whom
from analytics.services import scenarios
from analytics.services.scenarios import Item
from core.models import Edit, Role, User
from tests import forms
from tests.analytics.test_what_if_page import AS_OF, make_night, make_scored, words
from tests.factories import make_business

pytestmark = pytest.mark.django_db
LIST, ADD, COMPARE, EXPORT = (f"/what-if/scenarios/{page}" for page in ("", "add/", "compare/", "export/"))
AT = datetime(2026, 4, 1, 9, 0, tzinfo=UTC)
NOTHING = dict.fromkeys(LIMITS, Decimal(0))


def make_person(name="Mara", role=Role.MARKETER, **fields):
    email = f"{name.lower()}@example.com"
    return User.objects.create_user(email, "a long password", role=role, name=name, **fields)


def item(name="Keep them", *, note="", scheme="", slug="", **changes):
    told = NOTHING | {lever: Decimal(change) for lever, change in changes.items()}
    return Item(name=name, note=note, scheme=scheme, slug=slug, changes=told)


def make_scenario(name="Keep them", *, at=AT, by=None, **fields):
    return scenarios.add(item=item(name, **fields), by=by, at=at)


def edit_page(scenario):
    return f"/what-if/scenarios/{scenario.pk}/"


@pytest.fixture
def night(db):
    make_business()
    rows = [make_scored(order_days=1 + n, age=100 + 40 * n, last=10 * n, segment=1 + n % 2) for n in range(8)]
    return make_night(*rows)


class TestSave:
    def test_it_works(self, desk):
        page = desk.get(f"{ADD}?of=rfm:loyal&leaving=-20&margin_rate=2.5")
        answer = desk.post(ADD, forms.inputs(page, name="  Keep   them ", note="Letters in May."))

        assert answer["Location"] == LIST
        kept = Scenario.objects.get()
        assert (kept.name, kept.note, kept.scheme, kept.slug) == ("Keep them", "Letters in May.", "rfm", "loyal")
        assert kept.changes == {
            "leaving": -20,
            "frequency": 0,
            "order_value": 0,
            "margin_rate": 2.5,
            "acquisition_cost": 0,
        }
        assert kept.made_by.email == kept.changed_by.email == "manager@example.com"

    def test_levers_that_cannot_be_read_stay_where_they_are(self, desk):
        form = desk.get(f"{ADD}?leaving=-999&frequency=10&of=no:where").context["form"]

        assert [form[name].value() for name in ("of", "leaving", "frequency")] == ["", "0", "10"]

    @pytest.mark.parametrize(
        ("fields", "field", "told"),
        [
            ({"name": "  "}, "name", "required"),
            ({"name": "x" * 81}, "name", "80"),
            ({"note": "x" * 1001}, "note", "1000"),
            ({"leaving": "-101"}, "leaving", "Customers who leave: write a change from -100 to 300"),
            ({"order_value": "often"}, "order_value", "Order value: write a change from -75 to 300"),
            ({"of": "needs:gone"}, "of", "not there any more"),
        ],
    )
    def test_what_cannot_be_is_refused(self, desk, fields, field, told):
        answer = forms.send(desk, ADD, **{"name": "Keep them"} | fields)

        assert told in " ".join(answer.context["form"].errors[field])
        assert not Scenario.objects.exists()

    @pytest.mark.parametrize("name", ["Keep them", "KEEP THEM", " keep  them"])
    def test_a_name_is_one_scenario_s(self, desk, name):
        make_scenario("Keep them")

        answer = forms.send(desk, ADD, name=name)

        assert "There is a scenario “" in answer.context["form"].errors["name"][0]
        assert Scenario.objects.count() == 1

    def test_the_name_of_a_deleted_one_is_free(self, desk):
        scenarios.delete(scenario_id=make_scenario().pk, at=AT)

        assert forms.send(desk, ADD, name="Keep them").status_code == 302


class TestChange:
    def test_it_works(self, desk):
        kept = make_scenario(leaving=-20, note="Letters.")

        answer = forms.send(desk, edit_page(kept), name="Keep more", leaving="-30")

        assert answer["Location"] == LIST
        kept.refresh_from_db()
        assert (kept.name, kept.note, kept.leaving) == ("Keep more", "Letters.", -30)
        assert kept.changed_by.email == "manager@example.com"
        assert (kept.made_by, kept.made_at) == (None, AT)
        assert kept.changed_at > AT

    def test_levers_of_the_simulator_are_filled_in(self, desk):
        kept = make_scenario(leaving=-20, order_value=5)
        page = desk.get(edit_page(kept) + "?leaving=-35")

        assert page.context["form"]["leaving"].value() == "-35"
        assert page.context["form"]["order_value"].value() == "5"
        desk.post(edit_page(kept), forms.inputs(page))
        kept.refresh_from_db()
        assert (kept.name, kept.leaving, kept.order_value) == ("Keep them", -35, 5)

    def test_another_s_name_is_refused(self, desk):
        make_scenario("Taken")
        kept = make_scenario("Mine")

        answer = forms.send(desk, edit_page(kept), name="tAkEn")

        assert "There is a scenario “tAkEn” already." in words(answer)
        assert Scenario.objects.get(pk=kept.pk).name == "Mine"

    def test_its_own_name_in_capitals(self, desk):
        kept = make_scenario("mine")
        assert forms.send(desk, edit_page(kept), name="MINE").status_code == 302

    def test_the_history_says_who_changed_what(self, desk):
        forms.send(desk, ADD, name="Keep them", leaving="-20")
        kept = Scenario.objects.get()
        forms.send(desk, edit_page(kept), leaving="-30", note="More.")

        page = words(desk.get(edit_page(kept)))
        assert "manager@example.com" in page
        assert "Customers who leave, change in %" in page
        changes = Edit.objects.filter(table="analytics_scenario", action="update").latest("pk").changes
        assert changes == {"leaving": [-20, -30], "note": ["", "More."]}


class TestTwoAtOnce:
    def test_different_fields_both_stand(self, desk):
        kept = make_scenario(leaving=-20)
        mine = forms.inputs(desk.get(edit_page(kept)), note="Mine.")
        scenarios.change(scenario_id=kept.pk, item=item(leaving=-30), by=None, at=AT)

        desk.post(edit_page(kept), mine)

        kept.refresh_from_db()
        assert (kept.note, kept.leaving) == ("Mine.", -30)

    def test_the_same_field_asks(self, desk):
        kept = make_scenario(leaving=-20)
        mine = forms.inputs(desk.get(edit_page(kept)), leaving="-40")
        scenarios.change(scenario_id=kept.pk, item=item(leaving=-30), by=None, at=AT)

        answer = desk.post(edit_page(kept), mine)

        assert [one.name for one in answer.context["form"].conflicts] == ["leaving"]
        assert "Theirs: -30" in words(answer)
        assert Scenario.objects.get().leaving == -30
        again = forms.inputs(answer, **{"keep-leaving": "yours"})
        assert desk.post(edit_page(kept), again).status_code == 302
        assert Scenario.objects.get().leaving == -40

    def test_one_that_was_deleted_meanwhile(self, desk):
        kept = make_scenario(leaving=-20)
        mine = forms.inputs(desk.get(edit_page(kept)), leaving="-40")
        scenarios.delete(scenario_id=kept.pk, at=AT)

        answer = desk.post(edit_page(kept), mine)

        assert "Somebody has deleted this scenario meanwhile." in words(answer)
        assert answer.context["form"]["leaving"].value() == "-40"
        assert Scenario.objects.get().leaving == -20


def both_save():
    """Two people save a scenario of one name; what each of them got."""
    told, start = [], threading.Barrier(2)

    def save(name):
        start.wait()
        try:
            told.append(make_scenario(name).name)
        except scenarios.NameTaken:
            told.append("taken")
        finally:
            connections.close_all()

    pair = [threading.Thread(target=save, args=[name]) for name in ("One name", "ONE NAME")]
    for thread in pair:
        thread.start()
    for thread in pair:
        thread.join()
    return told


@pytest.mark.django_db(transaction=True)
class TestOneNameForTwo:
    def test_one_wins(self):
        assert both_save().count("taken") == 1
        assert Scenario.objects.count() == 1

    def test_without_the_constraint_both_would(self):
        """The protection taken away, and put back for the other tests."""
        with connection.cursor() as cursor:
            cursor.execute("SELECT indexdef FROM pg_indexes WHERE indexname = %s", [scenarios.ALONE])
            (definition,) = cursor.fetchone()
            cursor.execute(f"DROP INDEX {scenarios.ALONE}")
        try:
            assert "taken" not in both_save()
        finally:
            Scenario.objects.all().delete()
            with connection.cursor() as cursor:
                cursor.execute(definition)


class TestConstraints:
    """What the form refuses, the database refuses too."""

    @pytest.mark.parametrize("lever", list(LIMITS))
    @pytest.mark.parametrize("end", [0, 1])
    def test_ranges(self, db, lever, end):
        limit = LIMITS[lever][end]
        make_scenario("At the end", **{lever: limit})
        with pytest.raises(IntegrityError, match=f"{lever}_moves_within_its_range"), transaction.atomic():
            make_scenario("Beyond", **{lever: limit + (1 if end else -1)})

    @pytest.mark.parametrize("name", ["", " ", " before", "after "])
    def test_a_name_is_there(self, db, name):
        kept = make_scenario()
        with pytest.raises(IntegrityError, match="a_scenario_has_a_name"), transaction.atomic():
            Scenario.objects.filter(pk=kept.pk).update(name=name)

    @pytest.mark.parametrize("part", [{"scheme": "rfm"}, {"slug": "loyal"}])
    def test_half_a_segment(self, db, part):
        with pytest.raises(IntegrityError, match="a_segment_is_named_in_full"):
            make_scenario(**part)


class TestDelete:
    def test_it_works_and_is_undone(self, desk):
        kept = make_scenario()

        answer = desk.post(f"{edit_page(kept)}delete/")

        page = desk.get(answer["Location"])
        assert "“Keep them” is deleted." in words(page)
        assert found.kept() == []
        desk.post(f"{edit_page(kept)}restore/")
        assert [one.scenario.name for one in found.kept()] == ["Keep them"]
        assert "is back." in words(desk.get(LIST))

    def test_twice_is_once(self, desk):
        kept = make_scenario()
        assert scenarios.delete(scenario_id=kept.pk, at=AT)
        assert not scenarios.delete(scenario_id=kept.pk, at=AT + timedelta(days=1))
        kept.refresh_from_db()
        assert kept.deleted_at == AT

    def test_its_name_may_be_taken_meanwhile(self, desk):
        kept = make_scenario()
        scenarios.delete(scenario_id=kept.pk, at=AT)
        make_scenario("keep them")

        desk.post(f"{edit_page(kept)}restore/")

        assert "There is another scenario “Keep them” by now." in words(desk.get(LIST))
        assert Scenario.objects.filter(deleted_at__isnull=True).count() == 1

    def test_a_deleted_one_is_not_compared(self, night):
        kept = make_scenario()
        scenarios.delete(scenario_id=kept.pk, at=AT)
        assert found.chosen([kept.pk]) == []
        assert found.find(str(kept.pk)) is None


class TestList:
    def test_what_moves_for_whom_and_who_changed_it(self, desk, night):
        make_scenario(leaving=-20, order_value=5, scheme="rfm", slug="loyal", by=make_person("Max"), note="Letters.")

        page = words(desk.get(LIST))

        assert "20% fewer customers leave and an order is worth 5% more" in page
        assert all(text in page for text in ("Loyal", "Max", "Letters."))

    def test_a_name_leads_to_its_levers(self, desk, night):
        kept = make_scenario(leaving=-20, scheme="rfm", slug="loyal")
        address = f"/what-if/?{found.chosen([kept.pk])[0].query}"

        assert address.replace("&", "&amp;") in words(desk.get(LIST))
        page = desk.get(address)
        assert page.context["form"]["leaving"].value() == "-20"
        assert "What if: Keep them" in words(page)
        assert edit_page(kept) in words(page)

    def test_a_segment_that_is_gone(self, desk, night):
        make_scenario(scheme="needs", slug="gone")
        assert "a segment that is gone" in words(desk.get(LIST))

    def test_none_yet(self, desk):
        assert "No scenarios yet" in words(desk.get(LIST))

    def test_queries(self, desk, night, django_assert_max_num_queries):
        for number in range(5):
            make_scenario(f"Number {number}", scheme="needs", slug=f"n{number}")
        with django_assert_max_num_queries(11):
            desk.get(LIST)


class TestCompare:
    def ask(self, run, *several):
        return found.compare(run=run, several=found.chosen([one.pk for one in several]))

    def test_beside_what_is(self, night):
        kept, more = make_scenario("Keep", leaving=-20), make_scenario("More", order_value=10)

        compared = self.ask(night, kept, more)

        direct = what_if.answer(run=night, whom=whom.everybody(), levers=what_if.levers_of(kept.changes))
        assert compared.before.lines["clv"].before == pytest.approx(160_000)
        assert compared.compared[0].lines["clv"].after == pytest.approx(direct.lines["clv"].after)
        assert compared.compared[1].lines["clv"].after == pytest.approx(176_000)

    def test_one_segment_is_compared_by_itself(self, night):
        where = {"scheme": "rfm", "slug": "loyal"}
        compared = self.ask(night, make_scenario("One", order_value=10, **where), make_scenario("Two", **where))

        assert compared.whom.label == "Loyal"
        assert compared.before.lines["clv"].before == pytest.approx(80_000)
        assert [one.lines["clv"].after for one in compared.compared] == pytest.approx([88_000, 80_000])

    def test_segments_beside_the_whole_add_to_it(self, night):
        compared = self.ask(
            night,
            make_scenario("Loyal", order_value=10, scheme="rfm", slug="loyal"),
            make_scenario("All", order_value=10),
        )

        assert compared.whom.is_everybody
        assert [one.lines["clv"].after for one in compared.compared] == pytest.approx([168_000, 176_000])
        assert compared.compared[0].lines["clv"].added.expected == pytest.approx(8_000)

    def test_who_cannot_be_answered_is_left_out(self, desk, night):
        empty = make_scenario("Empty", scheme="rfm", slug="hibernating")
        gone = make_scenario("Gone", scheme="needs", slug="gone")
        kept = make_scenario("Kept")

        page = desk.get(f"{COMPARE}?s={empty.pk}&s={gone.pk}&s={kept.pk}")

        assert [one.scenario.name for one in page.context["comparison"].left_out] == ["Empty", "Gone"]
        assert "“Empty” is left out" in words(page)
        assert [one.kept.scenario.name for one, _moved in page.context["columns"]] == ["Kept"]

    def test_payback_is_of_those_about_everybody(self, night, monkeypatch):
        monkeypatch.setattr(what_if, "acquisition_cents", lambda run: 1_500.0)
        compared = self.ask(
            night, make_scenario("All", acquisition_cost=-80), make_scenario("One", scheme="rfm", slug="loyal")
        )

        assert compared.compared[0].payback == (compared.before.payback[0], 0)
        assert compared.compared[1].payback is None

    def test_the_page(self, desk, night):
        pks = [make_scenario(f"Nr {number}", frequency=10 * number).pk for number in range(4)]

        page = desk.get(COMPARE, {"s": pks})

        assert "Only 3 fit beside what is" in words(page)
        assert len(page.context["columns"]) == 3
        rows = {row.slug: row for row in page.context["rows"]}
        assert rows["clv"].before == "$1,600"
        assert [name for name, _cell in rows["clv"].cells] == ["Nr 0", "Nr 1", "Nr 2"]
        assert rows["clv"].cells[0][1].after == "$1,600"
        assert [cell.is_good for _name, cell in rows["clv"].cells] == [None, True, True]
        assert "31 March 2026" in words(page)

    @pytest.mark.parametrize("query", ["", "?s=", "?s=x", "?s=999999999999999999999", "?s=0"])
    def test_nothing_to_compare(self, desk, night, query):
        assert "Tick scenarios in the list" in words(desk.get(COMPARE + query))

    def test_before_the_first_night(self, desk):
        assert "The first night is still to come." in words(desk.get(f"{COMPARE}?s={make_scenario().pk}"))

    def test_a_newer_night_answers_anew(self, desk, night):
        kept = make_scenario(order_value=10)
        first = self.ask(night, kept).compared[0].lines["clv"].after
        later = make_night(make_scored(clv_cents=1_000), as_of=AS_OF + timedelta(days=1))

        assert first == pytest.approx(176_000)
        assert self.ask(later, kept).compared[0].lines["clv"].after == pytest.approx(1_100)
        assert "1 April 2026" in words(desk.get(f"{COMPARE}?s={kept.pk}"))


class TestExport:
    def read(self, answer):
        text = b"".join(answer.streaming_content).decode("utf-8-sig")
        return list(csv.DictReader(text.splitlines()))

    def test_it_works(self, admin, night):
        kept = make_scenario("=Keep", order_value=10, note="A note")
        make_scenario("Other", frequency=10)

        rows = self.read(admin.get(f"{EXPORT}?s={kept.pk}"))

        assert [row["measure"] for row in rows] == [
            *("clv", "clv_36m", "clv_lifetime", "orders", "revenue", "at_risk")
        ]  # fmt: skip
        first = rows[0]
        assert first["scenario"] == "'=Keep"  # no formula
        assert (first["as_of"], first["segment"], first["note"]) == ("2026-03-31", "All customers", "A note")
        assert first["levers"] == "an order is worth 10% more"
        assert [float(first[name]) for name in ("as_it_is", "then", "difference")] == [1600, 1760, 160]
        assert rows[3]["as_it_is"] == "48.00"

    def test_without_a_choice_all_of_them(self, admin, night):
        make_scenario("One")
        make_scenario("Two", scheme="rfm", slug="hibernating")  # nobody to say anything of
        make_scenario("Three")

        assert {row["scenario"] for row in self.read(admin.get(EXPORT))} == {"One", "Three"}

    def test_payback(self, admin, night, monkeypatch):
        monkeypatch.setattr(what_if, "acquisition_cents", lambda run: 1_500.0)
        make_scenario(acquisition_cost=-80)

        last = self.read(admin.get(EXPORT))[-1]
        assert (last["measure"], last["then"]) == ("payback_month", "0")
        assert int(last["as_it_is"]) > 0

    def test_before_the_first_night(self, admin):
        assert admin.get(EXPORT).status_code == 404

    def test_who_may_not_take_data_out(self, viewer, night):
        assert viewer.get(EXPORT).status_code == 403


class TestRoles:
    def test_a_marketer_may_do_all_of_it(self, client, night):
        client.force_login(make_person(role=Role.MARKETER))
        assert forms.send(client, ADD, name="Keep them").status_code == 302
        kept = Scenario.objects.get()
        assert client.post(f"{edit_page(kept)}delete/").status_code == 302
        assert client.post(f"{edit_page(kept)}restore/").status_code == 302

    @pytest.mark.parametrize("role", [Role.AGENT, Role.VIEWER])
    def test_others_read_and_compare(self, client, night, role):
        kept = make_scenario(leaving=-20)
        client.force_login(make_person(role=role))

        page = words(client.get(LIST))
        assert "Keep them" in page
        assert edit_page(kept) not in page
        assert client.get(f"{COMPARE}?s={kept.pk}").status_code == 200
        assert [client.get(path).status_code for path in (ADD, edit_page(kept))] == [403, 403]
        assert [client.post(f"{edit_page(kept)}{what}/").status_code for what in ("delete", "restore")] == [403, 403]
