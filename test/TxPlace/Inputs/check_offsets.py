"""usage: check_offsets.py PLACED.csv CAPACITY: no two buffers that live at one time share a byte."""

import csv
import sys

with open(sys.argv[1], newline="", encoding="utf-8") as file:
    rows = [{key: int(value) for key, value in row.items() if key != "id"} for row in csv.DictReader(file)]
assert rows
for number, a in enumerate(rows):
    assert 0 <= a["offset"] <= int(sys.argv[2]) - a["size"], a
    for b in rows[:number]:
        apart_in_time = a["upper"] <= b["lower"] or b["upper"] <= a["lower"]
        apart_in_space = a["offset"] + a["size"] <= b["offset"] or b["offset"] + b["size"] <= a["offset"]
        assert apart_in_time or apart_in_space, (a, b)
