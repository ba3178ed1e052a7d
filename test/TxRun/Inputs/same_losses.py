"""same_losses.py N LOG...: whether all logs have the same N losses, to the last digit."""

import json
import sys


def losses_of(path):
    events = [json.loads(line) for line in open(path)]
    return [event["loss"] for event in events if event["event"] == "step"]


count, first, *others = sys.argv[1:]
wanted = losses_of(first)
if len(wanted) != int(count):
    sys.exit(f"{first} has {len(wanted)} losses, not {count}")
for other in others:
    if losses_of(other) != wanted:
        sys.exit(f"{first} has {wanted}, {other} {losses_of(other)}")
