#!/usr/bin/env python3
"""Compiles what the device suite runs and lays it into one folder, for a machine without LLVM.

  prepare.py --out FOLDER [--bin build/bin] [--arch sm_90[,sm_100]] [--only PART[,PART]] [--ptxas FILE|none]

Needs the compiler and ptxas, no GPU; with --ptxas none the driver there compiles the PTX. Runs what is compared
on this host and keeps its gradients, so that the other machine's CPU and libraries do not matter. A step that
does not compile is listed, and the others go on; exit status 1 then. Called again, it adds to the folder.
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
SCRIPTS = ["run.py", "suite.py", "process.py", "tensors.py", "machine.py", "report.py", "cases.py", "torch_peer.py"]


def output_of(command):
    """What it prints, or None and the end of what it complains of."""
    try:
        done = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, errors="replace")
    except OSError as error:
        return None, str(error)
    return (
        (done.stdout, "")
        if done.returncode == 0
        else (None, f"exit status {done.returncode}: {done.stdout[-1000:].strip()}")
    )


class Folder:
    def __init__(self, options):
        self.options, self.troubles = options, {}
        self.list = os.path.join(options.out, "steps.json")
        self.steps, self.references = {}, {}
        if os.path.exists(self.list):
            with open(self.list) as file:
                there = json.load(file)
            self.steps = {step["file"]: step for step in there["steps"]}
            self.references = there["references"]

    def path(self, name):
        return os.path.join(self.options.out, name)

    def compile(self, part, case, flags, policy, target):
        file = f"{case}.{policy}.{target.split(':')[0]}.txa"
        print(f"{file} ...", flush=True)
        command = [os.path.join(self.options.bin, "tx-compile"), *map(str, flags), *cases.POLICIES[policy]]
        command += [f"--target={target}", "-o", self.path(file)]
        if self.options.ptxas and target != "host":
            command.append(f"--ptxas={self.options.ptxas}")
        text, trouble = output_of(command)
        self.steps.pop(file, None)
        if text is None:
            self.troubles[file] = f"{' '.join(command)}: {trouble}"
        elif target != "host":
            self.steps[file] = {"part": part, "case": case, "policy": policy, "file": file}
        return text is not None and file

    def refer(self, case, flags):
        """The host's loss and gradients."""
        file = self.compile("compare", case, flags, "none", "host")
        if not file:
            return
        log, gradients = self.path(f"{case}.jsonl"), f"{case}.host.safetensors"
        command = [
            os.path.join(self.options.bin, "tx-run"),
            self.path(file),
            *cases.TRAIN,
            "--data-path",
            self.path("text.txt"),
        ]
        text, trouble = output_of([*command, "--log", log, "--dump-gradients", self.path(gradients)])
        if text is None:
            self.troubles[file] = trouble
            return
        with open(log) as lines:
            loss = [event["loss"] for event in map(json.loads, lines) if event.get("event") == "step"][-1]
        self.references[case] = {"loss": loss, "gradients": gradients}
        os.remove(log)
        os.remove(self.path(file))

    def write(self):
        commit, _ = output_of(["git", "-C", HERE, "describe", "--always", "--dirty", "--abbrev=12"])
        with open(self.list, "w") as file:
            json.dump(
                {
                    "tx": (commit or "unknown").strip(),
                    "steps": list(self.steps.values()),
                    "references": self.references,
                },
                file,
                indent=1,
            )


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--out", required=True)
    parser.add_argument("--bin", default=os.path.join(HERE, "../../../build/bin"))
    parser.add_argument("--arch", default="sm_90")
    parser.add_argument("--only", default=",".join(PARTS))
    parser.add_argument("--ptxas", help="tx-compile's")
    o = parser.parse_args()
    parts = o.only.split(",")
    if set(parts) - set(PARTS):
        parser.error(f"--only: {', '.join(sorted(set(parts) - set(PARTS)))}; there are {', '.join(PARTS)}")
    os.makedirs(o.out, exist_ok=True)
    device, folder = f"cuda:{o.arch}", Folder(o)
    with open(folder.path("text.txt"), "w") as file:
        file.write(cases.TEXT)
    if "compare" in parts:
        for case, (flags, _) in cases.COMPARED.items():
            folder.refer(case, flags)
            for policy in cases.POLICIES:
                folder.compile("compare", case, flags, policy, device)
            folder.write()
    if "nccl" in parts:
        folder.compile("nccl", "one-rank", [os.path.join(HERE, "one-rank.mlir")], "none", device)
    if "sanitize" in parts:
        for case, flags in cases.SANITIZED.items():
            folder.compile("sanitize", case, flags, "full", device)
    if "time" in parts:
        for case, flags in cases.ALL_TIMED.items():
            for policy in ("none", "act-norm", "full"):
                folder.compile("time", case, flags, policy, device)
    folder.write()
    shutil.copy(os.path.join(o.bin, "tx-run"), o.out)
    for script in SCRIPTS:
        shutil.copy(os.path.join(HERE, script), o.out)
    for file, trouble in folder.troubles.items():
        print(f"FAILED {file}: {trouble}")
    print(
        f"{len(folder.steps)} steps in {o.out}, {len(folder.troubles)} failed; on the device: {os.path.join(o.out, 'run.py')}"
    )
    sys.exit(1 if folder.troubles else 0)


if __name__ == "__main__":
    main()
