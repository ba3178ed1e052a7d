#!/usr/bin/env python3
"""Tx against PyTorch on one machine: the same GPT-2 step, f32, in turns.

  compare_torch.py [--bin build/bin] [--rounds 3] [--layers 12 --hidden 768 --heads 12
                   --vocab 50257 --batch 4 --seq 64]

Each round times ten steps of each, so that a machine that changes its speed changes both.
Prints the median milliseconds of every round, and the ratio of the best ones.
"""

import argparse
import json
import os
import subprocess
import sys
import tempfile

HERE = os.path.dirname(os.path.abspath(__file__))


def last_json_line(text):
    return json.loads([line for line in text.splitlines() if line.startswith("{")][-1])


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--bin", default=os.path.join(HERE, "../../build/bin"))
    for name, default in [("rounds", 3), ("layers", 12), ("hidden", 768), ("heads", 12)]:
        parser.add_argument("--" + name, type=int, default=default)
    for name, default in [("vocab", 50257), ("batch", 4), ("seq", 64)]:
        parser.add_argument("--" + name, type=int, default=default)
    o = parser.parse_args()

    sizes = ["layers", "hidden", "heads", "vocab", "batch", "seq"]
    torch = [sys.executable, os.path.join(HERE, "torch_gpt2.py")]
    for name in sizes:
        torch += ["--" + name, str(getattr(o, name))]
    times = {"tx": [], "torch": []}
    with tempfile.TemporaryDirectory() as folder:
        artifact, log = os.path.join(folder, "step.txa"), os.path.join(folder, "log.jsonl")
        flags = ["--num-layers", o.layers, "--hidden-size", o.hidden, "--num-attention-heads", o.heads]
        flags += ["--vocab-size", o.vocab, "--micro-batch-size", o.batch, "--seq-length", o.seq]
        flags += ["--max-position-embeddings", max(1024, o.seq), "--attention-dropout", 0]
        flags += ["--hidden-dropout", 0, "--attention-backend", "unfused", "--fp32", "-o", artifact]
        subprocess.run([os.path.join(o.bin, "tx-compile"), *map(str, flags)], check=True)
        for i in range(o.rounds):
            subprocess.run(
                [os.path.join(o.bin, "tx-run"), artifact, "--bench", "--log", log],
                check=True,
                stdout=subprocess.DEVNULL,
            )
            with open(log) as lines:
                times["tx"].append(last_json_line(lines.read())["median_ms"])
            peer = subprocess.run(torch, check=True, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)
            times["torch"].append(last_json_line(peer.stdout.decode())["median_ms"])
            print("round %d: Tx %.1f ms, PyTorch %.1f ms" % (i + 1, times["tx"][-1], times["torch"][-1]))
    best = {name: min(values) for name, values in times.items()}
    print("best: Tx %.1f ms, PyTorch %.1f ms, ratio %.3f" % (best["tx"], best["torch"], best["tx"] / best["torch"]))


if __name__ == "__main__":
    main()
