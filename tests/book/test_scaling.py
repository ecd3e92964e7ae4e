"""What many machines buy: from a benchmark's record to times, and from these on paper."""

import heapq
import sys

import numpy as np
import pytest

from amplib.book import scaling
from amplib.book.scaling import Scaling, hours, most_useful


def record(rounds=200, points=4, noise=0.05, seed=3):
    """Of a machine whose times are known: 20 s a notebook, 5 s around it, 2 s in the queue.

    Noise is relative, from round to round.
    """
    rng = np.random.default_rng(seed)

    def sweep(seconds, cpu):
        notebooks = list(20 * (1 + noise * rng.standard_normal(points)))
        return {"wall": seconds * (1 + noise * rng.standard_normal()), "cpu": cpu,
                "notebooks": notebooks}  # fmt: skip

    return {
        "points": points,
        "rounds": [
            {
                "load": 1.0,
                "nothing": {"wall": 3.0, "cpu": 2.0},
                "one core": sweep(3 + 25 * points, 2 + 24 * points),
                "two cores": sweep((3 + 25 * points) / 1.6, 2 + 24 * points),
                "scheduler": sweep(3 + 27 * points, 2 + 0.5 * points),
            }
            for _ in range(rounds)
        ],
    }


def test_a_record_gives_back_the_times_it_was_made_with():
    """Each within four standard errors: a false alarm in 16,000, six times.  At 200 rounds the
    errors are 0.1 s and less, so that a second in the wrong place is ten of them."""
    found = Scaling.of(record())
    known = {
        "point": 25.0,
        "overhead": 5.0,
        "queueing": 2.0,
        "speed_up": 1.6,
    }
    for name, value in known.items():
        estimate = getattr(found, name)
        assert abs(estimate.value - value) < 4 * estimate.error, name
        assert estimate.error < 0.2
    assert found.processor.value == pytest.approx(24)
    assert found.submitting.value == pytest.approx(0.5)


def test_few_rounds_have_wide_intervals_and_one_has_none():
    """Student's t of two values reaches 12.7 standard errors."""
    point = Scaling.of(record(rounds=2)).point
    assert (point.high - point.value) / point.error == pytest.approx(12.706, rel=1e-3)
    with pytest.raises(ValueError, match="rounds = 1: an error needs at least 2"):
        Scaling.of(record(rounds=1))


def test_without_a_scheduler_nothing_is_said_of_it():
    content = record(rounds=2)
    for one in content["rounds"]:
        del one["scheduler"]
    found = Scaling.of(content)
    assert found.queueing is None
    assert found.submitting is None


def played(jobs, machines, each, serial, start):
    """The queue, job by job: each goes to the machine that is free first."""
    free, ends = machines * [start], []
    for job in range(jobs):
        begun = max(start + serial * (job + 1), heapq.heappop(free))
        heapq.heappush(free, begun + each)
        ends.append(begun + each)
    return max(ends)


@pytest.mark.parametrize("machines", [1, 7, 100, 199, 200, 334, 500, 999, 1000, 1500])
@pytest.mark.parametrize(("each", "serial"), [(100.0, 0.5), (42.2, 1.2), (600.0, 1.2)])
def test_on_paper_it_takes_what_the_queue_takes_that_is_played(machines, each, serial):
    time = 3600 * hours(1000, machines, each, serial, 10.0)
    assert time == pytest.approx(played(1000, machines, each, serial, 10.0))
    assert time >= 10 + 1000 * serial + each - 1e-6


@pytest.mark.parametrize(
    ("each", "serial", "most"), [(100.0, 0.5, 200), (5.0, 1.2, 5), (9e3, 1, 1000)]
)
def test_more_machines_than_are_useful_change_nothing(each, serial, most):
    assert most_useful(1000, each, serial) == most
    best = hours(1000, 100_000, each, serial, 0.0)
    assert hours(1000, most, each, serial, 0.0) == pytest.approx(best)
    assert hours(1000, most - 1, each, serial, 0.0) > best * (1 + 1e-6)


def test_a_round_with_other_work_on_the_second_core_is_told_by_the_processors_time():
    content = record(rounds=3, noise=0.0)
    content["rounds"][1]["two cores"] = {"wall": 200.0, "cpu": 98.0, "notebooks": [20.0] * 4}
    found = Scaling.of(content)
    assert found.disturbed.tolist() == [False, True, False]
    assert found.given(scaling.TWO)[1] == pytest.approx(0.245)
    assert found.speed_ups == pytest.approx([1.6, 103 / 200, 1.6])


def test_the_shipped_record_is_one():
    found, content = scaling.read()
    assert content["cores"] >= 2
    assert {"made", "device", "commit", "command"} <= set(content)
    assert all(len(r["one core"]["notebooks"]) == found.points for r in content["rounds"])
    assert 0.5 < found.speed_up.value < 3
    assert found.disturbed.tolist() == [True, True, False, False], "the page has a word for both"


def test_in_the_shipped_record_nothing_is_quickly_done():
    """A source that is edited meanwhile makes Snakemake run a point where there is nothing to do,
    so that handing out a job seems to take none of its time."""
    measured, _ = scaling.read()
    assert (measured.nothing[1] < 0.5 * measured.cpu[scaling.ONE] / measured.points).all()
    assert measured.submitting.low > 0


# ---- the command that measures ----


def test_a_command_that_fails_says_why_and_one_that_says_something_else_is_told_apart():
    import scaling as command

    with pytest.raises(RuntimeError, match="no such notebook"):
        command.timed([sys.executable, "-c", "raise SystemExit('no such notebook')"], {})
    with pytest.raises(command.SourcesChanged, match="1 of 1 steps"):
        command.timed([sys.executable, "-c", "print('1 of 1 steps')"], {}, says=command.DONE)
    assert command.timed([sys.executable, "-c", ""], {})["wall"] > 0


def test_rounds_that_are_left_out_come_to_an_end(monkeypatch):
    import scaling as command

    changed = command.SourcesChanged("nothing is left to do")

    def sweep(*what):
        if fails.pop(0):
            raise changed
        return {"wall": 1.0}, {"wall": 0.1}

    monkeypatch.setattr(command, "sweep", sweep)
    fails = [True, False, False]
    rounds, left_out = command.measured(2, 4, {"one core": (1, None)})
    assert (len(rounds), left_out) == (2, 1)
    fails = [True, False, True]
    with pytest.raises(command.SourcesChanged, match="left to do"):
        command.measured(2, 4, {"one core": (1, None)})
