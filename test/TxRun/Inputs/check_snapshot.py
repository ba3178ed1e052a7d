"""check_snapshot.py SNAPSHOT MAP ENTRY: a snapshot of memory is whole, and the viewer's sums are the memory map's.

Prints the most that is live at once, and each stack.
"""

import pickle
import re
import sys

snapshot = pickle.load(open(sys.argv[1], "rb"))
memory_map = open(sys.argv[2]).read()
entry = sys.argv[3]

(segment,) = snapshot["segments"]
(trace,) = snapshot["device_traces"]
begin, end = segment["address"], segment["address"] + segment["total_size"]

# A viewer adds up sizes: blocks follow each other and fill the arena.
at = begin
for block in segment["blocks"]:
    assert block["address"] == at, block
    assert block["state"] in ("active_allocated", "inactive")
    at += block["size"]
assert at == end

assert trace[0]["action"] == "segment_alloc" and trace[0]["size"] == segment["total_size"]
live, most, time = {}, 0, 0
for event in trace[1:]:
    assert event["time_us"] >= time
    time = event["time_us"]
    where = event["addr"], event["size"]
    assert begin <= event["addr"] and event["addr"] + event["size"] <= end
    assert all(set(frame) == {"filename", "line", "name"} for frame in event["frames"]) and event["frames"]
    if event["action"] == "alloc":
        assert all(a + n <= where[0] or where[0] + where[1] <= a for a, n in live), event
        live[where] = event["frames"]
        most = max(most, sum(size for _, size in live))
    elif event["action"] == "free_completed":
        assert live.pop(where) is event["frames"], event
    else:
        assert event["action"] == "free_requested" and where in live, event
kept = {(b["address"], b["size"]) for b in segment["blocks"] if b["state"] == "active_allocated"}
assert kept == set(live), kept ^ set(live)
assert sum(size for _, size in kept) == segment["allocated_size"]
assert most <= segment["total_size"]

# All state is there, by name, and every launch that the map names as the writer of a value.
names = {frame["name"] for frames in live.values() for frame in frames if frame["filename"] == "state"}
state = set(re.findall(r"^ +persistent\+\S+ .* (\S+)$", memory_map, re.M))
assert names == state and names, names ^ state
of_entry = memory_map[memory_map.index(f"entry @{entry}:") :].split("\nentry @")[0]
writers = {int(first) for first in re.findall(r"  (\d+) to \d+ .* of ", of_entry)}
launches = {event["frames"][-4]["line"] for event in trace if len(event.get("frames", [])) >= 4}
assert launches and launches <= writers, launches - writers

print("most is live", most, "bytes")
for event in trace[1:]:
    if event["action"] == "alloc":
        print("; ".join(f"{f['filename']}:{f['line']}:{f['name']}" for f in event["frames"]))
