"""Whether any launch runs beside a collective, as the command line says."""

import json
import sys

trace = json.load(open(sys.argv[1]))
rows = {}
for event in trace["traceEvents"]:
    if event["ph"] == "X":
        rows.setdefault(event["tid"], []).append((event["ts"], event["ts"] + event["dur"]))
names = {
    event["args"]["name"]: event["tid"]
    for event in trace["traceEvents"]
    if event["ph"] == "M" and event["name"] == "thread_name"
}
launches, collectives = rows[names["launches"]], rows[names["communication"]]
assert len(collectives) > 20, len(collectives)
beside = sum(begin < end_ and begin_ < end - 1e-3 for begin, end in collectives for begin_, end_ in launches)
assert (beside > 0) == (sys.argv[2:] == ["overlaps"]), beside
