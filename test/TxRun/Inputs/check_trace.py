"""Events that do not overlap within a row, with phases and layers."""

import json
import sys

trace = json.load(open(sys.argv[1]))
events = [event for event in trace["traceEvents"] if event["ph"] == "X"]
rows = {}
for event in events:
    rows.setdefault(event["tid"], []).append(event)
for row in rows.values():
    row.sort(key=lambda event: event["ts"])
    for before, after in zip(row, row[1:]):
        assert before["ts"] + before["dur"] <= after["ts"] + 1e-3, (before, after)
launches = rows[1]
assert {event["cat"] for event in launches} == {"forward", "backward", "optimizer"}
assert {event["args"].get("layer") for event in launches} == {None, 0, 1}
assert all(event["args"]["bytes"] > 0 for event in launches)
gemms = [event for event in launches if event["args"]["kind"] == "gemm"]
assert any("mlp.fc1" in event["name"] for event in gemms), gemms[0]
assert all(event["args"]["flops"] > 0 for event in gemms)
assert [event["name"] for event in rows[3]] == ["step"], rows[3]
assert any(event["name"] == "backward layer 1" for event in rows[2]), rows[2]
# The launch's number in the artifact's table, from the entry's first on.
numbers = sorted(event["args"]["launch"] for event in events if event["tid"] in (1, 4))
assert numbers == list(range(numbers[0], numbers[0] + len(numbers))), numbers
