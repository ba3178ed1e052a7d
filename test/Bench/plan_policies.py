#!/usr/bin/env python3
"""What `auto` reaches at several budgets, beside policies by hand: a table in Markdown.

usage: plan_policies.py [--device NAME] [--bin FOLDER] [MODEL ...]

Budgets lie between the least that auto knows a plan for and the peak without recomputation. `best by hand` is the
quickest of all module lists, block N and uniform N whose own peak is within the same budget.
"""

import argparse
import itertools
import json
import re
import subprocess
import sys
import tempfile
import time

MODELS = ["gpt2-124m", "gpt2-1558m", "llama3-8b", "llama3-70b", "gpt3-175b", "llama3.1-405b"]
MODULES = ["core_attn", "mlp", "mlp_act", "layernorm"]


class Compiler:
    def __init__(self, model, device, folder, bin_folder):
        self.command = [f"{bin_folder}/tx-compile", model, "--bf16", "--device", device]
        self.report_file = f"{folder}/report.json"

    def run(self, flags):
        """(report, seconds), or (what is wrong, seconds)."""
        start = time.perf_counter()
        ran = subprocess.run([*self.command, *flags, "--report", self.report_file], capture_output=True, text=True)
        seconds = time.perf_counter() - start
        if ran.returncode:
            return ran.stderr, seconds
        with open(self.report_file) as file:
            return json.load(file), seconds

    def auto(self, budget):
        return self.run(["--recompute-granularity", "auto", "--memory-budget", str(budget)])


def list_hand_policies(layers):
    for count in range(1, len(MODULES) + 1):
        for modules in itertools.combinations(MODULES, count):
            yield ",".join(modules), ["--recompute-granularity", "selective", "--recompute-modules", ",".join(modules)]
    numbers = sorted({max(1, layers * eighth // 8) for eighth in range(1, 9)})
    for number in numbers:
        yield f"block {number}", ["--recompute-granularity", "full", "--recompute-method", "block",
                                  "--recompute-num-layers", str(number)]
    for number in (1, 2, 4):
        yield f"uniform {number}", ["--recompute-granularity", "full", "--recompute-method", "uniform",
                                    "--recompute-num-layers", str(number)]


def format_bytes(count):
    return f"{count / 2**30:.2f} GiB"


def rows_of(model, compiler):
    compiler.run([])  # the first run reads the program from disk
    none, without = compiler.run([])
    refusal, _ = compiler.auto(1)
    found = re.search(r"needs; (\d+) would do, and (\d+) needs no", str(refusal))
    if not found:
        sys.exit(f"{model}: {refusal}")
    least, full = map(int, found.groups())
    hand = []
    for name, flags in list_hand_policies(len(none["layers"])):
        report, _ = compiler.run(flags)
        if isinstance(report, dict):
            hand.append((report["step_seconds"], report["peak_bytes"], name))
    for percent in (0, 25, 50, 75):
        budget = least + (full - least) * percent // 100
        report, seconds = compiler.auto(budget)
        if not isinstance(report, dict):
            sys.exit(f"{model} at {percent} %: {report}")
        fitting = [(step, name) for step, peak, name in hand if peak <= budget]
        best = min(fitting) if fitting else None
        step = report["step_seconds"]
        share = f"{100 * (best[0] / step - 1):+.2f} %, `{best[1]}`" if best else "none fits"
        over = 100 * (step / none["step_seconds"] - 1)
        yield (f"| {model} | {percent} % | {format_bytes(budget)} | {step:.5g} | {over:.2f} % | "
               f"{report['lower_bound_seconds']:.5g} | {100 * report['optimality_gap']:.2f} % | "
               f"{max(0, seconds - without):.2f} s | {share} |")


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--device", default="h100")
    parser.add_argument("--bin", default="build/bin")
    parser.add_argument("models", nargs="*", default=MODELS)
    arguments = parser.parse_args()
    print("| model | budget | bytes | step, s | over none | bound, s | gap | search | best by hand |")
    print("|---|---|---|---|---|---|---|---|---|")
    with tempfile.TemporaryDirectory() as folder:
        for model in arguments.models:
            for row in rows_of(model, Compiler(model, arguments.device, folder, arguments.bin)):
                print(row, flush=True)


main()
