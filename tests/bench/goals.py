"""What we build for, beside what was measured.

A goal is missed by what it says; that is no error of the run: figures of a
machine that does other work meanwhile say little (see foreign_cores).
"""

DIRECTIONS = ("xmpp_to_sip", "sip_to_xmpp")
MOST, LEAST = "<=", ">="


def rows(result):
    """(what, value, MOST or LEAST, goal, unit)"""
    for way in DIRECTIONS:
        one = result[way]
        both = one["edge_cpu_us"] + one["gateway_cpu_us"]
        yield (f"{way}: CPU of both per message", both, MOST, 40, "us")
        yield (f"{way}: CPU of the edge", one["edge_cpu_us"], MOST, 10, "us")
        yield (f"{way}: messages/s per gateway core",
               1e6 / one["gateway_cpu_us"], LEAST, 25_000, "/s")
        yield (f"{way}: p50 at 100/s", one["p50_ms_100"], MOST, 0.5, "ms")
    yield ("full handshakes per core", result["handshakes_per_s"], LEAST, 150,
           "/s")
    yield ("resumed handshakes per core", result["resumptions_per_s"], LEAST,
           8000, "/s")
    storm = result["storm"]
    yield (f"p99 while {storm['peers']} shake hands", storm["p99_ms"], MOST,
           50, "ms")
    yield ("memory per idle stream", result["idle_stream_bytes"] / 1024, MOST,
           64, "KiB")
    watches = result["watches"]
    for way in ("out", "in"):
        yield (f"memory per subscription, {way}",
               watches[f"{way}_bytes"] / 1024, MOST, 3, "KiB")
    for name in ("edge", "gateway"):
        yield (f"{name}: growth from half of the messages to all",
               result[f"{name}_rss_mb"] - result[f"{name}_rss_mb_half"], MOST,
               1, "MB")


def is_met(value, relation, goal):
    return value <= goal if relation == MOST else value >= goal


def verdict(value, relation, goal):
    if is_met(value, relation, goal):
        return "met"
    if relation == LEAST:
        return f"missed, {value / goal:.2f} of it"
    return f"missed, {value / goal:.1f} times it"


def print_goals(result):
    print(f"\n{'what we build for':46}{'here':>10}{'goal':>12}")
    for what, value, relation, goal, unit in rows(result):
        print(f"{what:46}{value:>10.4g}{relation:>4} {goal:>7} {unit:4}"
              f"{verdict(value, relation, goal)}")
