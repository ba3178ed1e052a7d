#!/usr/bin/env python3
"""Predicts what bounds each generated GPU kernel of a step, from its machine code. Needs no GPU, and is no measurement.

  predict_gpu.py [--arch sm_90] [--bin build/bin] [--nvdisasm FILE] [--kernels WORD] -- FLAGS OF tx-compile

Of each kernel three times: `mem`, what it must move at the rate that copies reach; `exec`, its instructions, issued and executed by the pipe that
has most to do; `wait`, one warp's way through its code, alone but for the memory's latency, as often as a multiprocessor's
resident threads must be replaced. `rate` is the share of the memory's rate that the slowest of these leaves. Beside that the bytes that resident
threads ask for at once (an H100 wants 24 to 40 KiB, by Little's law), and of attention how much of the tensor cores' time its inner loops can use.

Counted: how often a thread executes what (sass.py), with rounds of loops from what the launch moves. Assumed, and not known better without
a device: clocks, rates and latency in DEVICES; all lanes active; warps overlap, so that the three times do not add up; what a kernel
must read comes from memory once (passes after the first find a row in the L2 cache), of embedding tables the tokens' rows.
"""

import argparse
import json
import math
import os
import re
import struct
import subprocess
import tempfile

import sass

HERE = os.path.dirname(os.path.abspath(__file__))

# Of the usual device: multiprocessors; clock, GHz; memory that copies reach, GB/s; latency under load, ns;
# registers, threads, blocks and shared bytes of a multiprocessor; and lanes that its pipes take in a clock (NVIDIA's table of throughputs of
# arithmetic instructions; `wide` and `multiply` share the FMA pipe); `mma`: multiply-adds of bf16 in a clock, by mma.sync.
PIPES = {
    "alu": 64,
    "multiply": 64,
    "wide": 32,
    "special": 16,
    "shuffle": 32,
    "memory": 32,
    "uniform": 64,
    "control": 128,
}
DEVICES = {
    "sm_80": dict(
        sms=108,
        ghz=1.41,
        gbs=1750,
        ns=900,
        registers=65536,
        threads=2048,
        blocks=32,
        shared=164 << 10,
        mma=1024,
        pipes=dict(PIPES, fma=64, double=32),
    ),
    "sm_90": dict(
        sms=132,
        ghz=1.70,
        gbs=3000,
        ns=1000,
        registers=65536,
        threads=2048,
        blocks=32,
        shared=228 << 10,
        mma=2048,
        pipes=dict(PIPES, fma=128, double=64),
    ),
    "sm_100": dict(
        sms=148,
        ghz=1.85,
        gbs=7000,
        ns=1000,
        registers=65536,
        threads=2048,
        blocks=32,
        shared=228 << 10,
        mma=2048,
        pipes=dict(PIPES, fma=128, double=64),
    ),
    "sm_120": dict(
        sms=170,
        ghz=2.40,
        gbs=1650,
        ns=900,
        registers=65536,
        threads=1536,
        blocks=24,
        shared=100 << 10,
        mma=256,
        pipes=dict(PIPES, fma=128, alu=128, double=2),
    ),
}
ISSUED = 4  # instructions of warps in a clock

SMALL = 4 << 20  # bytes: less is over before it matters how fast


class Step:
    """Kernels, their shapes and launches of a compiled step."""

    def __init__(self, file, text):
        data = open(file, "rb").read()
        sections = {}
        for i in range(struct.unpack_from("<I", data, 12)[0]):
            kind, _, offset, size = struct.unpack_from("<IIQQ", data, 64 + 24 * i)
            sections[kind] = data[offset : offset + size]
        strings = sections[6]
        self.names = [
            strings[name : strings.index(0, name)].decode() for name, *_ in struct.iter_unpack("<IIII", sections[5])
        ]
        unit = sections[7]  # code, a function for each kernel, operands, images, names, what their numbers are
        code_bytes, functions, operands, images, _ = struct.unpack_from("<QIIII", unit, len(unit) - 64)
        operands_at = code_bytes + 48 * functions
        images_at = operands_at + 16 * operands
        self.shapes = {
            name: function[-3:]
            for name, function in zip(self.names, struct.iter_unpack("<IIIIQQQII", unit[code_bytes:operands_at]))
        }
        images = [
            image for image in struct.iter_unpack("<IIQQ", unit[images_at : images_at + 24 * images]) if image[1] == 0
        ]
        if not images:
            raise SystemExit("the step has no machine code: tx-compile needs ptxas")
        self.cubin = unit[images[0][2] :][: images[0][3]]
        self.space = {
            m[1]: (int(m[2]), int(m[3])) for m in re.finditer(r"step\.kernel @(\S+) \w+ \[(\d+), (\d+)\]", text)
        }
        buffers = list(struct.iter_unpack("<IIQQII", sections[4]))
        self.launches = {}  # the first of each kernel, and how many
        entries = list(struct.iter_unpack("<IIII", sections[2]))
        size = len(sections[3]) // max(first + count for _, first, count, _ in entries)
        _, begin, count, _ = max(entries, key=lambda entry: entry[2])  # the whole step
        for at in range(begin * size, (begin + count) * size, size):
            kind, _, _, _, first, count, _ = struct.unpack_from("<IIiIIIQ", sections[3], at)
            if kind == 0:
                kernel, _, units = struct.unpack_from("<IIQ", sections[3], at + 32)
                known = self.launches.setdefault(self.names[kernel], [units, buffers[first : first + count], 0])
                known[2] += 1


ELEMENT = {0: 4, 1: 2, 2: 4, 3: 1, 4: 1}


def streams(step, name):
    """(read, written): bytes of each operand that the launch must move."""
    rows, columns = step.space[name]
    read, written = [], []
    for _, dtype, _, size, writes, _ in step.launches[name][1]:
        whole = rows * columns * ELEMENT[dtype]
        (written if writes else read).append(size if writes else min(size, whole))
    return read, written


def rounds_of(step, name, kernel):
    """How often each loop goes round, by what the launch moves in all."""
    units, _, _ = step.launches[name]
    per_block, threads, _ = step.shapes[name]
    blocks = math.ceil(units / per_block)
    rows, columns = step.space[name]
    read, written = streams(step, name)
    large = max(read + written)
    of_all = lambda sizes: sum(size for size in sizes if size * 4 > large)
    trips = {}
    for loop in kernel.loops:
        outer = any(other != loop and other[0] <= loop[0] and loop[1] <= other[1] for other in kernel.loops)
        loads, stores = kernel.moved(loop)
        if name.startswith("row") and units < rows:  # rows of a part
            trips[loop] = 1 if outer else math.ceil(rows / units)
        elif loads + stores == 0:
            trips[loop] = 1
        else:
            amount = (
                of_all(written) / stores if stores and not name.startswith("column") else of_all(read) / max(1, loads)
            )
            trips[loop] = max(1, round(amount / (blocks * threads)))
    if name.startswith("column"):  # the loop for the rest
        for loop in kernel.loops:
            if any(kernel.moved(other)[0] > kernel.moved(loop)[0] and other[1] < loop[0] for other in kernel.loops):
                trips[loop] = 0
    return trips


def predict(step, name, kernel, device):
    units, _, count = step.launches[name]
    per_block, threads, dynamic = step.shapes[name]
    blocks, warps = math.ceil(units / per_block), math.ceil(threads / 32)
    read, written = streams(step, name)
    moved = sum(read) + sum(written)
    registers = math.ceil(kernel.registers / 8) * 8 * 32 * warps
    resident = min(
        device["registers"] // max(1, registers),
        device["threads"] // threads,
        device["blocks"],
        device["shared"] // (kernel.shared + dynamic + 1024),
        math.ceil(blocks / device["sms"]),
    )
    trips = rounds_of(step, name, kernel)
    weights = kernel.weights(trips)
    counts = dict.fromkeys(device["pipes"], 0.0)
    for weight, instruction in zip(weights, kernel.code):
        counts[instruction.pipe] = counts.get(instruction.pipe, 0.0) + weight
    issued = sum(counts.values())
    # Clocks of a multiprocessor, all blocks spread evenly.
    of_warps = blocks * warps / device["sms"]
    needs = {pipe: counts[pipe] * 32 / lanes for pipe, lanes in device["pipes"].items()}
    needs["fma"] += needs.pop("multiply") + needs.pop("wide")
    needs["issue"] = issued / ISSUED
    slowest = max(needs, key=needs.get)
    memory = moved / (device["gbs"] * 1e9)
    flight = resident * threads * kernel.in_flight()
    waves = blocks / (device["sms"] * max(1, resident))
    alone = kernel.clocks(trips, device["ns"] * device["ghz"])
    times = {
        "memory": memory,
        slowest: needs[slowest] * of_warps / (device["ghz"] * 1e9),
        "latency": alone * max(1.0, waves) / (device["ghz"] * 1e9),
    }
    bound = max(times, key=times.get)
    rows, columns = step.space[name]
    return dict(
        kernel=name,
        launches=count,
        mb=moved / 1e6,
        registers=kernel.registers,
        threads=resident * threads,
        blocks=blocks,
        waves=waves,
        instructions=issued * blocks * threads / (rows * columns),
        of_pipe={p: c * blocks * threads / (rows * columns) for p, c in counts.items()},
        flight=flight / 1024,
        us={k: t * 1e6 for k, t in times.items()},
        pipe=slowest,
        bound=bound,
        rate=memory / max(times.values()),
    )


def predict_tiles(kernel, device):
    """Of each inner loop with products by tensor cores: (instructions, of them products, share of the tensor cores' time)."""
    loops = [
        loop
        for loop in kernel.loops
        if any(x.pipe == "tensor" for x in kernel.code[loop[0] : loop[1] + 1])
        and not any(
            other != loop
            and loop[0] <= other[0]
            and other[1] <= loop[1]
            and any(x.pipe == "tensor" for x in kernel.code[other[0] : other[1] + 1])
            for other in kernel.loops
        )
    ]
    for first, last in loops:
        seldom = kernel.masks(first, last)
        code = [
            x for i, x in enumerate(kernel.code[first : last + 1], first) if i not in seldom and i not in kernel.skipped
        ]
        count = {pipe: sum(x.pipe == pipe for x in code) for pipe, _ in sass.PIPES}
        # Clocks of a quarter of a multiprocessor, which has a quarter of the lanes.
        lanes = {pipe: device["pipes"][pipe] / 4 for pipe in device["pipes"]}
        busy = count["tensor"] * 2048 / (device["mma"] / 4)
        fma = sum(count[pipe] * 32 / lanes[pipe] for pipe in ("fma", "multiply", "wide"))
        others = max(
            len(code), fma, *(count[pipe] * 32 / lanes[pipe] for pipe in ("special", "alu", "memory", "shuffle"))
        )
        yield len(code), count["tensor"], busy / max(busy, others)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--arch", default="sm_90", choices=DEVICES)
    parser.add_argument("--bin", default=os.path.join(HERE, "../../build/bin"))
    parser.add_argument("--nvdisasm", default="nvdisasm")
    parser.add_argument("--kernels", default="", help="only those whose name has this word")
    parser.add_argument("--json", action="store_true")
    parser.add_argument("flags", nargs="+")
    o = parser.parse_args()
    device = DEVICES[o.arch]
    with tempfile.TemporaryDirectory() as folder:
        command = [os.path.join(o.bin, "tx-compile"), *o.flags, f"--target=cuda:{o.arch}"]
        text = subprocess.run(
            [*command, "--ptxas=none", "--compile-to=step"], check=True, capture_output=True, text=True
        ).stdout
        subprocess.run([*command, "-o", f"{folder}/step.txa"], check=True, capture_output=True)
        step = Step(f"{folder}/step.txa", text)
        with open(f"{folder}/cubin", "wb") as file:
            file.write(step.cubin)
        kernels = sass.disassemble(o.nvdisasm, f"{folder}/cubin")
    results = [
        predict(step, name, kernels[name], device)
        for name in step.names
        if name in step.launches and o.kernels in name and not name.startswith("tile")
    ]
    total = {
        kind: sum(r["launches"] * (r["us"]["memory"] if kind == "memory" else max(r["us"].values())) for r in results)
        for kind in ("memory", "all")
    }
    if o.json:
        return print(json.dumps(results, indent=1))
    print(f"Predicted, {o.arch}: {device['gbs']} GB/s, {device['ghz']} GHz")
    print(
        f"{'kernel':32}{'x':>4}{'MB':>8}{'reg':>5}{'thr/SM':>7}{'blocks':>7}{'waves':>7}{'instr/el':>9}{'KiB':>6}"
        f"{'mem us':>8}{'exec us':>8}{'wait us':>8} {'pipe':8}{'bound by':9}{'rate':>5}"
    )
    for r in results:
        small = r["mb"] * 1e6 < SMALL
        print(
            f"{r['kernel'][:31]:32}{r['launches']:4}{r['mb']:8.1f}{r['registers']:5}{r['threads']:7}{r['blocks']:7}{r['waves']:7.1f}"
            f"{r['instructions']:9.1f}{r['flight']:6.0f}{r['us']['memory']:8.1f}{r['us'].get(r['pipe'], 0):8.1f}{r['us']['latency']:8.1f} {r['pipe']:8}"
            f"{'small' if small else r['bound']:9}{r['rate']:5.2f}"
        )
    print(
        f"all of a step's {sum(r['launches'] for r in results)} launches: {total['all'] / 1e3:.2f} ms, by memory alone {total['memory'] / 1e3:.2f} ms"
    )
    for name in step.names:
        if name.startswith("tile") and o.kernels in name:
            for instructions, products, share in predict_tiles(kernels[name], device):
                print(
                    f"{name[:31]:32} {kernels[name].registers} registers; inner loop: {instructions} instructions, {products} mma.sync: "
                    f"at most {share:.0%} of the tensor cores' time"
                )


if __name__ == "__main__":
    main()
