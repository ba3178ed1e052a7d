"""What there is to run, each as a job of its own: (name, part, seconds it may take, what it does).

What a job returns goes into the results; it raises process.Trouble when there is no result.
"""

import collections
import json
import os
import shutil

import cases
import machine
import process
import tensors

HERE = os.path.dirname(os.path.abspath(__file__))
Job = collections.namedtuple("Job", "rank part name limit work")
SANITIZER = [os.path.join(f, "compute-sanitizer") for f in ("/usr/local/cuda/bin", "/usr/local/cuda/compute-sanitizer")]
ROUNDING = 64 << 20  # what a driver may make of an arena's size


def verdict(good, note="", **more):
    return {"state": "passed" if good else "FAILED", "note": note, **more}


def events(path):
    try:
        with open(path) as file:
            return [json.loads(line) for line in file]
    except (OSError, ValueError) as error:
        raise process.Trouble(f"it wrote no log: {getattr(error, 'strerror', None) or error}")


class Suite:
    def __init__(self, out, prepared, results, python):
        self.out, self.results, self.python = out, results, python
        self.steps, self.references = prepared["steps"], prepared["references"]

    def path(self, name):
        return os.path.join(self.out, name)

    def tx_run(self, step, limit, *flags, name="", prefix=(), **environment):
        command = [*prefix, os.path.join(HERE, "tx-run"), os.path.join(HERE, step["file"]), *flags]
        os.makedirs(self.path("logs"), exist_ok=True)
        return process.run(command, self.path(f"logs/{step['file']}{name}.txt"), limit, **environment)

    def jobs(self):
        """In the order in which they matter: one comparison, then times beside the peers', then the rest."""
        result = []
        for step in self.steps:
            result += getattr(self, step["part"])(step)
        for case in cases.TIMED:
            result += [self.peer(case, mode, precision, rank) for rank, (mode, precision) in enumerate(cases.PEERS)]
        return sorted(result, key=lambda job: job.rank)

    # -- gradients

    def train(self, step, limit, *flags):
        """(what is kept, gradients) of two iterations."""
        log, gradients = self.path("train.jsonl"), self.path("train.safetensors")
        for file in (log, gradients):
            if os.path.exists(file):
                os.remove(file)
        self.tx_run(
            step,
            limit,
            *cases.TRAIN,
            "--data-path",
            os.path.join(HERE, "text.txt"),
            "--log",
            log,
            "--dump-gradients",
            gradients,
            *flags,
            name="".join(flags),
        )
        losses = [event["loss"] for event in events(log) if event.get("event") == "step"]
        if len(losses) != 2:
            raise process.Trouble(f"its log has {len(losses)} steps, not 2")
        found = tensors.read_safetensors(gradients)
        os.remove(gradients)
        return {"loss": losses[-1], "gradients": tensors.digest(found)}, found

    def compare(self, step):
        case, policy = step["case"], step["policy"]
        name, first = f"compare {case} {policy}", f"compare {case} none"

        def against_host(limit):
            kept, found = self.train(step, limit)
            reference, tolerance = self.references.get(case), cases.COMPARED[case][1]
            if not reference:
                raise process.Trouble("prepare.py has no result of the host for it")
            error, worst = tensors.worst_error(
                found, tensors.read_safetensors(os.path.join(HERE, reference["gradients"]))
            )
            good = error <= tolerance and abs(kept["loss"] - reference["loss"]) <= tolerance * abs(reference["loss"])
            note = f"loss {kept['loss']:.6f}, host {reference['loss']:.6f}; worst gradient {error:.1e} of its norm off, {worst}"
            return verdict(good, note, **kept)

        def against(other, *flags):
            def work(limit):
                kept, _ = self.train(step, limit, *flags)
                wanted = self.results.kept(other)
                if not wanted:
                    raise process.Trouble(f"nothing to compare with: {other}")
                return verdict(all(kept[k] == wanted[k] for k in kept), "", **kept)

            return work

        if policy == "none":
            rank = 0 if case == cases.FIRST_COMPARED else 4
            jobs = [Job(rank, "compare", name, 60, against_host)]
        else:
            jobs = [Job(5, "compare", name, 60, against(first))]
        if policy in ("none", "full"):
            jobs.append(Job(6, "graph", f"graph {case} {policy}", 60, against(name, "--no-cuda-graph")))
        return jobs

    # -- libraries and tools

    def nccl(self, step):
        def work(limit):
            results = []
            for alone, flags in (("0", []), ("1", []), ("1", ["--no-cuda-graph"])):
                path = self.path("sum.npy")
                flags = [
                    "--function",
                    "sum",
                    "--input",
                    "arg0=1.5",
                    "--input",
                    "arg1=0.25",
                    "--output",
                    f"result0={path}",
                    *flags,
                ]
                self.tx_run(step, limit / 3, *flags, TXRT_NCCL_ALONE=alone)
                with open(path, "rb") as file:
                    results.append(file.read())
                os.remove(path)
            return verdict(
                all(result == results[0] for result in results),
                "NCCL over one rank against copies, with and without a graph",
            )

        return [Job(7, "nccl", "nccl one rank", 90, work)]

    def sanitize(self, step):
        def job(tool):
            def work(limit):
                program = shutil.which("compute-sanitizer") or next(filter(os.path.exists, SANITIZER), None)
                if not program:
                    raise process.Missing("there is no compute-sanitizer")
                self.tx_run(
                    step,
                    limit,
                    "--train-iters",
                    1,
                    "--data-path",
                    os.path.join(HERE, "text.txt"),
                    "--data-format",
                    "text",
                    "--no-cuda-graph",
                    name=f".{tool}",
                    prefix=[program, "--tool", tool, "--error-exitcode", 99],
                )
                return verdict(True)

            return Job(8, "sanitize", f"{tool} {step['case']}", 120, work)

        return [job(tool) for tool in ("memcheck", "racecheck", "initcheck")]

    # -- times

    def time(self, step):
        case, policy = step["case"], step["policy"]

        def bench(limit, *flags):
            log = self.path("bench.jsonl")
            if os.path.exists(log):
                os.remove(log)
            before = machine.used_bytes()
            with machine.Clocks() as clocks:
                self.tx_run(
                    step,
                    limit,
                    "--bench",
                    "--bench-iters",
                    20,
                    "--bench-warmup",
                    5,
                    "--log",
                    log,
                    "--tuning-cache",
                    self.path("tuning.json"),
                    *flags,
                )
            found = [event for event in events(log) if event.get("event") == "bench"]
            if not found:
                raise process.Trouble("its log has no times")
            return found[-1], before, clocks.busiest

        def work(limit):
            note = ""
            if policy == "none":
                try:
                    event, before, clocks = bench(limit * 2 / 3, "--tune")
                except process.TookTooLong:
                    note = "not tuned: that took too long; "
                    event, before, clocks = bench(limit / 3)
            else:
                event, before, clocks = bench(limit)
            row = {"who": "Tx", "case": case, "policy": policy, **self.rates(case, event), **clocks}
            row.update(hardware_tflops=event["gflops"] / 1e3, planned=event["peak_bytes"], machine=event["machine"])
            memory = event.get("memory", {})
            if "device_arena_bytes" in memory:
                parts = [memory[f"device_{what}_bytes"] for what in ("arena", "libraries", "context")]
                row.update(arena=parts[0], taken=sum(parts) - before, libraries=parts[1])
            good = (
                event["peak_bytes"] == event["allocated_bytes"]
                and abs(row.get("arena", row["planned"]) - row["planned"]) <= ROUNDING
            )
            return verdict(
                good,
                note + ("" if good else "allocated is not what is planned"),
                row=row,
                launches=event.get("launches", {}),
            )

        rank = 9 if not cases.is_first(case) else 1 if policy == "none" else 3
        return [Job(rank, "time", f"time {case} {policy}", 150, work)]

    @staticmethod
    def rates(case, found):
        seconds = found["median_ms"] * 1e-3
        return {
            "ms": found["median_ms"],
            "least_ms": found["least_ms"],
            "most_ms": found["most_ms"],
            "tokens_per_second": found["tokens_per_second"],
            "model_tflops": cases.model_flops(case) / seconds * 1e-12,
        }

    def peer(self, case, mode, precision, rank):
        who = f"PyTorch {mode}, {'bf16 autocast' if precision == 'autocast' else 'all in bf16'}"

        def work(limit):
            command = [self.python, os.path.join(HERE, "torch_peer.py"), case, "--mode", mode, "--precision", precision]
            before = machine.used_bytes()
            os.makedirs(self.path("logs"), exist_ok=True)
            cache = {"TORCHINDUCTOR_CACHE_DIR": self.path("inductor")}
            with machine.Clocks() as clocks:
                text = process.run(command, self.path(f"logs/peer.{case}.{mode}.{precision}.txt"), limit, **cache)
            try:
                found = json.loads([line for line in text.splitlines() if line.startswith("{")][-1])
                row = {"who": who, "case": case, "policy": "none", **self.rates(case, found), **clocks.busiest}
                row.update(
                    arena=found["allocated_bytes"],
                    taken=found["device_bytes"] - before,
                    machine=found["versions"],
                    warmup_seconds=found["warmup_seconds"],
                )
            except (IndexError, ValueError, KeyError) as error:
                raise process.Trouble(f"it printed no result: {error!r}")
            return verdict(True, row=row)

        first = 2 if rank < 2 else 3.5
        return Job(
            first if case in cases.FIRST_TIMED else 10 + rank,
            "peers",
            f"peer {case} {mode} {precision}",
            90 if mode == "eager" else 180,
            work,
        )
