"""The demo's generator: the same for the same seed, and like a shop."""

import hashlib
import os
import re
import subprocess
import sys
from collections import Counter, defaultdict
from datetime import date, timedelta
from decimal import Decimal
from functools import cache
from itertools import pairwise
from zoneinfo import ZoneInfo

import pytest

from crm.demo import catalogue, places, rows, seasons, shop, streets

UNTIL = date(2025, 6, 30)
DUBLIN = ZoneInfo("Europe/Dublin")
RESERVED_PHONES = re.compile(
    r"\+(3532091\d{5}|441632960\d{3}|447700900\d{3}|493023125\d{3}|494066969\d{3}|498999998\d{3}"
    r"|3363998\d{4}|3319900\d{4}|467017406\d{2})"
)
FINGERPRINT = "from tests.crm.test_demo_shop import fingerprint; print(fingerprint(2))"


@cache
def made(*, seed=2, customers=3000, years=3, until=UNTIL):
    return shop.build(customers=customers, years=years, seed=seed, until=until)


def fingerprint(seed):
    """A hash of every row that the import would get."""
    small = shop.build(customers=150, years=2, seed=seed, until=UNTIL)
    text = repr([*rows.person_rows(small), *rows.order_rows(small, zone=DUBLIN, exponent=2)])
    return hashlib.sha256(text.encode()).hexdigest()


def orders_of(a_shop):
    """How many orders each customer has."""
    counts = Counter(sale.buyer for sale in a_shop.sales if sale.buyer is not None)
    return [counts[number] for number in range(len(a_shop.people))]


def net_by_year(a_shop):
    """Order value of the three years since the opening."""
    totals = [Decimal(0)] * 3
    length = (a_shop.until - a_shop.opened_on).days + 1
    for sale in a_shop.sales:
        totals[(sale.placed_at.date() - a_shop.opened_on).days * 3 // length] += sale.net
    return totals


class TestSeed:
    def test_same_seed_gives_same_rows(self):
        assert fingerprint(2) == fingerprint(2)

    def test_other_seed_gives_other_rows(self):
        assert fingerprint(2) != fingerprint(3)

    def test_hash_seed_of_python_does_not_matter(self):
        prints = {
            subprocess.run(
                [sys.executable, "-c", FINGERPRINT],
                env=os.environ | {"PYTHONHASHSEED": hash_seed},
                capture_output=True,
                text=True,
                check=True,
            ).stdout.strip()
            for hash_seed in ("1", "2")
        }
        assert prints == {fingerprint(2)}

    def test_last_day_is_the_last_day(self):
        moved = made(customers=200, until=date(2025, 3, 8))
        assert max(sale.placed_at.date() for sale in moved.sales) <= date(2025, 3, 8)
        assert min(sale.placed_at.date() for sale in moved.sales) >= moved.opened_on == date(2022, 3, 9)


class TestPeople:
    def test_as_many_as_asked_for(self):
        assert len(made().people) == 3000
        assert len(made(customers=1, years=1).people) == 1

    def test_each_has_an_order(self):
        assert min(orders_of(made())) >= 1

    def test_emails_are_in_reserved_domains_and_unique(self):
        emails = [email for person in made().people for email in person.emails]
        assert all(re.fullmatch(r"[a-z0-9._]+@example\.(com|org|net)", email) for email in emails)
        assert len({email.partition("@")[0].replace(".", "") + email.partition("@")[2] for email in emails}) == len(
            emails
        )

    def test_phones_belong_to_nobody(self):
        phones = [person.phone for person in made().people if person.phone]
        assert len(phones) > 1000
        assert all(RESERVED_PHONES.fullmatch(phone) for phone in phones)

    def test_names_have_accents_and_seldom_meet(self):
        names = Counter(person.name for person in made().people)
        assert sum(not name.isascii() for name in names) > 300
        assert names.most_common(1)[0][1] <= 6

    def test_addresses_are_where_parcels_go(self):
        people = made().people
        assert {bool(person.street and person.postcode) for person in people if person.channel != "shop"} == {True}
        assert not any(person.street for person in people if person.channel == "shop" and not person.firm)
        houses = defaultdict(set)
        for person in people:
            if person.firm:
                houses[person.firm.name].add((person.street, person.postcode, person.city))
        assert {len(known) for known in houses.values()} == {1}

    def test_every_town_has_postcodes(self):
        assert {city for country in places.COUNTRIES for city, _weight in country.cities} == set(streets.POSTCODES)
        assert {country.code for country in places.COUNTRIES} == set(streets.STREETS)

    def test_postcodes_of_few_doors_belong_to_nobody(self):
        few = [person.postcode for person in made().people if person.country in {"Ireland", "United Kingdom"}]
        assert all(re.fullmatch(r"\w{3} Z\d{3}|[A-Z]{1,2}\d \dCV", text) for text in few if text)

    def test_one_person_came_twice(self):
        people = made().people
        phones = Counter(person.phone for person in people if person.phone)
        twins = [person for person in people if phones[person.phone] > 1]
        assert len(twins) == 2
        assert len({(one.name, one.street, one.postcode) for one in twins}) == 1
        assert len({email for one in twins for email in one.emails}) >= 2

    def test_time_zones_exist(self):
        assert all(ZoneInfo(person.time_zone) for person in made().people)

    def test_firms_have_contacts_and_terms(self):
        firms = {person.firm for person in made().people if person.firm}
        assert 20 <= len(firms) <= 80
        assert len({firm.name for firm in firms}) == len(firms)
        assert all(firm.contract_ends_on > firm.contract_starts_on for firm in firms)


class TestCatalogue:
    def test_skus_are_unique(self):
        skus = [item.sku for item in catalogue.ITEMS]
        assert len(set(skus)) == len(skus) > 110

    def test_price_is_above_cost_on_every_day(self):
        opened = date(2022, 7, 1)
        for item in catalogue.ITEMS:
            for days in range(0, 3 * 365, 30):
                day = opened + timedelta(days=days)
                if item.price:
                    assert catalogue.price_on(item, day, opened) > catalogue.cost_on(item, day, opened)

    def test_costs_rise_faster_than_prices(self):
        item, opened, later = catalogue.COFFEE[0], date(2022, 7, 1), date(2025, 6, 30)
        price = catalogue.price_on(item, later, opened) / item.price
        cost = catalogue.cost_on(item, later, opened) / item.cost
        assert Decimal("1.05") < price < cost < Decimal("1.3")

    def test_seasonal_items_are_sold_in_their_months(self):
        sold = [(line.item, sale.placed_at.month) for sale in made().sales for line in sale.lines if line.item.months]
        assert len(sold) > 500
        assert all(month in item.months for item, month in sold)


class TestOrders:
    def test_about_six_a_customer_with_a_long_tail(self):
        counts = sorted(orders_of(made()))
        assert 5 <= sum(counts) / len(counts) <= 7
        assert counts[len(counts) // 2] <= 3
        assert counts[-1] >= 40

    def test_repeat_rate(self):
        counts = orders_of(made())
        assert 0.5 <= sum(count > 1 for count in counts) / len(counts) <= 0.7

    @pytest.mark.parametrize("seed", [1, 2, 3])
    def test_revenue_grows_by_about_a_fifth_a_year(self, seed):
        first, second, third = net_by_year(made(seed=seed))
        assert Decimal("1.05") <= second / first <= Decimal("1.35")
        assert Decimal("1.05") <= third / second <= Decimal("1.35")
        assert Decimal("1.12") <= (third / first).sqrt() <= Decimal("1.28")

    def test_december_is_the_best_month(self):
        net: dict[tuple[int, int], Decimal] = defaultdict(Decimal)
        for sale in made().sales:
            net[sale.placed_at.year, sale.placed_at.month] += sale.net
        for year in (2023, 2024):
            months = [net[year, month] for month in range(1, 13)]
            assert max(months) == months[11]
            assert Decimal("0.10") <= months[11] / sum(months) <= Decimal("0.16")

    def test_shares_of_status_guests_and_samples(self):
        sales = made().sales
        assert 0.005 <= sum(sale.status == "cancelled" for sale in sales) / len(sales) <= 0.03
        assert 0.02 <= sum(sale.buyer is None for sale in sales) / len(sales) <= 0.06
        assert 10 <= sum(sale.net == 0 for sale in sales) <= 150

    def test_pending_orders_are_of_the_last_days(self):
        pending = [sale for sale in made().sales if sale.status == "pending"]
        assert pending
        assert all((UNTIL - sale.placed_at.date()).days < 4 for sale in pending)

    def test_returns_are_few_later_and_within_what_was_bought(self):
        sales = made().sales
        returned = [(sale, back) for sale in sales for back in sale.returns]
        assert 0.02 <= len(returned) / len(sales) <= 0.06
        for sale, back in returned:
            assert sale.status == "paid"
            assert sale.placed_at.date() < back.returned_at.date() <= UNTIL
            assert all(1 <= quantity <= sale.lines[position].quantity for position, quantity in back.lines)

    def test_some_orders_came_back_whole(self):
        whole = [
            sale
            for sale in made().sales
            if sale.returns and [line.quantity for line in sale.lines] == [count for _, count in sale.returns[0].lines]
        ]
        assert len(whole) > 50

    def test_nights_are_quiet_and_evenings_are_not(self):
        hours = Counter(sale.placed_at.hour for sale in made().sales)
        assert sum(hours[hour] for hour in range(1, 6)) / hours.total() < 0.02
        assert hours[20] > hours[16]

    def test_shop_is_shut_on_sundays_and_at_night(self):
        times = [sale.placed_at for sale in made().sales if sale.channel == "shop"]
        assert len(times) > 500
        assert all(at.weekday() < 6 and 9 <= at.hour <= 18 for at in times)

    def test_some_leave_and_come_back(self):
        days: dict[int | None, list[date]] = {}
        for sale in made().sales:
            days.setdefault(sale.buyer, []).append(sale.placed_at.date())
        days.pop(None)
        pauses = [max(b - a for a, b in pairwise(ds)).days for ds in days.values() if len(ds) > 6]
        assert sum(pause > 150 for pause in pauses) > 40

    def test_firms_buy_more_at_once(self):
        firm = [s.net for s in made().sales if s.buyer is not None and made().people[s.buyer].firm and s.net]
        other = [s.net for s in made().sales if s.buyer is not None and not made().people[s.buyer].firm]
        assert sum(firm) / len(firm) > 4 * sum(other) / len(other)


class TestRows:
    def test_rows_add_up_to_the_sales(self):
        lines = rows.order_rows(made(customers=200), zone=DUBLIN, exponent=2)
        bought = sum(row.net_cents for row in lines if not row.is_return)
        assert bought == sum(sale.net for sale in made(customers=200).sales) * 100
        assert [row.line for row in lines] == list(range(2, len(lines) + 2))

    def test_delivery_is_no_order_value(self):
        lines = rows.order_rows(made(customers=200), zone=DUBLIN, exponent=2)
        assert {row.counts for row in lines if row.kind == "shipping"} == {False}
        assert {row.counts for row in lines if row.kind == "goods"} == {True}

    def test_tax_is_left_out_where_prices_include_it(self):
        lines = rows.order_rows(made(customers=200), zone=DUBLIN, exponent=2, with_tax=False)
        assert {row.tax_cents for row in lines} == {None}


class TestSeasons:
    def test_black_friday_is_the_day_after_the_fourth_thursday(self):
        assert seasons.black_friday(2024) == date(2024, 11, 29)
        assert seasons.black_friday(2025) == date(2025, 11, 28)

    def test_working_day_moves_weekends(self):
        saturday = date(2025, 6, 28)
        assert seasons.working_day(saturday, UNTIL) == date(2025, 6, 30)
        assert seasons.working_day(saturday, date(2025, 6, 29)) == date(2025, 6, 27)

    def test_a_year_from_the_day_after(self):
        assert shop.opening(date(2025, 6, 30), 3) == date(2022, 7, 1)
        assert shop.opening(date(2024, 2, 29), 1) == date(2023, 3, 1)
