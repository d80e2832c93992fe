"""The simulator: as it is what the night found, under the levers what the model expects, in words that people use."""

from datetime import date, timedelta

import pytest
from django.db.models import Sum

from analytics.clv import what_if as mathematics
from analytics.clv.params import MbgCnbdKParams
from analytics.clv.what_if import AMOUNTS, Levers
from analytics.models import PurchaseSummary, Score
from analytics.selectors import what_if, whom
from analytics.services import baskets, cohorts
from customers.models import AcquisitionCost, Category, Segment, Tagging
from tests import desk as shown
from tests import nights
from tests.factories import make_business, make_customer, make_order

pytestmark = pytest.mark.django_db
PAGE = "/what-if/"
AS_OF = shown.AS_OF  # 2026-03-31
VALUES = ("clv", "clv_36m", "clv_lifetime")


def make_scored(*, order_days=4, age=200, last=20, value_cents=40_000, **fields):
    """A customer's row of a night, and what the night read of her orders."""
    values = {"clv_cents": 20_000, "clv_36m_cents": 50_000, "clv_lifetime_cents": 90_000}
    orders = {"order_days": order_days, "orders": order_days, "age_days": age, "value_cents": value_cents}
    row = shown.score(
        make_customer(),
        last_age_days=last if order_days > 1 else age,
        **values | orders | {"historic_cents": value_cents * 2 // 5, "segment": 1} | fields,
    )
    shown.make_summaries(row)
    return row


def make_night(*rows, model=None, **fields):
    fitted = shown.FITTED | (model or {})
    return shown.make_night(*(rows or several()), model={"fitted": fitted}, **fields)


def several(count=8):
    return [make_scored(order_days=1 + n, age=100 + 40 * n, last=10 * n, segment=1 + n % 2) for n in range(count)]


def ask(run, of="", **levers):
    return what_if.answer(run=run, whom=whom.read(of), levers=Levers(**levers))


@pytest.fixture
def night(db):
    """Eight customers of whom 200.00, 500.00 and 900.00 are expected each, and six orders."""
    make_business()
    return make_night()


@pytest.fixture
def many(db):
    """Forty of them: a hash of their numbers parts them into some and others."""
    make_business()
    return make_night(*several(40))


class TestAsItIs:
    def test_it_is_what_a_night_found(self, db):
        """A whole night: the sums are those of its rows without any scaling to speak of."""
        make_business()
        for number in range(30):
            person = make_customer()
            for again in range(1 + number % 6):
                make_order(customer=person, day=AS_OF - timedelta(days=20 * again + number), value_cents=3_000)
        run = nights.pass_night()

        found, sums = ask(run), Score.objects.filter(run=run).aggregate(
            *(Sum(name) for name in ("clv_cents", "clv_36m_cents", "clv_lifetime_cents", "expected_orders"))
        )  # fmt: skip
        before = [found.lines[name].before for name in (*VALUES, "orders")]
        assert before == pytest.approx(list(sums.values()))
        assert before[0] == pytest.approx(run.stats["all"]["clv_cents"])
        base = what_if._read(run, whom.everybody(), None)
        assert list(base.scale.values()) == pytest.approx([100, 100, 100, 1, 100, 100], rel=1e-3)

    def test_it_is_scaled_to_the_night(self, night):
        found = ask(night)

        assert [found.lines[name].before for name in VALUES] == pytest.approx([160_000, 400_000, 720_000])
        assert found.lines["orders"].before == pytest.approx(48)
        assert (found.customers, found.sampled) == (8, 8)

    def test_a_sample_stands_for_all(self, many, monkeypatch):
        monkeypatch.setattr(what_if, "SAMPLE", 20)

        found = ask(many, frequency=1.2)

        assert 0 < found.sampled < 40
        assert found.customers == 40
        assert found.lines["clv"].before == pytest.approx(800_000)

    def test_the_sample_is_the_same_again(self, night, monkeypatch):
        monkeypatch.setattr(what_if, "SAMPLE", 4)
        first, second = (what_if._read(night, whom.everybody(), None) for _ in range(2))

        assert first.before == second.before

    def test_regular_buyers_are_slower_and_fewer_do(self, many, monkeypatch):
        monkeypatch.setattr(what_if, "SMALL_SAMPLE", 20)
        params = MbgCnbdKParams(k=2, r=0.9, alpha=2.5, a=0.6, b=1.9)
        purchase = {"model": "MBG/CNBD-k", **params.as_dict()}
        many.model["fitted"] |= {"model": "MBG/CNBD-k", "purchase": purchase}

        assert ask(many).sampled < 40

    def test_what_no_night_told_follows_the_heads(self, db):
        """Nights of an earlier engine have no value beyond a year."""
        make_business()
        empty = dict.fromkeys(("clv_36m_cents", "clv_lifetime_cents"))
        run = make_night(make_scored(**empty), make_scored(order_days=9, **empty))

        found = ask(run)

        assert found.lines["clv_36m"].before > found.lines["clv"].before * 0.1
        assert found.lines["clv_lifetime"].before > found.lines["clv_36m"].before

    def test_contracts_stay_where_they_are(self, db):
        make_business()
        run = make_night(make_scored(clv_cents=50_000, contract_cents=30_000), make_scored())

        found = ask(run, order_value=2.0).lines["clv"]

        assert (found.before, found.contracts) == (pytest.approx(70_000), 30_000)
        assert found.after == pytest.approx(30_000 + 2 * 40_000)

    def test_whose_orders_changed_since_is_left_out(self, night):
        PurchaseSummary.objects.order_by("pk").first().delete()
        changed = PurchaseSummary.objects.order_by("pk").last()
        changed.order_days += 1
        changed.save(update_fields=["order_days"])

        found = ask(night)

        assert (found.customers, found.sampled) == (8, 6)
        assert found.lines["clv"].before == pytest.approx(160_000)


class TestLevers:
    def test_each_amount_moves_as_the_sample_does(self, night):
        found, base = ask(night, frequency=1.5), what_if._read(night, whom.everybody(), None)
        after = what_if._simulate(night, what_if.Fitted.from_dict(night.model["fitted"]), base.known,
                                  Levers(frequency=1.5), None)  # fmt: skip

        for name in AMOUNTS:
            ratio = getattr(after, name) / getattr(base.before, name)
            assert found.lines[name].after == pytest.approx(ratio * found.lines[name].before)
            assert found.lines[name].added.expected == pytest.approx(found.lines[name].after - found.lines[name].before)

    def test_fewer_who_leave_are_worth_more_the_fewer_they_are(self, night):
        found = [ask(night, leaving=factor) for factor in (2.0, 1.5, 1.0, 0.8, 0.5, 0.0)]

        for name in (*VALUES, "orders", "revenue"):
            amounts = [each.lines[name].after for each in found]
            assert amounts == sorted(amounts)
            assert amounts[0] < amounts[-1]
        assert [each.leave[1] for each in found] == sorted((each.leave[1] for each in found), reverse=True)
        assert [each.lines["at_risk"].after for each in found] == sorted(
            (each.lines["at_risk"].after for each in found), reverse=True
        )

    def test_money_alone(self, night):
        found = ask(night, order_value=1.5, margin_rate=0.5)

        assert found.lines["revenue"].relative == pytest.approx(0.5)
        assert found.lines["clv"].relative == pytest.approx(-0.25)
        assert found.lines["orders"].relative == pytest.approx(0.0)

    def test_margin_is_cut_at_all_of_the_revenue(self, night):
        assert ask(night, margin_rate=2.0).cut == 0.0
        found = ask(night, margin_rate=4.0)  # of 40 %
        assert found.cut == 1.0
        assert found.lines["clv"].relative == pytest.approx(1 / 0.4 - 1.0)

    def test_a_segment_alone(self, night):
        found = ask(night, "rfm:champions", order_value=2.0)

        assert found.customers == 4
        assert found.lines["clv"].before == pytest.approx(80_000)
        assert found.lines["clv"].after == pytest.approx(160_000)

    def test_segments_add_up(self, night):
        whole = ask(night, leaving=0.7)
        parts = [ask(night, of, leaving=0.7) for of in ("rfm:champions", "rfm:loyal")]

        assert sum(part.lines["clv"].before for part in parts) == pytest.approx(whole.lines["clv"].before)

    def test_a_tag_and_a_category(self, db):
        make_business()
        category, tag = Category.objects.create(name="Tea"), Segment.objects.create(
            scheme="needs", slug="gifts", name="Gifts"
        )  # fmt: skip
        rows = [make_scored(main_category=category.pk), make_scored(), make_scored()]
        run = make_night(*rows)
        Tagging.objects.create(customer_id=rows[1]["customer_id"], segment=tag, added_at=shown.noon(AS_OF))
        Tagging.objects.create(
            customer_id=rows[2]["customer_id"], segment=tag, added_at=shown.noon(AS_OF), removed_at=shown.noon(AS_OF)
        )

        assert ask(run, f"preference:c{category.pk}").customers == 1
        assert ask(run, "needs:gifts").customers == 1

    def test_answers_are_kept(self, night, django_assert_max_num_queries):
        ask(night, leaving=0.9)
        with django_assert_max_num_queries(3):
            assert ask(night, leaving=0.9).lines["clv"].added.expected > 0
        with django_assert_max_num_queries(3):
            ask(night, leaving=0.8)  # of the same sample

    def test_another_night_is_asked_anew(self, night):
        ask(night)
        Score.objects.filter(run=night).delete()
        later = make_night(make_scored(clv_cents=77), as_of=AS_OF + timedelta(days=1))

        assert ask(later).lines["clv"].before == pytest.approx(77)


class TestPayback:
    def test_the_cost_is_the_key_figure_s(self, night):
        for _ in range(2):
            make_order(customer=make_customer(), day=date(2026, 3, 10), channel="web")
        baskets.refresh(as_of=AS_OF)
        cohorts.refresh(as_of=AS_OF)
        AcquisitionCost.objects.create(channel="web", month=date(2026, 3, 1), amount_cents=12_000)

        assert ask(night).acquisition_cents == 6_000

    def test_by_month(self, night, monkeypatch):
        """The first order brings 14.00 of margin, so that 14.00 pay at once and 1.00 more does not."""
        found = {}
        for cents in (1_400.0, 1_500.0, 10_000_000.0):
            monkeypatch.setattr(what_if, "acquisition_cents", lambda run, cents=cents: cents)
            found[cents] = ask(night).payback[0]

        assert found[1_400.0] == 0
        assert found[1_500.0] > 0
        assert found[10_000_000.0] is None


class TestNobody:
    def test_without_customers(self, db):
        make_business()
        assert ask(shown.make_night()) is None

    def test_whose_every_order_came_back(self, db):
        make_business()
        assert ask(shown.make_night(shown.score_of_nobody(make_customer()))) is None

    def test_an_empty_segment(self, night):
        assert ask(night, "rfm:hibernating") is None

    @pytest.mark.parametrize("of", ["rfm:nobody", "nothing:a", "preference:c0", "preference:cx", "needs:none", "a"])
    def test_a_segment_that_is_not_there(self, night, of):
        assert whom.read(of) is None

    def test_one_customer_who_bought_once(self, db):
        make_business()
        found = ask(make_night(make_scored(order_days=1, age=0)), leaving=0.5)

        assert found.lines["clv"].after > found.lines["clv"].before

    def test_no_margin(self, db):
        make_business()
        row = make_scored(historic_cents=0, clv_cents=0, clv_36m_cents=0, clv_lifetime_cents=0)
        PurchaseSummary.objects.update(margin_cents=0)
        run = make_night(row, model={"margin_rate": 0.0})

        found = ask(run, order_value=2.0)

        assert found.no_margin
        assert found.lines["clv"].after == 0
        assert found.lines["clv"].relative is None
        assert found.lines["revenue"].relative == pytest.approx(1.0)

    def test_a_currency_without_decimals(self, db):
        make_business(currency="JPY")
        run = make_night(*several(), settings=shown.SETTINGS | {"currency": "JPY"})

        found = ask(run, order_value=2.0)

        assert found.lines["clv"].before == pytest.approx(160_000)
        assert found.lines["clv"].after == pytest.approx(320_000)


def address(**levers):
    return PAGE + "?" + "&".join(f"{name}={value}" for name, value in levers.items())


def words(answer):
    return " ".join(answer.content.decode().split())


class TestPage:
    def test_it_works(self, desk, night):
        page = desk.get(address(leaving=-20, frequency=10))

        assert page.context["sentence"].startswith("If 20% fewer customers leave and customers order 10% more often,")
        assert "With 80% certainty" in page.context["sentence"]
        rows = {row.slug: row for row in page.context["rows"]}
        assert (rows["clv"].before, rows["orders"].before) == ("$1,600", "48")
        assert rows["clv"].is_good
        assert not rows["at_risk"].change.startswith("+")
        assert "31 March 2026" in words(page)

    def test_as_it_is(self, desk, night):
        page = desk.get(PAGE)

        assert page.context["sentence"] == "Nothing is moved yet: both sides are as it is."
        assert all(row.before == row.after and row.is_good is None for row in page.context["rows"])

    def test_the_fields_hold_what_is_in_the_address(self, desk, night):
        form = desk.get(address(of="rfm:loyal", margin_rate="-2.5")).context["form"]

        assert (form["of"].value(), form["margin_rate"].value(), form["leaving"].value()) == ("rfm:loyal", "-2.5", "0")

    def test_htmx_gets_the_result_alone(self, desk, night):
        part = desk.get(address(leaving=-20), headers={"HX-Request": "true"})

        assert "If 20% fewer customers leave" in words(part)
        assert "<html" not in words(part)
        assert "<form" not in words(part)

    @pytest.mark.parametrize(
        ("lever", "value", "told"),
        [
            ("leaving", "-101", "Customers who leave: write a change from -100 to 300"),
            ("frequency", "-80", "Orders a year: write a change from -75 to 300"),
            ("order_value", "301", "Order value: write a change from -75 to 300"),
            ("margin_rate", "x", "Margin rate: write a change from -100 to 300"),
            ("acquisition_cost", "NaN", "Acquisition cost: write a change from -100 to 300"),
        ],
    )
    def test_a_lever_out_of_its_range_is_refused(self, desk, night, lever, value, told):
        for headers in ({}, {"HX-Request": "true"}):
            page = desk.get(address(**{lever: value}), headers=headers)
            assert told in words(page)
            assert "answer" not in page.context

    @pytest.mark.parametrize("lever", list(mathematics.RANGES))
    @pytest.mark.parametrize("end", [0, 1])
    def test_the_ends_of_a_range_are_answered(self, desk, night, lever, end):
        value = round(100 * (mathematics.RANGES[lever][end] - 1))
        assert desk.get(address(**{lever: value})).context["answer"] is not None

    def test_a_segment_that_is_gone_is_refused(self, desk, night):
        for of in ("needs:gone", "needs:\0"):
            assert "This segment is not there any more." in words(desk.get(address(of=of)))

    def test_the_margin_that_is_cut_is_told(self, desk, night):
        assert "For 100% of the customers the margin would be more" in words(desk.get(address(margin_rate=300)))
        assert "the margin would be more" not in words(desk.get(address(margin_rate=10)))

    def test_no_promise(self, desk, night):
        assert "what the model expects if the lever moves, no promise" in words(desk.get(PAGE))

    def test_without_a_cost_payback_is_not_known(self, desk, night):
        page = desk.get(PAGE)

        assert "Payback is not known" in words(page)
        assert "payback" not in {row.slug for row in page.context["rows"]}

    def test_payback(self, desk, night, monkeypatch):
        monkeypatch.setattr(what_if, "acquisition_cents", lambda run: 6_000.0)
        rows = {row.slug: row for row in desk.get(address(acquisition_cost=-80)).context["rows"]}

        assert rows["payback"].before.startswith("month ")
        assert rows["payback"].after == "with the first order"
        assert rows["payback"].is_good
        assert rows["payback"].change.endswith("months earlier")

    def test_a_segment_has_no_payback(self, desk, night, monkeypatch):
        monkeypatch.setattr(what_if, "acquisition_cents", lambda run: 6_000.0)
        page = desk.get(address(of="rfm:loyal"))

        assert "payback" not in {row.slug for row in page.context["rows"]}
        assert "New customers are in no segment yet" in words(page)

    def test_a_shop_without_a_model_says_so(self, desk, db):
        reason = "customers who bought again: 3; a model needs 200"
        make_night(model={"model": "Shop averages", "reason": reason})
        page = desk.get(address(leaving=-20))

        assert f"No model could be fitted to this shop ({reason})" in words(page)
        assert {row.slug: row for row in page.context["rows"]}["clv"].is_good

    def test_before_the_first_night(self, desk):
        assert "It opens after the first night." in words(desk.get(PAGE))

    def test_nobody_has_ordered(self, desk):
        shown.make_night()
        assert "The simulator needs customers with an order that stands." in words(desk.get(PAGE))

    def test_contracts_alone(self, desk):
        make_business(kind="contracts")
        shown.make_night()
        assert "What contracts are worth stands with each contract" in words(desk.get(PAGE))

    def test_an_empty_segment(self, desk, night):
        assert "No customer of this segment has an order that stands." in words(desk.get(address(of="rfm:hibernating")))

    def test_a_viewer_may_ask_but_not_save(self, viewer, night):
        page = words(viewer.get(PAGE))

        assert "Move the levers" in page
        assert "Save as a scenario" not in page

    def test_queries(self, desk, night, django_assert_max_num_queries):
        """Categories and tags, the night, the costs, and the sample: as many for any number of customers."""
        with django_assert_max_num_queries(16):
            desk.get(PAGE)
        with django_assert_max_num_queries(11):
            desk.get(address(leaving=-20))
