"""How long and how much: BENCH_SECONDS=10 is the whole, less is a look."""

import os

SECONDS = float(os.environ.get("BENCH_SECONDS", "10"))
PART = min(1.0, SECONDS / 10)

RATES = (100, 1000)
# messages under way in all; enough to saturate both daemons on two cores
WINDOW = int(os.environ.get("BENCH_WINDOW", "256"))
WARM_SECONDS = 1.5 * PART
DRAIN_SECONDS = 30
# behind the measurements, until so many went through in all
MESSAGES = int(1_000_000 * PART)

# inbound ones leave a quarter of the edge's limit to outbound ones; it is
# raised, since the generator has streams of its own
STREAMS_MAX = 1400
IDLE_IN = int(800 * PART)
IDLE_OUT = int(200 * PART)
IDLE_OUT_AT_ONCE = 16
HANDSHAKES_AT_ONCE = 4
STORM_PEERS = int(300 * PART)
STORM_RATE = 100
PEOPLE_MESSAGES = int(500 * PART)
PEOPLE_RATE = 200
# subscriptions of each direction
WATCHES = int(100_000 * PART)
