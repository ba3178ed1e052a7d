"""check_rows.py TRACE: events of a row do not overlap, and each launch lies in an iteration."""

import json
import sys

events = [event for event in json.load(open(sys.argv[1]))["traceEvents"] if event["ph"] == "X"]
rows = {}
for event in events:
    rows.setdefault(event["tid"], []).append((event["ts"], event["ts"] + event["dur"]))
for row in rows.values():
    row.sort()
    assert all(before[1] <= after[0] + 1e-3 for before, after in zip(row, row[1:])), row
assert all(any(b - 1e-3 <= begin and end <= e + 1e-3 for b, e in rows[5]) for begin, end in rows[1])
