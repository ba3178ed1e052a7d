#!/usr/bin/env python3
"""Compiles what the device suite runs and lays it into one folder, for a machine without LLVM.

  prepare.py --out FOLDER [--bin build/bin] [--arch sm_90[,sm_100]] [--only PART[,PART]] [--ptxas FILE|none]

Needs the compiler and ptxas, no GPU; with --ptxas none the driver there compiles the PTX. Then, on the machine with the GPU (Python 3, the CUDA
driver and its libraries; PyTorch for the peers): FOLDER/run.py
"""

import argparse
import json
import os
import shutil
import subprocess
import sys

import cases

HERE = os.path.dirname(os.path.abspath(__file__))
PARTS = ["compare", "nccl", "sanitize", "time"]


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--out", required=True)
    parser.add_argument("--bin", default=os.path.join(HERE, "../../../build/bin"))
    parser.add_argument("--arch", default="sm_90")
    parser.add_argument("--only", default=",".join(PARTS))
    parser.add_argument("--ptxas", help="tx-compile's")
    o = parser.parse_args()
    os.makedirs(o.out, exist_ok=True)
    steps = []

    def compile_step(part, name, flags, policy, target):
        file = f"{name}.{policy}.{target.split(':')[0]}.txa"
        print(f"{file} ...", flush=True)
        command = [os.path.join(o.bin, "tx-compile"), *cases.flags_for(flags, policy, target)]
        command += [f"--target={target}", "-o", os.path.join(o.out, file)]
        if o.ptxas and target != "host":
            command.append(f"--ptxas={o.ptxas}")
        done = subprocess.run(command, stderr=subprocess.PIPE, text=True)
        if done.returncode:
            sys.exit(f"{' '.join(command)}\n{done.stderr}")
        steps.append({"part": part, "case": name, "policy": policy, "target": target.split(":")[0], "file": file})

    device, parts = f"cuda:{o.arch}", o.only.split(",")
    if "compare" in parts:
        for name, (flags, _) in cases.COMPARED.items():
            compile_step("compare", name, flags, "none", "host")
            for policy in cases.POLICIES:
                compile_step("compare", name, flags, policy, device)
    if "nccl" in parts:
        compile_step("nccl", "one-rank", [os.path.join(HERE, "one-rank.mlir")], "none", device)
    if "sanitize" in parts:
        for name, flags in cases.SANITIZED.items():
            compile_step("sanitize", name, flags, "full", device)
    if "time" in parts:
        for name, flags in {**cases.TIMED, **cases.TIMED_BY_CUDNN, **cases.TIMED_WITH_GELU}.items():
            for policy in ("none", "act-norm", "full"):
                compile_step("time", name, flags, policy, device)
    with open(os.path.join(o.out, "steps.json"), "w") as file:
        json.dump(steps, file, indent=1)
    shutil.copy(os.path.join(o.bin, "tx-run"), o.out)
    for script in ("run.py", "cases.py", "torch_peer.py"):
        shutil.copy(os.path.join(HERE, script), o.out)
    print(f"{len(steps)} steps in {o.out}; on the device: {os.path.join(o.out, 'run.py')}")


if __name__ == "__main__":
    main()
