"""The figures as tables."""

from goals import DIRECTIONS, print_goals
from scale import PEOPLE_RATE, RATES, WINDOW

SINGLE = (
    ("handshakes_per_s", "/s"), ("handshakes_per_s_seen", "/s"),
    ("resumptions_per_s", "/s"), ("resumptions_per_s_seen", "/s"),
    ("idle_streams", ""), ("idle_stream_bytes", "bytes"),
    ("idle_stream_bytes_in", "bytes"), ("idle_stream_bytes_out", "bytes"),
    ("idle_streams_cores", "cores"), ("messages", ""),
    *((f"{name}_rss_mb{moment}", "MB") for name in ("edge", "gateway")
      for moment in ("_before", "_half", "")),
)


def print_rows(title, columns, names, rows):
    """columns: (heading, key)"""
    print(f"\n{title:20}" + "".join(f"{head:>14}" for head, _ in columns))
    for name, row in zip(names, rows):
        print(f"{name:20}" + "".join(f"{row.get(key, '-'):>14}"
                                     for _, key in columns))


def print_pair(result):
    ways = [result[way] for way in DIRECTIONS]
    print_rows(f"{WINDOW} under way", [
        ("msgs/s", "msgs_per_s"), ("edge us", "edge_cpu_us"),
        ("gateway us", "gateway_cpu_us"), ("p50 ms", "p50_ms_full"),
        ("p99 ms", "p99_ms_full"), ("load us", "load_cpu_us"),
        ("other cores", "foreign_cores")], DIRECTIONS, ways)
    for rate in RATES:
        print_rows(f"{rate}/s", [
            ("p50 ms", f"p50_ms_{rate}"), ("p99 ms", f"p99_ms_{rate}"),
            ("200 p50 ms", f"answer_p50_ms_{rate}"),
            ("200 p99 ms", f"answer_p99_ms_{rate}"),
            ("edge us", f"edge_cpu_us_{rate}"),
            ("gateway us", f"gateway_cpu_us_{rate}")], DIRECTIONS, ways)


def print_servers(result):
    """One s2s hop of the edge beside one of each Prosody."""
    row = result["prosody"]
    print_rows("Prosody to Prosody", [
        ("msgs/s", "msgs_per_s"), ("sending us", "sending_cpu_us"),
        ("receiving us", "receiving_cpu_us"), ("p50 ms", "p50_ms_full"),
        ("p99 ms", "p99_ms_full"), ("load us", "load_cpu_us"),
        ("other cores", "foreign_cores")], [f"{WINDOW} under way"], [row])
    for rate in RATES:
        print_rows("", [
            ("p50 ms", f"p50_ms_{rate}"), ("p99 ms", f"p99_ms_{rate}"),
            ("sending us", f"sending_cpu_us_{rate}"),
            ("receiving us", f"receiving_cpu_us_{rate}")], [f"{rate}/s"],
            [row])
    received, sent = (result[way]["edge_cpu_us"] for way in DIRECTIONS)
    print(f"\nCPU per message: the edge receives at "
          f"{row['receiving_cpu_us'] / received:.1f} and sends at "
          f"{row['sending_cpu_us'] / sent:.1f} messages for one of Prosody")


def print_people(result):
    print_rows(f"two people, {PEOPLE_RATE}/s", [
        ("p50 ms", f"p50_ms_{PEOPLE_RATE}"),
        ("p99 ms", f"p99_ms_{PEOPLE_RATE}"),
        ("edge us", "edge_cpu_us"), ("gateway us", "gateway_cpu_us")],
        DIRECTIONS, [result["people"][way] for way in DIRECTIONS])


def print_storm(result):
    storm = result["storm"]
    print_rows(f"{storm['peers']} shake hands", [
        ("p50 ms", "p50_ms"), ("p99 ms", "p99_ms"),
        ("200 p50 ms", "answer_p50_ms"), ("200 p99 ms", "answer_p99_ms")],
        DIRECTIONS, [storm[way] for way in DIRECTIONS])
    print(f"{storm['handshakes']} handshakes in {storm['seconds']} s, "
          f"{storm['handshakes_failed']} failed, "
          f"{storm['foreign_cores']} other cores")


def print_watches(result):
    row = result["watches"]
    print_rows(f"{row['count']} each way", [
        ("made/s", "made_per_s"), ("bytes", "bytes"),
        ("told/s", "told_per_s"), ("gateway us", "gateway_cpu_us")],
        ("SIP sees XMPP", "XMPP sees SIP"),
        [{"made_per_s": row["in_per_s"], "bytes": row["in_bytes"],
          "told_per_s": row["change_per_s"],
          "gateway_cpu_us": row["change_gateway_cpu_us"]},
         {"made_per_s": row["out_per_s"], "bytes": row["out_bytes"],
          "told_per_s": row["notify_per_s"],
          "gateway_cpu_us": row["notify_gateway_cpu_us"]}])
    print(f"killed and started: all {2 * row['count']} told again after "
          f"{row['reconciled_s']} s (repair_rate "
          f"{row['reconciled_rate']}), gateway {row['rss_mb']} MB")


def print_result(result):
    print_pair(result)
    print_servers(result)
    print_people(result)
    print_storm(result)
    print_watches(result)
    print()
    for name, unit in SINGLE:
        print(f"{name:28}{result[name]:>12} {unit}")
    print()
    for name, value in result["cores_ns"].items():
        print(f"{name:28}{value:>12.0f} ns")
    print_goals(result)
