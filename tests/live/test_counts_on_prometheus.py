"""A real Prometheus counts the events of scraped processes exactly: births, restarts, absences, backlogs, slow and rare scrapes."""

from __future__ import annotations

import bisect
import time
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass

import pytest

from orders_obs.alerts import load
from tests.live.conftest import need
from tests.live.scraped import Prometheus, Seen, Server, Target, running_prometheus

CATALOGUE = """\
catalogue: 1
service: {service}
severities: {{critical: {{}}}}
environments: {{test: {{every: 1s, scrape: 1s}}}}
alerts:
  error_rate:
    signal: http_error_ratio
    minimum: 5 requests
    critical: {{above: 30%, over: 5s}}
  slow_requests:
    signal: http_latency
    minimum: 5 requests
    critical: {{slower_than: 1s, above: 50%, over: 5s}}
"""
OVER = 5
SERVICES = ("steady", "restarting", "leaving", "coming", "sluggish", "bad")
UNLISTED = "unlisted"
SERIES = {
    "all": ("job:http_error_ratio_all:count5s", ("good", "bad", "slow")),
    "bad": ("job:http_error_ratio_part:count5s", ("bad",)),
    "slow": ("job:http_latency_slower_1s:count5s", ("slow",)),
}


@dataclass(frozen=True, slots=True)
class Look:
    """One look of Prometheus: what it counted in the sample that ends there, and what is right by the log of events."""

    at: float
    counted: float
    right: int


@dataclass(frozen=True, slots=True)
class Run:
    """What happened, and what Prometheus says of it."""

    prometheus: Prometheus

    def of(self, service: str) -> list[Target]:
        return [target for target in self.prometheus.server.targets.values() if target.service == service]

    def looks(self, service: str, what: str) -> list[Look]:
        series, kinds = SERIES[what]
        scrapes = [(target, self._scrapes(target)) for target in self.of(service)]
        return [
            Look(at, value, sum(right(*each, at)[kind] for each in scrapes for kind in kinds))
            for at, value in self.prometheus.samples(f'{series}{{job="{service}"}}')
        ]

    def sums(self, service: str, what: str) -> list[float]:
        """What adjacent samples count together, for each look at which the first of them may end."""
        counted = [look.counted for look in self.looks(service, what)]
        return [sum(counted[first::OVER]) for first in range(OVER)]

    def _scrapes(self, target: Target) -> list[tuple[float, Seen]]:
        """Each scrape, with its time by Prometheus's clock."""
        stored = self.prometheus.samples(f'up{{job="{target.service}",instance="{target.name}"}}')
        assert 0 <= len(target.seen) - len(stored) <= 2, "the newest may still be under way"
        return [
            (at, seen if up == 1 else Seen(seen.process, None))
            for (at, up), seen in zip(stored, target.seen, strict=False)
        ]


def right(target: Target, scrapes: list[tuple[float, Seen]], at: float) -> Counter[str]:
    """The events of one target in the sample that ends at `at`, as far as scrapes know them."""
    known = [(moment, seen) for moment, seen in scrapes if seen.events is not None]

    def last(moment: float) -> Seen | None:
        """The last scrape that did not fail, if it is not too long ago."""
        index = bisect.bisect_right([time for time, _ in known], moment)
        return known[index - 1][1] if index and known[index - 1][0] > moment - OVER else None

    now, before = last(at), last(at - OVER)
    if now is None or now.events is None:
        return Counter()
    if before is not None and before.events is not None:
        return now.events - before.events if before.process == now.process else now.events
    # What a process did before its first scrape was never counted; where that is long, it is a backlog.
    return now.events if target.starts[now.process] > at - 2 * OVER else Counter()


def play(server: Server, prometheus: Prometheus) -> None:
    """Twenty seconds of traffic and what comes in between, by the clock of a target that is scraped each second."""
    steady = [
        server.add("steady", name, interval=seconds) for name, seconds in (("a", 1), ("b", 2), ("c", 5))
    ]
    restarting = [server.add("restarting", name) for name in ("at-once", "after-a-pause", "starting-slowly")]
    leaving = [server.add("leaving", name) for name in ("for-3s", "for-12s", "never")]
    coming = [server.add("coming", "always")]
    sluggish = [server.add("sluggish", "a", delay=0.8)]
    bad = server.add("bad", "a")
    unlisted = [server.add(UNLISTED, name) for name in ("for-2s", "never")]
    prometheus.tell()
    clock = steady[0]
    clock.await_scrape()
    for one in server.targets.values():
        one.restart()
    for second in range(20):
        for one in (*steady, *restarting, *leaving, *coming, *sluggish, *unlisted):
            one.add(good=1 + second % 4)
        bad.add(bad=9)
        match second:
            case 7:
                steady[1].add(bad=2)
                leaving[0].answers = leaving[1].answers = False
                unlisted[0].listed = False
                restarting[0].restart()
                # At once more than the process before had.
                restarting[0].add(good=90)
                old = server.add("coming", "old", starts=[time.time() - 3600])
                old.add(good=10_000, bad=50_000)
                young = server.add("coming", "young")
                young.add(good=20, bad=2)
                coming += [old, young]
                prometheus.tell()
            case 8:
                restarting[1].answers = restarting[2].answers = False
            case 9:
                restarting[2].restart()
                unlisted[0].listed = True
                prometheus.tell()
            case 10:
                leaving[0].answers = True
                restarting[1].restart()
                restarting[1].answers = True
                steady[0].add(bad=1)
                steady[2].add(slow=3)
            case 12:
                restarting[2].answers = True
                steady[0].add(slow=4)
            case 19:
                leaving[1].answers = True
            case _:
                pass
        clock.await_scrape()
    # Until the rarest scrape knows the last event, the sample with it has ended, and the looks, a second late, have seen that.
    for _ in range(2 * OVER + 3):
        clock.await_scrape()


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Run]:
    need("prometheus")
    folder = tmp_path_factory.mktemp("prometheus")
    catalogues = []
    for service in (*SERVICES, UNLISTED):
        path = folder / f"{service}.yaml"
        path.write_text(CATALOGUE.format(service=service))
        catalogues.append(load(path).resolve("test"))
    server = Server()
    try:
        # A look waits until the scrapes before it have arrived, those of the slowest as well.
        with running_prometheus(folder, server, catalogues, rule_query_offset="1s") as prometheus:
            play(server, prometheus)
            yield Run(prometheus)
    finally:
        server.close()


@pytest.mark.parametrize("service", SERVICES)
@pytest.mark.parametrize("what", SERIES)
def test_each_sample_holds_the_events_that_scrapes_know_of(run: Run, service: str, what: str) -> None:
    looks = run.looks(service, what)
    assert len(looks) > 25
    assert [look for look in looks if look.counted != look.right] == []


@pytest.mark.parametrize("service", ["steady", "sluggish", "bad"])
def test_over_adjacent_samples_each_event_is_counted_once_births_included(run: Run, service: str) -> None:
    for what, (_, kinds) in SERIES.items():
        events = sum(target.ever[kind] for target in run.of(service) for kind in kinds)
        assert run.sums(service, what) == [events] * OVER, what
    assert sum(sum(target.ever.values()) for target in run.of(service)) > 0


def test_over_adjacent_samples_a_restart_loses_no_event_after_it(run: Run) -> None:
    after = sum(sum(target.events.values()) for target in run.of("restarting"))
    ever = sum(sum(target.ever.values()) for target in run.of("restarting"))
    # Of the processes before: what they did in the sample in which they ended, at most four events a second of each, and before a scrape.
    lost = len(run.of("restarting")) * 4 * (OVER + 3)
    for counted in run.sums("restarting", "all"):
        assert max(after, ever - lost) <= counted <= ever


def test_a_target_that_was_away_for_less_than_a_sample_brings_what_it_did_meanwhile(run: Run) -> None:
    ever = sum(sum(target.ever.values()) for target in run.of(UNLISTED))
    assert run.sums(UNLISTED, "all") == [ever] * OVER


def test_a_target_that_was_away_for_longer_brings_no_backlog(run: Run) -> None:
    ever = sum(sum(target.ever.values()) for target in run.of("leaving"))
    whole = sum(sum(target.ever.values()) for target in run.of("leaving") if target.name != "for-12s")
    for counted in run.sums("leaving", "all"):
        assert whole < counted < ever


def test_a_new_target_brings_what_its_young_process_did_but_no_old_ones_backlog(run: Run) -> None:
    young = next(target for target in run.of("coming") if target.name == "young")
    assert run.sums("coming", "bad") == [young.ever["bad"]] * OVER
    assert max(look.counted for look in run.looks("coming", "all")) < 100


def test_a_service_that_does_badly_makes_no_other_ones_alert_fire(run: Run) -> None:
    every = run.prometheus.query(
        'count by (service, alertname) (count_over_time(ALERTS{alertstate="firing"}[5m]))'
    )
    found = {(one["metric"]["service"], one["metric"]["alertname"]) for one in every}
    assert found == {("bad", "error_rate")}
