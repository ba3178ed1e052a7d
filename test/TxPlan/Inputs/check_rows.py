"""check_rows.py PLAN.json FLAGS...: what tx-plan prints holds together, and each row is what tx-compile reports.

FLAGS are those of the model, the device and the target.
"""

import json
import shlex
import subprocess
import sys
import tempfile

plan = json.load(open(sys.argv[1]))
rows = plan["rows"]
budget = plan["memory_bytes"] - sum(outside["bytes"] for outside in plan["outside"])
assert plan["budget_bytes"] == budget

for number, row in enumerate(rows, 1):
    assert row["row"] == number
    assert row["fits"] == (row["peak_bytes"] <= budget)
    assert row["headroom_bytes"] == budget - row["peak_bytes"]
    with tempfile.NamedTemporaryFile() as report:
        flags = [*sys.argv[2:], *shlex.split(row["flags"]), "--target", plan["target"], "--report", report.name]
        subprocess.run(["tx-compile", *flags], check=True, stderr=subprocess.DEVNULL)
        compiled = json.load(open(report.name))
    for field in ("peak_bytes", "persistent_bytes", "saved_activation_bytes", "recompute_flops"):
        assert row[field] == compiled[field], (row["policy"], field, row[field], compiled[field])
    for field in ("forward_seconds", "backward_seconds", "recompute_seconds", "optimizer_seconds"):
        assert abs(row[field] - compiled[field]) <= 1e-5 * compiled["step_seconds"], (row["policy"], field)

# Who dominates takes no more of either; nobody who is dominated is said not to be.
for row in rows:
    better = [
        other
        for other in rows
        if other["micro_batch_size"] == row["micro_batch_size"]
        and other["peak_bytes"] <= row["peak_bytes"]
        and other["step_seconds"] <= row["step_seconds"]
        and (other["peak_bytes"], other["step_seconds"]) != (row["peak_bytes"], row["step_seconds"])
    ]
    assert (row["dominated_by"] in [other["row"] for other in better]) if better else row["dominated_by"] is None, row
fitting = [row for row in rows if row["fits"]]
best = max(fitting, key=lambda row: row["tokens_per_second"]) if fitting else None
assert plan["best"] == (best and best["row"])
print(len(rows), "rows are what tx-compile reports;", len(fitting), "fit")
