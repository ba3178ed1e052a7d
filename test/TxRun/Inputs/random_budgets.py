#!/usr/bin/env python3
"""Trains random models under the plans that `auto` finds for random budgets: each has the bits of the step without
recomputation, and the arena that was planned.

usage: random_budgets.py FOLDER MODELS
"""

import json
import random
import re
import subprocess
import sys


def draw_model(pick):
    heads = pick.randint(1, 3)
    flags = {"--num-layers": pick.randint(1, 4), "--num-attention-heads": heads,
             "--hidden-size": heads * 2 * pick.randint(2, 16), "--ffn-hidden-size": pick.randint(3, 100),
             "--seq-length": pick.randint(2, 40), "--vocab-size": 256, "--micro-batch-size": pick.randint(1, 3),
             "--max-position-embeddings": 64}
    words = [str(word) for pair in flags.items() for word in pair]
    for choice in (["--bf16"], ["--hidden-dropout", "0.1"], ["--attention-dropout", "0.1"], ["--swiglu"],
                   ["--normalization", "RMSNorm"], ["--position-embedding-type", "rope"], ["--disable-bias-linear"],
                   ["--untie-embeddings-and-output-weights"], ["--attention-backend", "unfused"]):
        if pick.random() < 0.3:
            words += choice
    return words


def compile_auto(model, budget, folder):
    command = ["tx-compile", *model, "--recompute-granularity", "auto", "--memory-budget", str(budget), "-o",
               f"{folder}/auto.txa", "--verify-twin", f"{folder}/none.txa", "--report", f"{folder}/report.json"]
    return subprocess.run(command, capture_output=True, text=True)


def check(seed, folder):
    pick = random.Random(seed)
    model = draw_model(pick)
    refused = compile_auto(model, 1, folder)
    least, full = map(int, re.search(r"needs; (\d+) would do, and (\d+) needs no", refused.stderr).groups())
    for budget in (least, pick.randint(least, full)):
        where = f"seed {seed}, budget {budget}: {' '.join(model)}"
        compiled = compile_auto(model, budget, folder)
        assert compiled.returncode == 0, f"{where}: {compiled.stderr}"
        report = json.load(open(f"{folder}/report.json"))
        assert report["peak_bytes"] <= budget, f"{where}: peak {report['peak_bytes']}"
        ran = subprocess.run(["tx-run", f"{folder}/auto.txa", "--verify-recompute", f"{folder}/none.txa"],
                             capture_output=True, text=True)
        assert "same bits: 3 iterations" in ran.stdout, f"{where}: {ran.stdout}{ran.stderr}"
    return least < full


folder, models = sys.argv[1], int(sys.argv[2])
recomputed = sum(check(seed, folder) for seed in range(models))
print(f"{models} models, {recomputed} of which recomputation makes smaller: same bits, within the budget")
