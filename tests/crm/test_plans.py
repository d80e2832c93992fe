"""Retention plans: written by those who may, beside what is at stake, by two people at once, with their history."""

from datetime import date, timedelta

import pytest
from django.utils import timezone

from analytics.models import Plan, PlanAction
from analytics.services import plans
from analytics.services.plans import Action, Item
from core.models import Role, User
from crm.selectors import plans as found
from customers.models import Segment
from tests.desk import AS_OF, make_day, make_night, score
from tests.factories import make_customer

pytestmark = pytest.mark.django_db
PAGE = "/segments/by/value/a/plan/"


@pytest.fixture
def night():
    """Two A customers of $200 and $100 expected; the second one is at risk."""
    return make_night(
        score(make_customer(name="Ana"), value_tier=1, clv_cents=20_000),
        score(make_customer(name="Bo"), value_tier=1, clv_cents=10_000, churn_band=3),
    )


@pytest.fixture
def segment():
    return plans.segment_row(scheme="value", slug="a", name="A")


@pytest.fixture
def marketer(db):
    return User.objects.create_user("marketer@example.com", "a long password", role=Role.MARKETER, name="Max Marketer")


def form(*actions, **fields):
    """What the form posts: (text, state, due, number) for each action."""
    rows = {f"form-{n}-{name}": value for n, row in enumerate(actions) for name, value in row.items()}
    counts = {"form-TOTAL_FORMS": len(actions), "form-INITIAL_FORMS": 0}
    return {"goal": "", "owner": "", "budget": "", "notes": ""} | counts | rows | fields


def made_from(desk):
    return desk.get(PAGE).context["form"]["made_from"].value()


class TestSave:
    def test_it_works(self, desk, night, manager):
        told = form(
            {"text": "Call them", "state": "open", "due_on": "2026-05-01", "ORDER": 2},
            {"text": "Send a letter", "state": "doing", "due_on": "", "ORDER": 1},
            goal="Keep nine in ten.",
            owner=manager.pk,
            budget="12.50",
        )
        answer = desk.post(PAGE, told)
        assert answer["Location"] == "/segments/by/value/a/#plan"
        plan = Plan.objects.get(segment__scheme="value", segment__slug="a")
        assert (plan.goal, plan.owner, plan.budget_cents) == ("Keep nine in ten.", manager, 1250)
        assert list(plan.actions.order_by("position").values_list("position", "text", "state", "due_on")) == [
            (1, "Send a letter", "doing", None),
            (2, "Call them", "open", date(2026, 5, 1)),
        ]
        page = desk.get("/segments/by/value/a/").content.decode()
        assert "Keep nine in ten." in page
        assert "Mara Manager answers for it." in page

    def test_an_action_without_a_text_is_left_out(self, desk, night, segment):
        plans.save(segment=segment, item=Item(actions=[Action(text="Call them")]))
        desk.post(PAGE, form({"text": "", "state": "open", "due_on": "", "ORDER": 1}, made_from=made_from(desk)))
        assert not PlanAction.objects.exists()

    def test_rfm_has_plans_too(self, desk, night):
        answer = desk.post("/segments/by/rfm/champions/plan/", form(goal="Thank them."))
        assert answer["Location"] == "/segments/champions/#plan"
        assert "Thank them." in desk.get("/segments/champions/").content.decode()

    @pytest.mark.parametrize(
        ("fields", "problem"), [({"budget": "-1"}, "budget"), ({"budget": "many"}, "budget"), ({"owner": "0"}, "owner")]
    )
    def test_what_cannot_be_is_refused(self, desk, night, fields, problem):
        assert problem in desk.post(PAGE, form(**fields)).context["form"].errors
        assert not Plan.objects.exists()

    def test_a_day_that_does_not_exist_is_refused(self, desk, night):
        told = form({"text": "Call", "state": "open", "due_on": "2026-02-31", "ORDER": 1})
        assert desk.post(PAGE, told).status_code == 200
        assert not Plan.objects.exists()

    def test_an_unknown_segment_is_not_found(self, desk, night):
        assert desk.get("/segments/by/value/z/plan/").status_code == 404
        assert not Segment.objects.filter(slug="z").exists()


class TestRoles:
    def test_a_marketer_may(self, client, night, marketer):
        client.force_login(marketer)
        assert client.post(PAGE, form(goal="Win them back.")).status_code == 302

    @pytest.mark.parametrize("role", [Role.AGENT, Role.VIEWER])
    def test_others_read_only(self, client, night, segment, role):
        plans.save(segment=segment, item=Item(goal="Keep them."))
        client.force_login(User.objects.create_user("x@example.com", "a long password", role=role))
        page = client.get("/segments/by/value/a/").content.decode()
        assert "Keep them." in page
        assert PAGE not in page
        assert (client.get(PAGE).status_code, client.post(PAGE, form()).status_code) == (403, 403)


class TestTwoAtOnce:
    def test_different_fields_both_stand(self, desk, night, segment):
        plans.save(segment=segment, item=Item(goal="Keep them."))
        mine = made_from(desk)
        plans.save(segment=segment, item=Item(goal="Keep them.", notes="Theirs."))
        desk.post(PAGE, form(goal="Keep nine in ten.", made_from=mine))
        plan = Plan.objects.get()
        assert (plan.goal, plan.notes) == ("Keep nine in ten.", "Theirs.")

    def test_the_same_field_asks(self, desk, night, segment):
        plans.save(segment=segment, item=Item(goal="Keep them."))
        mine = made_from(desk)
        plans.save(segment=segment, item=Item(goal="Theirs."))
        answer = desk.post(PAGE, form(goal="Mine.", made_from=mine))
        assert [one.name for one in answer.context["form"].conflicts] == ["goal"]
        assert Plan.objects.get().goal == "Theirs."

    def test_actions_that_somebody_else_changed_are_kept(self, desk, night, segment):
        call = {"text": "Call them", "state": "open", "due_on": "", "ORDER": 1}
        plans.save(segment=segment, item=Item(actions=[Action(text="Call them")]))
        mine = made_from(desk)
        plans.save(segment=segment, item=Item(actions=[Action(text="Call them"), Action(text="Theirs")]))
        desk.post(PAGE, form(call, goal="Mine.", made_from=mine))
        assert list(PlanAction.objects.order_by("position").values_list("text", flat=True)) == ["Call them", "Theirs"]
        assert Plan.objects.get().goal == "Mine."

    def test_actions_that_both_changed_ask(self, desk, night, segment):
        plans.save(segment=segment, item=Item(actions=[Action(text="Call them")]))
        mine = made_from(desk)
        plans.save(segment=segment, item=Item(actions=[Action(text="Theirs")]))
        told = form({"text": "Mine", "state": "open", "due_on": "", "ORDER": 1}, made_from=mine)
        assert [one.name for one in desk.post(PAGE, told).context["form"].conflicts] == ["actions"]
        assert PlanAction.objects.get().text == "Theirs"


def test_the_history_says_who_changed_what(desk, night, segment):
    desk.post(PAGE, form(goal="Keep them."))
    desk.post(PAGE, form({"text": "Call", "state": "open", "due_on": "", "ORDER": 1}, goal="Keep them all."))
    page = desk.get(PAGE).content.decode()
    assert "Mara Manager" in page
    assert "Keep them." in page


def test_an_action_that_is_done_stays_the_same_row(segment):
    plans.save(segment=segment, item=Item(actions=[Action(text="Call"), Action(text="Write")]))
    before = set(PlanAction.objects.values_list("pk", flat=True))
    plans.save(segment=segment, item=Item(actions=[Action(text="Write", state="done"), Action(text="Call")]))
    assert set(PlanAction.objects.values_list("pk", flat=True)) == before
    assert list(PlanAction.objects.order_by("position").values_list("text", "state")) == [
        ("Write", "done"),
        ("Call", "open"),
    ]


class TestWorth:
    """Expected per head $150, of that at risk $50."""

    def plan(self, night, segment, cents, **item):
        plans.save(segment=segment, item=Item(budget_cents=cents, **item))
        (state,) = found.all_plans(night)
        return state

    @pytest.mark.parametrize(
        ("cents", "warning"), [(None, ""), (0, ""), (5_000, ""), (5_001, "risk"), (15_000, "risk"), (15_001, "value")]
    )
    def test_a_budget_above_what_is_at_stake_is_named(self, night, segment, cents, warning):
        state = self.plan(night, segment, cents)
        assert (state.value_cents, state.risk_cents, state.warning) == (15_000, 5_000, warning)

    def test_pages_say_so(self, desk, night, segment):
        plans.save(segment=segment, item=Item(budget_cents=20_000))
        assert "more than these customers are expected to bring" in desk.get("/segments/by/value/a/").content.decode()

    def test_the_budget_of_all(self, night, segment):
        assert self.plan(night, segment, 700).total_cents == 1_400

    def test_a_segment_of_nobody_has_no_worth(self, night):
        empty = plans.segment_row(scheme="value", slug="b", name="B")
        state = self.plan(night, empty, 700)
        assert (state.value_cents, state.risk_cents, state.warning, state.total_cents) == (None, None, "", 0)

    def test_what_is_late_and_what_is_next(self, night, segment):
        today = timezone.localdate()
        late = Action(text="Late", due_on=today - timedelta(days=1))
        done = Action(text="Done", state="done", due_on=today - timedelta(days=9))
        soon = Action(text="Soon", due_on=today + timedelta(days=1))
        state = self.plan(night, segment, None, actions=[late, done, soon])
        assert ([one.text for one in state.late], state.done, state.next_due) == (["Late"], 1, late.due_on)


class TestList:
    def test_it_works(self, desk, night, segment):
        plans.save(segment=segment, item=Item(goal="Keep them.", budget_cents=700))
        page = desk.get("/segments/plans/").content.decode()
        assert "Keep them." in page
        assert 'href="/segments/by/value/a/#plan"' in page

    def test_nobody_has_written_one(self, desk, night):
        assert "No plans yet" in desk.get("/segments/plans/").content.decode()

    def test_a_plan_leads_to_its_segment(self, desk, night, segment):
        plan = plans.save(segment=segment, item=Item(goal="Keep them."))
        assert desk.get(plan.get_absolute_url())["Location"] == "/segments/by/value/a/#plan"

    def test_a_category_that_is_gone_takes_its_plan_from_the_list(self, desk, night):
        gone = plans.segment_row(scheme="preference", slug="c99", name="Tea")
        plan = plans.save(segment=gone, item=Item(goal="Sell tea."))
        assert desk.get("/segments/plans/").context["plans"] == []
        assert desk.get(plan.get_absolute_url()).status_code == 404

    def test_queries_do_not_grow_with_the_plans(self, desk, night, django_assert_num_queries):
        for slug in "abc":
            plans.save(segment=plans.segment_row(scheme="value", slug=slug, name=slug), item=Item(goal="x"))
        with django_assert_num_queries(9):  # business, session, user, run, plans, actions, categories, tags, alerts
            desk.get("/segments/plans/")


def test_before_the_first_night_there_is_a_list(desk):
    assert desk.get("/segments/plans/").status_code == 200


class TestDueOnToday:
    """What is late or due within a week stands on the first page, one's own first."""

    TODAY = date(2026, 5, 10)

    @pytest.fixture
    def shop(self, night):
        make_day(AS_OF)

    def action(self, text, due_on, *, owner=None, slug="a", state="open"):
        segment = plans.segment_row(scheme="value", slug=slug, name=slug.upper())
        plan, _ = Plan.objects.get_or_create(segment=segment, defaults={"owner": owner})
        return PlanAction.objects.create(
            plan=plan, position=plan.actions.count() + 1, text=text, state=state, due_on=due_on
        )

    def due(self, user):
        return [(one.action.text, one.is_own, one.is_late) for one in found.due(user=user, today=self.TODAY)]

    def test_it_works(self, manager):
        self.action("Of somebody", self.TODAY - timedelta(days=9))
        self.action("Mine, soon", self.TODAY + timedelta(days=7), owner=manager, slug="b")
        self.action("Mine, late", self.TODAY - timedelta(days=1), slug="b", state="doing")
        self.action("Mine, today", self.TODAY, slug="b")
        assert self.due(manager) == [
            ("Mine, late", True, True),
            ("Mine, today", True, False),
            ("Mine, soon", True, False),
            ("Of somebody", False, True),
        ]

    def test_what_is_done_far_off_or_without_a_day_waits_for_nobody(self, manager):
        self.action("Done", self.TODAY, state="done")
        self.action("Dropped", self.TODAY, state="dropped")
        self.action("Far off", self.TODAY + timedelta(days=8))
        self.action("Some day", None)
        assert self.due(manager) == []

    def test_a_plan_without_an_owner_is_nobodys(self, manager):
        self.action("Call", self.TODAY)
        assert self.due(manager) == [("Call", False, False)]

    def test_at_most_so_many(self, manager):
        for number in range(found.DUE_SHOWN + 1):
            self.action(f"Call {number}", self.TODAY)
        assert len(self.due(manager)) == found.DUE_SHOWN

    def test_the_page_leads_to_the_plan(self, desk, shop, manager):
        late = self.action("Call them", timezone.localdate() - timedelta(days=2), owner=manager)
        page = " ".join(desk.get("/").content.decode().split())
        assert f'href="/segments/plans/{late.plan_id}/">Call them</a>' in page
        assert ", late" in page
        assert "<td>You</td>" in page.replace("> ", ">").replace(" <", "<")

    def test_without_actions_there_is_no_card(self, desk, shop):
        assert "Actions of retention plans" not in desk.get("/").content.decode()
