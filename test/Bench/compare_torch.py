#!/usr/bin/env python3
"""Tx against PyTorch on one machine: the same training step, in turns.

  compare_torch.py [--family gpt2|llama] [--dtype f32|bf16] [--bin build/bin] [--rounds 3]
                   [--layers 12 --hidden 768 --heads 12 --vocab 50257 --batch 4 --seq 64]
                   [--key-heads 4 --ffn 2048] [--attention unfused|flash]

Each round times ten steps of Tx, of PyTorch eager and of PyTorch compiled, so that a
machine that changes its speed changes all. Prints the CPU's features, the median
milliseconds of every round, and the ratio of Tx's best round to the peer's.
"""

import argparse
import json
import os
import subprocess
import sys
import tempfile

HERE = os.path.dirname(os.path.abspath(__file__))
FEATURES = ["avx2", "avx512f", "avx512_bf16", "avx512_vnni", "avx_vnni", "amx_bf16", "amx_tile"]


def last_json_line(text):
    return json.loads([line for line in text.splitlines() if line.startswith("{")][-1])


def describe_cpu():
    with open("/proc/cpuinfo") as lines:
        fields = dict(line.split(":", 1) for line in lines if ":" in line)
    fields = {name.strip(): value.strip() for name, value in fields.items()}
    features = fields.get("flags", "").split()
    found = [name for name in FEATURES if name in features]
    return "%s, %d CPUs, %s" % (fields.get("model name", "?"), len(os.sched_getaffinity(0)), " ".join(found))


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--bin", default=os.path.join(HERE, "../../build/bin"))
    parser.add_argument("--family", choices=["gpt2", "llama"], default="gpt2")
    parser.add_argument("--dtype", choices=["f32", "bf16"], default="f32")
    parser.add_argument("--attention", default="unfused")
    for name, default in [("rounds", 3), ("layers", 12), ("hidden", 768), ("heads", 12)]:
        parser.add_argument("--" + name, type=int, default=default)
    for name, default in [("vocab", 50257), ("batch", 4), ("seq", 64), ("key-heads", 4), ("ffn", 2048)]:
        parser.add_argument("--" + name, type=int, default=default)
    o = parser.parse_args()

    peer = [sys.executable, os.path.join(HERE, "torch_step.py"), "--family", o.family, "--dtype", o.dtype]
    for name in ["layers", "hidden", "heads", "vocab", "batch", "seq", "key_heads", "ffn"]:
        peer += ["--" + name.replace("_", "-"), str(getattr(o, name))]
    peers = {"eager": peer, "compiled": peer + ["--compile"]}
    times = {"tx": [], "eager": [], "compiled": []}
    print(describe_cpu())
    with tempfile.TemporaryDirectory() as folder:
        artifact, log = os.path.join(folder, "step.txa"), os.path.join(folder, "log.jsonl")
        flags = ["--num-layers", o.layers, "--hidden-size", o.hidden, "--num-attention-heads", o.heads]
        flags += ["--vocab-size", o.vocab, "--micro-batch-size", o.batch, "--seq-length", o.seq]
        flags += ["--max-position-embeddings", max(1024, o.seq), "--attention-dropout", 0]
        flags += ["--hidden-dropout", 0, "--attention-backend", o.attention, "-o", artifact]
        flags += ["--bf16" if o.dtype == "bf16" else "--fp32"]
        if o.family == "llama":
            flags += ["--group-query-attention", "--num-query-groups", o.key_heads, "--ffn-hidden-size", o.ffn]
            flags += ["--swiglu", "--normalization", "RMSNorm", "--position-embedding-type", "rope"]
            flags += ["--disable-bias-linear", "--untie-embeddings-and-output-weights"]
        subprocess.run([os.path.join(o.bin, "tx-compile"), *map(str, flags)], check=True)
        for i in range(o.rounds):
            bench = [os.path.join(o.bin, "tx-run"), artifact, "--bench", "--log", log]
            subprocess.run(bench, check=True, stdout=subprocess.DEVNULL)
            with open(log) as lines:
                times["tx"].append(last_json_line(lines.read())["median_ms"])
            for name, command in peers.items():
                done = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
                if done.returncode:
                    sys.exit("PyTorch %s failed:\n%s" % (name, done.stderr.decode()[-2000:]))
                times[name].append(last_json_line(done.stdout.decode())["median_ms"])
            found = tuple(times[name][-1] for name in ["tx", "eager", "compiled"])
            print("round %d: Tx %.1f ms, PyTorch eager %.1f ms, compiled %.1f ms" % ((i + 1,) + found), flush=True)
    best = {name: min(values) for name, values in times.items()}
    fastest = min(best["eager"], best["compiled"])
    found = (best["tx"], best["eager"], best["compiled"], best["tx"] / fastest)
    print("best: Tx %.1f ms, PyTorch eager %.1f ms, compiled %.1f ms; Tx takes %.3f of the peer's time" % found)


if __name__ == "__main__":
    main()
