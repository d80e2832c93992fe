"""The band compares the silence with her own pace: slow but regular is not red."""

from dataclasses import replace

import numpy as np
import pytest

from analytics.clv import bands, mbgnbd, shop
from analytics.clv.params import MbgNbdParams
from tests.analytics import cdnow
from tests.analytics.histories import make_customer, of, score_one


def band_of(**facts):
    return score_one(cdnow.fitted(), **facts)["band"]


def test_slow_but_regular_buyer_is_low_although_her_risk_is_high():
    """Every 70 days for a year, the last time 50 days ago: probably nothing within 30 days, and that is normal."""
    terms = shop.Terms(churn_horizon_days=30)

    found = score_one(cdnow.fitted(), terms, order_days=6, first_age=400, last_age=50)

    assert found["usual_gap"] == 70
    assert found["churn_risk"] > 0.6
    assert found["band"] == bands.LOW


def test_regular_buyer_whose_silence_is_four_gaps_is_high():
    assert band_of(order_days=7, first_age=360, last_age=180) == bands.HIGH


def test_same_buyer_within_her_gap_is_low():
    assert band_of(order_days=7, first_age=210, last_age=30) == bands.LOW


def test_band_rises_as_the_silence_grows():
    silence = np.arange(0, 400, 5)
    past = of(*(make_customer(order_days=7, first_age=180 + days, last_age=days) for days in silence.tolist()))

    found = shop.score(cdnow.fitted(), past, shop.Terms()).band

    assert np.all(np.diff(found) >= 0)
    assert set(found.tolist()) == {bands.LOW, bands.MEDIUM, bands.HIGH}


def test_nobody_is_low_after_more_silence_than_a_fellow_of_the_same_pace_who_is_high():
    """For the same number of orders over the same days, the band depends on the silence alone."""
    silences = {bands.LOW: [], bands.HIGH: []}
    for silence in range(0, 300, 10):
        band = band_of(order_days=4, first_age=120 + silence, last_age=silence)
        silences.get(band, []).append(silence)

    assert max(silences[bands.LOW]) < min(silences[bands.HIGH])


def test_everybody_is_red_by_the_risk_alone_on_cdnow():
    risk = shop.score(cdnow.fitted(), cdnow.history(), shop.Terms()).churn_risk

    assert np.mean(risk > 0.6) == pytest.approx(0.91, abs=0.005)


def test_bands_separate_cdnow():
    found = shop.score(cdnow.fitted(), cdnow.history(), shop.Terms())
    shares = np.bincount(found.band, minlength=4) / found.band.size

    assert shares[bands.NONE] == 0
    assert np.all(shares[[bands.LOW, bands.MEDIUM, bands.HIGH]] > 0.05)


def test_bands_of_cdnow_are_ordered_in_what_happens_to_the_median_customer():
    found = shop.score(cdnow.fitted(), cdnow.history(), shop.Terms())

    alive = [np.median(found.p_alive[found.band == band]) for band in (bands.LOW, bands.MEDIUM, bands.HIGH)]

    assert alive == sorted(alive, reverse=True)


def test_silence_in_gaps_explains_the_band_on_cdnow():
    compared = shop.compare(cdnow.fitted(), cdnow.history(), shop.Terms())
    found = shop.score(cdnow.fitted(), cdnow.history(), shop.Terms())
    several = ~np.isnan(compared.usual_gap)

    gaps = [
        np.median(compared.gaps_of_silence[several & (found.band == band)])
        for band in (bands.LOW, bands.MEDIUM, bands.HIGH)
    ]

    assert gaps[0] < 1 < gaps[1] < gaps[2]


def test_comparison_says_usually_every_31_days_now_58():
    past = of(make_customer(order_days=5, first_age=182, last_age=58))

    compared = shop.compare(cdnow.fitted(), past, shop.Terms())

    assert compared.usual_gap[0] == 31
    assert compared.silence[0] == 58
    assert compared.gaps_of_silence[0] == pytest.approx(58 / 31)


def test_comparison_of_someone_who_bought_once_has_no_gap():
    past = of(make_customer(order_days=1, first_age=90, last_age=90, repeat_value=0.0))

    compared = shop.compare(cdnow.fitted(), past, shop.Terms())

    assert np.isnan(compared.usual_gap[0])
    assert np.isnan(compared.gaps_of_silence[0])
    assert 0 < compared.normal_risk[0] < 1


def test_normal_risk_is_the_silence_of_someone_certainly_there():
    params = cdnow.fitted().purchase
    past = of(make_customer(order_days=4, first_age=140, last_age=14))

    compared = shop.compare(cdnow.fitted(), past, shop.Terms())

    expected = ((params.alpha + 20) / (params.alpha + 20 + 90 / 7)) ** (params.r + 3)
    assert compared.normal_risk[0] == pytest.approx(expected, rel=1e-12)


def test_chance_left_is_p_alive_in_this_model():
    """P(order) = P(alive) · P(order | alive): the share that is left of the second is the first."""
    past = cdnow.history()
    x, t_x, T = past.order_days - 1, (past.first_age - past.last_age) / 7, past.first_age / 7

    compared = shop.compare(cdnow.fitted(), past, shop.Terms())

    alive = mbgnbd.p_alive(cdnow.fitted().purchase, x, t_x, T)
    assert np.max(np.abs(compared.chance_left - alive)) < 1e-12


def test_band_of_scores_is_the_band_of_the_comparison():
    compared = shop.compare(cdnow.fitted(), cdnow.history(), shop.Terms())
    found = shop.score(cdnow.fitted(), cdnow.history(), shop.Terms())

    assert np.array_equal(found.band, bands.band(compared.chance_left, compared.silence_chance))


@pytest.mark.parametrize(
    ("left", "silence", "expected"),
    [
        *((1.0, 1.0, 1), (0.6, 1.0, 1), (0.599, 1.0, 2), (0.3, 1.0, 2), (0.299, 1.0, 3), (0.0, 1.0, 3)),
        *((1.0, 0.05, 1), (1.0, 0.0499, 2), (1.0, 0.01, 2), (1.0, 0.0099, 3), (0.4, 0.0099, 3)),
        (float("nan"), float("nan"), 0),
    ],
)
def test_edges_of_the_bands(left, silence, expected):
    assert bands.band(np.array([left]), np.array([silence])).tolist() == [expected]


def test_a_silence_that_is_rare_for_her_pace_is_high_where_the_model_sees_nobody_leave():
    """A shop whose customers never left so far: a → 0, so that P(alive) is 1 whatever the silence."""
    loyal = replace(cdnow.fitted(), purchase=MbgNbdParams(r=0.8, alpha=10.0, a=1e-9, b=10.0))
    paces = {days: {"order_days": 13, "first_age": 240 + days, "last_age": days} for days in (10, 60, 120, 200)}

    found = {days: score_one(loyal, **pace) for days, pace in paces.items()}

    assert found[200]["p_alive"] == pytest.approx(1.0)
    assert [found[days]["band"] for days in paces] == [bands.LOW, bands.LOW, bands.MEDIUM, bands.HIGH]


def test_chance_left_stays_between_zero_and_one():
    left = bands.chance_left(np.array([1.0, 0.2, 1.0, 0.9999]), np.array([0.2, 0.2, 1.0, 1.0]))

    assert np.all((left >= 0) & (left <= 1))


def test_everybody_refunded_has_no_band():
    past = of(make_customer(order_days=0, first_age=0, last_age=0, value=0.0, repeat_value=0.0, margin=0.0))

    compared = shop.compare(cdnow.fitted(), past, shop.Terms())

    assert shop.score(cdnow.fitted(), past, shop.Terms()).band.tolist() == [bands.NONE]
    assert np.isnan(compared.chance_left[0])
    assert np.isnan(compared.silence[0])
