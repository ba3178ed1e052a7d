#!/usr/bin/env python3
"""Trains a page's model with each of OpenBLAS's kernels that this CPU can run, and compares what is printed.

usage: compare_kernels.py STEP --data FILE     (tx-run is found in PATH)

The flags are those of README's first training run, for fewer iterations. A kernel has its own order of sums; what the
page prints must not show it. So the page's figures hold on a CPU that none of us has.
"""

import argparse
import os
import re
import subprocess
import sys

sys.dont_write_bytecode = True
from figures import LEARNT, TOLERANCE  # noqa: E402

# Names of OPENBLAS_CORETYPE, and the flags in /proc/cpuinfo that each needs.
AVX2 = {"avx2", "fma"}
AVX512 = AVX2 | {"avx512f", "avx512bw", "avx512cd", "avx512dq", "avx512vl"}
KERNELS = {
    "Nehalem": {"sse4_2"},
    "Haswell": AVX2,
    "Zen": AVX2,
    "SkylakeX": AVX512,
    "Cooperlake": AVX512 | {"avx512_bf16"},
}


def learnt_with(kernel, arguments):
    command = [
        "tx-run",
        arguments.step,
        "--data-path",
        arguments.data,
        "--train-iters",
        "40",
        "--lr",
        "1e-3",
        "--lr-warmup-iters",
        "20",
        "--log-interval",
        "10",
    ]
    done = subprocess.run(
        command,
        env={**os.environ, "OPENBLAS_CORETYPE": kernel},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    if done.returncode or f" {kernel}\n" not in done.stdout:
        sys.exit(f"{kernel}: exit status {done.returncode}, or not with this kernel:\n{done.stdout}")
    return [float(figure) for figure in LEARNT.findall(re.sub(" +", " ", done.stdout))]


parser = argparse.ArgumentParser()
parser.add_argument("step")
parser.add_argument("--data", required=True)
arguments = parser.parse_args()
[flags] = [line for line in open("/proc/cpuinfo") if line.startswith("flags")][:1]
learnt = {kernel: learnt_with(kernel, arguments) for kernel, needs in KERNELS.items() if needs <= set(flags.split())}
first = next(iter(learnt.values()))
spread = max(
    abs(figure - other) / other for figures in learnt.values() for figure, other in zip(figures, first, strict=True)
)
print(f"{len(first)} figures with {', '.join(learnt)}: at most {spread:.1e} apart")
if len(first) != 8 or spread > TOLERANCE:
    sys.exit(f"what pages print may be {TOLERANCE} off")
