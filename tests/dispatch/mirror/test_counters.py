from datetime import timedelta

from dispatch.mirror.counters import LAG_SECONDS, Counters


def test_a_lag_falls_into_the_first_bucket_that_holds_it():
    counters = Counters()

    for seconds in (0.05, 0.1, 0.2, 45, 5000):
        counters.copied(timedelta(seconds=seconds))

    by_bound = dict(zip([*LAG_SECONDS, "more"], counters.lag, strict=True))
    assert {bound: count for bound, count in by_bound.items() if count} == {0.1: 2, 0.25: 1, 60: 1, "more": 1}
    assert (counters.uploads, round(counters.lag_sum, 2)) == (5, 5045.35)


def test_a_clock_that_is_ahead_makes_no_negative_time():
    counters = Counters()

    counters.copied(timedelta(seconds=-120))

    assert (counters.lag[0], counters.lag_sum) == (1, 0.0)


def test_counters_are_plain_json():
    assert Counters().as_dict() == {"uploads": 0, "conflicts": 0, "errors": 0, "lag": [0] * 13, "lag_sum": 0.0}
