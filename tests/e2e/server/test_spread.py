"""Workers listen with SO_REUSEPORT; the kernel spreads connections by a hash: as even as chance, and no more is promised."""
import collections, math
import pytest
from crowd import Crowd
from rig import Server, wait_for

CONNECTIONS = 1000
SIGMAS = 6  # chance goes farther than that twice in a thousand million runs


@pytest.mark.parametrize("workers", (2, 4))
def test_connections_are_spread_over_the_workers(workers):
    with Server("--workers", str(workers), "--ping-interval", "3600", feed="sim:?symbols=20&rate=100&seed=7") as s, \
            Crowd(s, CONNECTIONS, "/v1/ws", "hold") as crowd:
        assert crowd.ready == CONNECTIONS
        rows = wait_for(lambda: whole(s), 20, "not all connections are listed")
        count = collections.Counter(row["id"].split("-")[0] for row in rows)
        share = 1 / workers
        bound = SIGMAS * math.sqrt(CONNECTIONS * share * (1 - share))  # of a binomial distribution
        print(f"{workers} workers: {dict(count)}, {bound:.0f} off an even share are allowed")
        assert len(count) == workers
        assert all(abs(n - CONNECTIONS * share) <= bound for n in count.values()), count


def whole(s):
    """The subscribers' rows, or None while some are still to come."""
    found = s.connections("?sort=id&top=4096")
    rows = [row for row in found["connections"] if row["state"] == "open"] if found else []
    return rows if len(rows) == CONNECTIONS else None
