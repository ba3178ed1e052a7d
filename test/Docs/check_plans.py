#!/usr/bin/env python3
"""Plans what the GPT-3 table of docs/Recompute.md shows, and compares its figures.

usage: check_plans.py Recompute.md     (tx-compile is found in PATH)

A row is `FLAGS`, saved gigabytes, and the share of FLOPs that are computed again.
"""

import json
import os
import re
import subprocess
import sys
import tempfile

rows = re.findall(r"^\| `(--[^`]*)` \| ([\d.]+) GB[^|]* \| ([\d.]+) % \|$", open(sys.argv[1]).read(), re.M)
faults = []
with tempfile.TemporaryDirectory() as folder:
    report = os.path.join(folder, "plan.json")
    for flags, saved, share in rows:
        subprocess.run(["tx-compile", "gpt3-175b", "--bf16", *flags.split(), "--report", report], check=True)
        plan = json.load(open(report))
        again = 100 * plan["recompute_flops"] / (plan["forward_flops"] + plan["backward_flops"])
        for shown, found in ((saved, plan["saved_activation_bytes"] / 1e9), (share, again)):
            digits = len(shown.partition(".")[2])
            if f"{found:.{digits}f}" != shown:
                faults.append(f"{flags}: shown {shown}, planned {found:.4f}")
if faults:
    sys.exit("\n".join(faults))
print(f"{len(rows)} plans as shown")
