#!/usr/bin/env python3
"""Runs the steps that prepare.py compiled on this machine's GPU and says what is true.

  run.py [--parts compare,time,peers,graph,nccl,sanitize] [--seconds 540] [--out results]

  compare   loss and every gradient of two iterations against the host; no policy changes a bit
  time      ms, tokens/s, TFLOP/s, memory planned and taken, for each model and policy; GB/s of
            kernels. Products are tuned first, with policy none
  peers     PyTorch eager, compiled, and with CUDA graphs on the same models
  graph     the step as one CUDA graph against launches one by one, bit by bit
  nccl      collectives over one rank through NCCL, against copies, bit by bit
  sanitize  compute-sanitizer (memcheck, racecheck, initcheck) on small steps

One comparison is first, then times of two models beside PyTorch's, then the rest. results.json and
results.md are written after each run, which may fail, crash or hang: the others go on. Called again,
it goes on where it was; what had no result comes last. Exit status 1 when something failed or had no
result.
"""

import argparse
import collections
import json
import os
import signal
import sys
import time

import machine
import process
import report
import suite

HERE = os.path.dirname(os.path.abspath(__file__))
PARTS = ["compare", "time", "peers", "graph", "nccl", "sanitize"]
MOST_HANGS = 2  # of a part in one call, before its others wait for another


def attempt(job, limit):
    begin = time.monotonic()
    try:
        result = job.work(limit)
    except process.Missing as error:
        result = {"state": "missing", "note": str(error)}
    except process.Trouble as error:
        result = {"state": "trouble", "note": str(error), "hung": isinstance(error, process.TookTooLong)}
    except Exception as error:  # ours: the results so far are worth more than a traceback
        result = {"state": "trouble", "note": f"run.py: {error!r}"}
    return {**result, "seconds": round(time.monotonic() - begin, 1)}


def run_all(jobs, results, o, begin):
    hangs = collections.Counter()
    for at, job in enumerate(jobs):
        left = o.seconds - (time.monotonic() - begin)
        if left < min(20, o.limit or 20):
            results.left_out.update({j.name: "no time" for j in jobs[at:]})
            return
        if hangs[job.part] >= MOST_HANGS:
            results.left_out[job.name] = f"{MOST_HANGS} of {job.part} took too long"
            continue
        result = attempt(job, min(o.limit or job.limit, left - 2 if left > 10 else left))
        hangs[job.part] += result.pop("hung", False)
        results.set(job, result)
        results.write()
        row = result.get("row")
        figures = f"{row['ms']:.2f} ms, {row['model_tflops']:.1f} model TFLOP/s" if row else ""
        print(f"{result['state']:7} {job.name}  {figures}{result.get('note', '')}  [{result['seconds']} s]", flush=True)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--parts", default=",".join(PARTS))
    parser.add_argument("--seconds", type=float, default=540)
    parser.add_argument("--limit", type=float, help="seconds that one run may take; default: each has its own limit")
    parser.add_argument("--out", default=os.path.join(HERE, "results"))
    parser.add_argument("--python", default=sys.executable, help="the one that has PyTorch; default: this one")
    o = parser.parse_args()
    unknown = set(o.parts.split(",")) - set(PARTS)
    if unknown:
        parser.error(f"--parts: {', '.join(sorted(unknown))}; there are {', '.join(PARTS)}")
    begin = time.monotonic()
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    os.makedirs(o.out, exist_ok=True)
    o.out = os.path.abspath(o.out)
    with open(os.path.join(HERE, "steps.json")) as file:
        prepared = json.load(file)
    results = report.Results(o.out, {"date": time.strftime("%Y-%m-%d"), "Tx": prepared["tx"], **machine.description()})
    jobs = [
        job
        for job in suite.Suite(o.out, prepared, results, o.python).jobs()
        if job.part in o.parts.split(",") and not results.isDone(job.name)
    ]
    jobs.sort(key=lambda job: results.state(job.name) is not None)  # what was tried in vain comes last
    print(f"{results.data['about']['device']}: {len(jobs)} runs to do", flush=True)
    try:
        run_all(jobs, results, o, begin)
    finally:
        results.write()
        print(results.markdown())
    bad = [j for j in results.of("FAILED", "trouble").values() if j["state"] == "FAILED" or j["part"] != "peers"]
    sys.exit(1 if bad else 0)


if __name__ == "__main__":
    main()
