#!/usr/bin/env python3
"""Predicted against measured time on this machine: how far `step_seconds` of a report is from `tx-run --bench`.

  predict_host.py [--bin build/bin] [--rounds 3] [--threads N] [--batch 4 --seq 64] [--launches] [--keep FILE.json]

Calibrates a device file on small models of other shapes than those that are predicted (`tx-run --bench --write-device`),
then compiles GPT-2 124M and a LLaMA of 153M parameters under five policies with it, and runs each. Calibration and runs
alternate in rounds, so that a machine that changes its speed changes both; medians of the rounds count. Prints both
times and the error of each, and exits with 1 if one is above 10 %. --launches shows by kind of launch where a step is
off.
"""

import argparse
import json
import os
import statistics
import subprocess
import sys
import tempfile

HERE = os.path.dirname(os.path.abspath(__file__))
MOST = 0.10

GPT = []
LLAMA = (
    "--group-query-attention --swiglu --normalization RMSNorm --position-embedding-type rope --disable-bias-linear "
    "--untie-embeddings-and-output-weights"
).split()


def model(family, layers, hidden, heads, more):
    sizes = ["--num-layers", layers, "--hidden-size", hidden, "--num-attention-heads", heads, "--vocab-size", 50257]
    return [*family, *map(str, sizes), "--max-position-embeddings", "1024", *more.split()]


PREDICTED = {
    "gpt2-124m": model(GPT, 12, 768, 12, ""),
    "llama-153m": model(LLAMA, 12, 768, 12, "--num-query-groups 4 --ffn-hidden-size 2048"),
}
# Other widths, two layers. Their batches are given as multiples of the tokens of a batch that is predicted.
CALIBRATION = {
    "gpt of 355M's width": (model(GPT, 2, 1024, 16, ""), 1),
    "gpt of 640": (model(GPT, 2, 640, 10, ""), 1),
    "gpt of 1024, half the batch": (model(GPT, 2, 1024, 16, ""), 0.5),
    "llama of 1024": (model(LLAMA, 2, 1024, 16, "--num-query-groups 4 --ffn-hidden-size 2816"), 1),
    "llama of 640": (model(LLAMA, 2, 640, 10, "--num-query-groups 5 --ffn-hidden-size 1792"), 1),
}
# Kernels that hold replays are measured too.
CALIBRATION_POLICIES = ["none", "mlp_act,layernorm", "full"]
POLICIES = {
    "none": [],
    "core_attn": "--recompute-granularity selective --recompute-modules core_attn".split(),
    "mlp_act,layernorm": "--recompute-granularity selective --recompute-modules mlp_act,layernorm".split(),
    "full": "--recompute-granularity full --recompute-method uniform --recompute-num-layers 1".split(),
    "block 6": "--recompute-granularity full --recompute-method block --recompute-num-layers 6".split(),
}


class Bench:
    def __init__(self, options, folder):
        self.options, self.folder = options, folder
        self.device = os.path.join(folder, "device.json")

    def path(self, name):
        return os.path.join(self.folder, name)

    def compile(self, flags, policy, batch, output, more=()):
        tool = os.path.join(self.options.bin, "tx-compile")
        sizes = ["--micro-batch-size", str(batch), "--seq-length", str(self.options.seq)]
        run = subprocess.run([tool, *flags, *sizes, *POLICIES[policy], "-o", output, *more], stderr=subprocess.PIPE)
        if run.returncode:
            sys.exit(run.stderr.decode())

    def run(self, artifact, more=()):
        """What --bench logs."""
        log = self.path("log.jsonl")
        tool = [os.path.join(self.options.bin, "tx-run"), artifact, "--bench", "--bench-iters", "5", "--log", log]
        if self.options.threads:
            tool += ["--threads", str(self.options.threads)]
        subprocess.run([*tool, *more], check=True, stdout=subprocess.DEVNULL)
        with open(log) as lines:
            return [json.loads(line) for line in lines if line.startswith("{")][-1]

    def compile_calibration(self):
        artifacts = []
        for name, (flags, share) in CALIBRATION.items():
            for policy in CALIBRATION_POLICIES:
                artifacts.append(self.path("calibration%d.txa" % len(artifacts)))
                self.compile(flags, policy, max(1, int(self.options.batch * share)), artifacts[-1])
        return artifacts

    def calibrate(self, artifacts, device):
        for artifact in artifacts:
            self.run(artifact, ["--write-device", device, "--merge-device"])


def merge(files, output):
    """The medians of several device files; the first one's rates."""
    devices = [json.load(open(file)) for file in files]
    for table in ["products", "kernels"]:
        times = {}
        for device in devices:
            for row in device["measured"][table]:
                key = tuple((name, row[name]) for name in row if name != "seconds")
                times.setdefault(key, []).append(row["seconds"])
        rows = [dict(key, seconds=statistics.median(seconds)) for key, seconds in times.items()]
        devices[0]["measured"][table] = rows
    with open(output, "w") as file:
        json.dump(devices[0], file, indent=1)


def show_launches(groups):
    for name, group in sorted(groups.items(), key=lambda each: -each[1]["ms"])[:12]:
        print("    %9.2f ms %5d x  %8.1f GFLOP/s  %s" % (group["ms"], group["launches"], group["gflops"], name))


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--bin", default=os.path.join(HERE, "../../build/bin"))
    for name, default in [("rounds", 3), ("threads", 0), ("batch", 4), ("seq", 64)]:
        parser.add_argument("--" + name, type=int, default=default)
    parser.add_argument("--launches", action="store_true")
    parser.add_argument("--keep", help="where to leave the calibrated device")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        bench = Bench(options, folder)
        calibration = bench.compile_calibration()
        artifacts = {}
        for name, flags in PREDICTED.items():
            for policy in POLICIES:
                artifacts[name, policy] = bench.path("predicted%d.txa" % len(artifacts))
                bench.compile(flags, policy, options.batch, artifacts[name, policy])
        measured, devices = {}, []
        for number in range(options.rounds):
            devices.append(bench.path("device%d.json" % number))
            bench.calibrate(calibration, devices[-1])
            for key, artifact in artifacts.items():
                log = bench.run(artifact)
                measured.setdefault(key, []).append(log["median_ms"])
                if options.launches and number == 0:
                    print(*key)
                    show_launches(log["launches"])
            print("round %d done" % (number + 1), file=sys.stderr)
        merge(devices, bench.device)
        print(json.load(open(bench.device))["measured"]["machine"])
        worst = 0
        for (name, policy), times in measured.items():
            report = bench.path("report.json")
            bench.compile(
                PREDICTED[name],
                policy,
                options.batch,
                bench.path("again.txa"),
                ["--device", bench.device, "--report", report],
            )
            plan = json.load(open(report))
            predicted, found = plan["step_seconds"] * 1e3, statistics.median(times)
            error = predicted / found - 1
            worst = max(worst, abs(error))
            print(
                "%-11s %-18s predicted %8.1f ms, measured %8.1f ms, error %+5.1f %%  (%d shapes measured, %d not)"
                % (name, policy, predicted, found, 100 * error, plan["products_measured"], plan["products_estimated"])
            )
        print("worst %.1f %%" % (100 * worst))
        if options.keep:
            os.replace(bench.device, options.keep)
        return worst > MOST


if __name__ == "__main__":
    sys.exit(main())
