"""Memberships of every scheme over several nights: current, previous and since when, also of a night done again."""

from datetime import date, timedelta

import pytest

from analytics import schemes
from analytics.models import Score
from analytics.services import assigning, partitions
from core.models import Run
from customers.models import Category, Membership, Product
from tests.desk import make_night, score, score_of_nobody
from tests.factories import make_business, make_customer, make_order, make_product
from tests.nights import AS_OF, pass_night

pytestmark = pytest.mark.django_db(transaction=True)
DAY = timedelta(days=1)


@pytest.fixture
def ana():
    return make_customer(name="Ana")


def night(*rows, as_of, before=None, **fields):
    """A night made by hand whose memberships follow."""
    run = make_night(*(row | {"previous_segment": 0} for row in rows), as_of=as_of, **fields)
    run.model |= {"compared_with": before.pk if before else None}
    run.save(update_fields=["model"])
    bring(run)
    return run


def bring(run):
    """Find who moves and move them, as a night does; returns how many memberships were written."""
    assigning.find(run=run)
    written = sum(assigning.assign(run=run, **part) for part in assigning.parts(run))
    assigning.settle(run=run)
    return written


def place(customer, scheme="tenure"):
    found = Membership.objects.filter(customer=customer, scheme=scheme).select_related("segment", "previous").first()
    return found and (found.segment.slug, found.previous and found.previous.slug, found.changed_on)


def test_three_nights_with_moves(ana):
    bo = make_customer(name="Bo")
    first = night(score(ana, tenure=1, trajectory=2), score(bo, tenure=3), as_of=AS_OF)
    assert place(ana) == ("newcomers", None, AS_OF)
    second = night(score(ana, tenure=2, trajectory=2), score(bo, tenure=3), as_of=AS_OF + DAY, before=first)
    assert place(ana) == ("established", "newcomers", AS_OF + DAY)
    assert place(ana, "trajectory") == ("steady", None, AS_OF)
    third = night(score(ana, tenure=2, trajectory=4), score_of_nobody(bo), as_of=AS_OF + 2 * DAY, before=second)
    assert place(ana) == ("established", "newcomers", AS_OF + DAY)
    assert place(ana, "trajectory") == ("lost", "steady", AS_OF + 2 * DAY)
    assert place(bo) is None
    assert third.stats["assigned"] is True


def test_a_night_that_is_done_again_takes_its_moves_back(ana):
    first = night(score(ana, tenure=1), as_of=AS_OF)
    second = night(score(ana, tenure=2), as_of=AS_OF + DAY, before=first)
    night(score(ana, tenure=3), as_of=AS_OF + 2 * DAY, before=second)
    assert place(ana) == ("long-standing", "established", AS_OF + 2 * DAY)
    night(score(ana, tenure=2), as_of=AS_OF + 2 * DAY, before=second, revision=2)
    assert place(ana) == ("established", "newcomers", AS_OF + DAY)


def test_another_move_of_the_same_night_is_one_move(ana):
    first = night(score(ana, tenure=1), as_of=AS_OF)
    night(score(ana, tenure=2), as_of=AS_OF + DAY, before=first)
    night(score(ana, tenure=3), as_of=AS_OF + DAY, before=first, revision=2)
    assert place(ana) == ("long-standing", "newcomers", AS_OF + DAY)


def test_across_nights_that_were_missed(ana):
    first = night(score(ana, tenure=1), as_of=AS_OF)
    night(score(ana, tenure=2), as_of=AS_OF + 9 * DAY, before=first)
    assert place(ana) == ("established", "newcomers", AS_OF + 9 * DAY)


def test_when_the_last_nights_scores_are_gone_everybody_is_compared(ana):
    bo = make_customer(name="Bo")
    first = night(score(ana, tenure=1), score(bo, tenure=1), as_of=AS_OF)
    partitions.drop(first.pk)
    night(score(ana, tenure=2), as_of=AS_OF + 60 * DAY)
    assert place(ana)[0] == "established"
    assert place(bo) is None


def test_parts_are_all_customers_each_once(ana):
    people = [ana, *(make_customer() for _ in range(6))]
    run = make_night(
        *(score(person, tenure=1, previous_segment=0) for person in people), as_of=AS_OF, model={"compared_with": None}
    )
    assigning.find(run=run)
    cut = assigning.parts(run)
    assert [(part["first"], part["last"]) for part in cut] == [(0, people[3].pk), (people[3].pk + 1, 2**63 - 1)]
    assert [assigning.assign(run=run, **part) > 0 for part in cut] == [True, True]
    assert {place(person)[0] for person in people} == {"newcomers"}


def test_after_a_night_of_which_only_a_part_was_done_everybody_is_compared(ana):
    """Her move was done, and the next night has her back where the last complete one had her."""
    bo = make_customer(name="Bo")
    first = night(score(ana, tenure=1), score(bo, tenure=1), as_of=AS_OF)
    broken = make_night(
        *(score(one, tenure=2, previous_segment=0) for one in (ana, bo)),
        as_of=AS_OF + DAY,
        model={"compared_with": first.pk},
    )
    assigning.find(run=broken)
    assigning.assign(run=broken, first=0, last=ana.pk)
    assert (place(ana)[0], place(bo)[0]) == ("established", "newcomers")
    night(score(ana, tenure=1), score(bo, tenure=1), as_of=AS_OF + 2 * DAY, before=broken)
    assert (place(ana)[0], place(bo)[0]) == ("newcomers", "newcomers")


def test_moves_are_found_without_a_change_and_again(ana):
    run = make_night(score(ana, tenure=1, previous_segment=0), as_of=AS_OF, model={"compared_with": None})
    assert assigning.find(run=run) == assigning.find(run=run) > 0
    assert place(ana) is None


def test_nothing_is_written_when_nobody_moved(ana):
    first = night(score(ana, tenure=1), as_of=AS_OF)
    again = make_night(score(ana, tenure=1, previous_segment=0), as_of=AS_OF + DAY, model={"compared_with": first.pk})
    assert bring(again) == 0


def test_rfm_moves_as_the_scores_tell(ana):
    bo, cy = make_customer(name="Bo"), make_customer(name="Cy")
    first = night(score(ana, segment=1), score(bo, segment=2), score(cy, segment=3), as_of=AS_OF)
    since = {"previous_segment": 1, "segment_changed_on": AS_OF + DAY}
    second = make_night(
        score(ana, segment=4, **since), score_of_nobody(bo), as_of=AS_OF + DAY, model={"compared_with": first.pk}
    )
    before = place(ana, "rfm")

    written = bring(second)

    assert place(ana, "rfm")[1:] == (before[0], AS_OF + DAY)
    assert place(bo, "rfm") is place(cy, "rfm") is None
    assert written == 3


def test_a_shop_of_nobody():
    run = make_night(model={"compared_with": None})
    assert bring(run) == 0


class TestNight:
    """The columns of a real night."""

    def rows(self, run):
        return {row.customer_id: row for row in Score.objects.filter(run=run)}

    def test_each_scheme_has_a_code_and_adds_up_to_all(self, ana):
        tea = make_product(category=Category.objects.create(name="Tea"))
        Product.objects.exclude(pk=tea.pk).delete()
        for back in (300, 200, 100, 10):
            make_order(customer=ana, day=AS_OF - timedelta(days=back))
        make_order(customer=make_customer(), day=AS_OF)
        run = pass_night()
        row = self.rows(run)[ana.pk]
        assert (row.tenure, row.main_category, row.value_tier) == (2, tea.category_id, 1)
        assert row.profitability == 1
        for scheme in schemes.SCORED:
            kinds = run.stats["schemes"][scheme.slug]["segments"]
            assert sum(one["customers"] for one in kinds.values()) == run.stats["all"]["customers"] == 2
            assert sum(one["clv_cents"] for one in kinds.values()) == run.stats["all"]["clv_cents"]
        assert place(ana, "preference") == (f"c{tea.category_id}", None, AS_OF)

    @pytest.mark.parametrize("currency", ["JPY", "EUR"])
    def test_one_huge_order_and_losses(self, currency, ana):
        make_business(currency=currency)
        bo, cy = make_customer(), make_customer()
        make_order(customer=ana, day=date(1969, 7, 20), value_cents=10_000_000)
        make_order(customer=bo, day=AS_OF, value_cents=100, margin_cents=-500).lines.update(unit_cost=6)
        make_order(customer=cy, day=AS_OF, value_cents=0)
        rows = self.rows(pass_night())
        assert rows[ana.pk].value_tier == 1
        assert rows[bo.pk].profitability in {2, 3}
        assert all(row.tenure and row.trajectory for row in rows.values())

    def test_nobody(self):
        run = pass_night()
        assert (run.state, run.stats["schemes"]["value"]["segments"]) == (Run.State.DONE, {})

    def test_a_past_night_has_the_categories_of_its_day(self, ana):
        tea = make_product(category=Category.objects.create(name="Tea"))
        early = make_order(customer=ana, day=AS_OF - timedelta(days=40), value_cents=100)
        late = make_order(customer=ana, day=AS_OF, value_cents=900)
        cups = make_product(category=Category.objects.create(name="Cups"))
        early.lines.update(product=tea)
        late.lines.update(product=cups)
        assert self.rows(pass_night())[ana.pk].main_category == cups.category_id
        past = pass_night(AS_OF - timedelta(days=20))
        assert self.rows(past)[ana.pk].main_category == tea.category_id
        assert place(ana, "preference")[0] == f"c{cups.category_id}"
