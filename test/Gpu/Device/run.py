#!/usr/bin/env python3
"""Runs the steps that prepare.py compiled on this machine's GPU and says what is true.

  run.py [--parts compare,graph,nccl,sanitize,time,peers] [--seconds 540] [--out results]

  compare   loss and every gradient of two iterations against the host; no policy changes a bit
  graph     the step as one CUDA graph against launches one by one, bit by bit
  nccl      collectives over one rank through NCCL, against copies, bit by bit
  sanitize  compute-sanitizer (memcheck, racecheck, initcheck) on small steps
  time      ms, tokens/s, TFLOP/s, memory planned and taken, for each model and policy; GB/s of
            kernels. Products are tuned first, with policy none
  peers     PyTorch eager and torch.compile on the same models

Writes results.json and results.md, after every part, so that what was measured is kept when
time runs out. Exit status 1 when a check failed. Parts that do not fit into --seconds are
reported as left out: run them by another call.
"""

import argparse
import json
import os
import struct
import subprocess
import sys
import time

import cases

HERE = os.path.dirname(os.path.abspath(__file__))
PARTS = ["compare", "graph", "nccl", "sanitize", "time", "peers"]
START = time.monotonic()


def tx_run(file, *flags, limit=300, prefix=()):
    command = [*prefix, os.path.join(HERE, "tx-run"), os.path.join(HERE, file), *map(str, flags)]
    done = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, timeout=limit)
    return done.returncode, done.stdout


def read_safetensors(path):
    """name: (dtype, bytes)"""
    data = open(path, "rb").read()
    (size,) = struct.unpack_from("<Q", data)
    header = json.loads(data[8 : 8 + size])
    header.pop("__metadata__", None)
    at = 8 + size
    return {n: (t["dtype"], data[at + t["data_offsets"][0] : at + t["data_offsets"][1]]) for n, t in header.items()}


def floats(tensor):
    dtype, data = tensor
    if dtype == "BF16":
        data = b"".join(b"\0\0" + data[i : i + 2] for i in range(0, len(data), 2))
    return struct.unpack(f"<{len(data) // 4}f", data)


def relative_error(a, b):
    difference = sum((x - y) ** 2 for x, y in zip(a, b)) ** 0.5
    return difference / (sum(y * y for y in b) ** 0.5 + 1e-30)


def last_line(path, **wanted):
    lines = [json.loads(line) for line in open(path)]
    return [line for line in lines if all(line.get(k) == v for k, v in wanted.items())][-1]


class Suite:
    def __init__(self, options, steps):
        self.options, self.steps = options, steps
        self.results = {"device": device(), "date": time.strftime("%Y-%m-%d"), "checks": [], "times": [], "left_out": []}

    def left(self):
        return self.options.seconds - (time.monotonic() - START)

    def check(self, name, good, note=""):
        self.results["checks"].append({"name": name, "good": bool(good), "note": note})
        print(f"{'ok  ' if good else 'FAIL'} {name}  {note}", flush=True)

    def of(self, part, **wanted):
        return [s for s in self.steps if s["part"] == part and all(s[k] == v for k, v in wanted.items())]

    def steps_with_time(self, part, steps):
        """Those for which there is time; the others are listed."""
        for step in steps:
            if self.left() < 20:
                self.results["left_out"].append(f"{part}: {step['file']}")
            else:
                yield step

    def train(self, step, *flags):
        """(loss of the last iteration, gradients) of two iterations, or the error's text."""
        files = [os.path.join(self.options.out, f"{step['file']}.{end}") for end in ("jsonl", "safetensors")]
        for file in files:
            if os.path.exists(file):
                os.remove(file)
        flags = ["--train-iters", 2, "--lr", 1e-3, "--data-path", self.options.data, "--data-format", "text", *flags]
        flags += ["--log", files[0], "--dump-gradients", files[1]]
        code, text = tx_run(step["file"], *flags)
        if code:
            return None, text.strip().splitlines()[-1] if text.strip() else f"exit status {code}"
        return last_line(files[0])["loss"], read_safetensors(files[1])

    def compare(self):
        for case, (_, tolerance) in cases.COMPARED.items():
            host = [self.train(s) for s in self.of("compare", case=case, target="host")]
            none = None
            for step in self.steps_with_time("compare", self.of("compare", case=case, target="cuda")):
                loss, gradients = self.train(step)
                name = f"{case} {step['policy']}"
                if loss is None:
                    self.check(f"{name} runs", False, gradients)
                    continue
                if none is None:
                    none = (loss, gradients)
                    self.against_host(name, tolerance, none, host)
                else:
                    self.check(f"{name} has the bits of none", (loss, gradients) == none)

    def against_host(self, name, tolerance, device_result, host):
        if not host or host[0][0] is None:
            return self.check(f"{name}: the host's step runs", False, str(host))
        (loss, gradients), (host_loss, host_gradients) = device_result, host[0]
        self.check(f"{name} loss", abs(loss - host_loss) <= tolerance * abs(host_loss), f"{loss:.6f}, host {host_loss:.6f}")
        errors = {n: relative_error(floats(gradients[n]), floats(t)) for n, t in host_gradients.items()}
        # The keys' bias has no gradient but noise.
        errors = {n: e for n, e in errors.items() if not n.endswith("c_attn.bias")}
        worst = max(errors, key=errors.get)
        self.check(f"{name} gradients", errors[worst] <= tolerance, f"worst {errors[worst]:.2e} of the norm, {worst}")

    def graph(self):
        steps = [s for s in self.of("compare", target="cuda") if s["policy"] in ("none", "full")]
        for step in self.steps_with_time("graph", steps):
            self.check(f"{step['case']} {step['policy']}: graph = no graph", self.train(step) == self.train(step, "--no-cuda-graph"))

    def nccl(self):
        for step in self.steps_with_time("nccl", self.of("nccl")):
            results = []
            for alone, flags in (("0", []), ("1", []), ("1", ["--no-cuda-graph"])):
                path = os.path.join(self.options.out, "sum.npy")
                flags = ["--function", "sum", "--input", "arg0=1.5", "--input", "arg1=0.25", "--output", f"result0={path}", *flags]
                code, text = tx_run(step["file"], *flags, prefix=["env", f"TXRT_NCCL_ALONE={alone}"])
                results.append(text.strip()[-200:] if code else open(path, "rb").read())
            good = isinstance(results[0], bytes) and all(r == results[0] for r in results)
            self.check("NCCL over one rank = copies", good, next((r for r in results if isinstance(r, str)), ""))

    def sanitize(self):
        for tool in ("memcheck", "racecheck", "initcheck"):
            for step in self.steps_with_time("sanitize", self.of("sanitize")):
                prefix = ["compute-sanitizer", "--tool", tool, "--error-exitcode", "99"]
                flags = ["--train-iters", 1, "--data-path", self.options.data, "--data-format", "text", "--no-cuda-graph"]
                try:
                    code, text = tx_run(step["file"], *flags, prefix=prefix, limit=max(20, self.left()))
                except FileNotFoundError:
                    self.results["left_out"].append("sanitize: there is no compute-sanitizer")
                    return
                except subprocess.TimeoutExpired:
                    self.results["left_out"].append(f"sanitize: {tool} {step['file']} took too long")
                    continue
                note = "" if code == 0 else next((l for l in text.splitlines() if "=====" in l and "Invalid" in l or "hazard" in l), text[-200:])
                self.check(f"{tool} {step['case']}", code == 0, note)

    def time(self):
        tuned = os.path.join(self.options.out, "tuning.json")
        log = os.path.join(self.options.out, "bench.jsonl")
        for step in self.steps_with_time("time", self.of("time")):
            flags = ["--bench", "--bench-iters", 20, "--bench-warmup", 5, "--log", log, "--tuning-cache", tuned]
            code, text = tx_run(step["file"], *flags, *([] if step["policy"] != "none" else ["--tune"]))
            with open(os.path.join(self.options.out, step["file"] + ".txt"), "w") as file:
                file.write(text)
            if code:
                self.check(f"{step['file']} runs", False, text.strip().splitlines()[-1] if text.strip() else str(code))
                continue
            bench = last_line(log, event="bench")
            self.results["times"].append({**bench, "who": "Tx", "case": step["case"], "policy": step["policy"]})
            self.check(f"{step['file']}: planned = allocated", bench["peak_bytes"] == bench["allocated_bytes"],
                       f"{bench['median_ms']:.2f} ms, {bench['tokens_per_second']:.0f} tokens/s")

    def peers(self):
        for case in cases.TIMED:
            for mode in ("eager", "compile"):
                if self.left() < 60:
                    self.results["left_out"].append(f"peers: {case} {mode}")
                    continue
                command = [sys.executable, os.path.join(HERE, "torch_peer.py"), case, "--mode", mode]
                done = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, timeout=300)
                lines = [l for l in done.stdout.splitlines() if l.startswith("{")]
                if done.returncode or not lines:
                    self.results["left_out"].append(f"peers: {case} {mode}: {done.stdout.strip()[-200:]}")
                    continue
                self.results["times"].append({"who": f"PyTorch {mode}", "case": case, "policy": "none", **json.loads(lines[-1])})

    def write(self):
        with open(os.path.join(self.options.out, "results.json"), "w") as file:
            json.dump(self.results, file, indent=1)
        lines = [f"{self.results['date']}, {self.results['device']}", ""]
        lines += ["| model | who | policy | ms | against none | tokens/s | TFLOP/s | peak GiB |", "|---|---|---|---|---|---|---|---|"]
        none = {(t["who"], t["case"]): t["median_ms"] for t in self.results["times"] if t["policy"] == "none"}
        for t in self.results["times"]:
            ratio = t["median_ms"] / none.get((t["who"], t["case"]), float("nan")) - 1
            lines.append(f"| {t['case']} | {t['who']} | {t['policy']} | {t['median_ms']:.2f} | {ratio:+.1%} | "
                         f"{t['tokens_per_second']:.0f} | {t.get('gflops', 0) / 1e3:.0f} | {t['peak_bytes'] / 2**30:.2f} |")
        lines += ["", "Launches that take most, clocked one by one:", ""]
        lines += ["| model | policy | launches | ms | share | TFLOP/s | GB/s |", "|---|---|---|---|---|---|---|"]
        for t in self.results["times"]:
            groups = sorted(t.get("launches", {}).items(), key=lambda item: -item[1]["ms"])
            total = sum(group["ms"] for _, group in groups)
            for name, group in groups[:12]:
                lines.append(f"| {t['case']} | {t['policy']} | {group['launches']:.0f} {name} | {group['ms']:.3f} | "
                             f"{group['ms'] / total:.1%} | {group['gflops'] / 1e3:.1f} | {group['gigabytes_per_second']:.0f} |")
        failed = [c for c in self.results["checks"] if not c["good"]]
        lines += ["", f"{len(self.results['checks']) - len(failed)} checks passed, {len(failed)} failed"]
        lines += [f"- FAILED {c['name']}: {c['note']}" for c in failed]
        lines += [f"- left out: {text}" for text in self.results["left_out"]]
        with open(os.path.join(self.options.out, "results.md"), "w") as file:
            file.write("\n".join(lines) + "\n")
        return not failed


def device():
    query = ["nvidia-smi", "--query-gpu=name,driver_version,memory.total", "--format=csv,noheader"]
    try:
        return subprocess.run(query, stdout=subprocess.PIPE, text=True, check=True).stdout.strip()
    except (OSError, subprocess.CalledProcessError):
        return "no NVIDIA GPU"


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--parts", default=",".join(PARTS))
    parser.add_argument("--seconds", type=float, default=540)
    parser.add_argument("--out", default=os.path.join(HERE, "results"))
    parser.add_argument("--data", help="text; default: made of words")
    o = parser.parse_args()
    unknown = set(o.parts.split(",")) - set(PARTS)
    if unknown:
        parser.error(f"--parts: {', '.join(sorted(unknown))}; there are {', '.join(PARTS)}")
    os.makedirs(o.out, exist_ok=True)
    if not o.data:
        o.data = os.path.join(o.out, "text.txt")
        with open(o.data, "w") as file:
            # Bytes below the smallest vocabulary of the cases, which has 100 ids.
            file.write("".join(chr(32 + i * i * 7 % 61) for i in range(60000)))
    with open(os.path.join(HERE, "steps.json")) as file:
        suite = Suite(o, json.load(file))
    print(suite.results["device"])
    good = True
    for part in o.parts.split(","):
        try:
            getattr(suite, part)()
        except subprocess.TimeoutExpired as error:
            suite.check(f"{part} ends in time", False, str(error)[:200])
        good = suite.write()
    print(open(os.path.join(o.out, "results.md")).read())
    sys.exit(0 if good else 1)


if __name__ == "__main__":
    main()
