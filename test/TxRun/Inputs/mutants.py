"""Changes artifacts in what is not their instructions, signs them again, and runs them to the end.

mutants.py COUNT SEED FOLDER: FOLDER/*.txa in turn, each with the runs of its kind; $TX_MUTANTS is another
count. A mutant is refused in words, or runs (its numbers may be others): it never ends by a signal and never hangs.
A fault is kept as FOLDER/fault-SEED-N.txa, and `mutants.py 1 SEED:N FOLDER` makes that one mutant again.
"""

import copy
import os
import random
import resource
import struct
import subprocess
import sys
import time

from artifact import HEADER, SECTION, Artifact, Item, sign

SECONDS = float(os.environ.get("TX_MUTANT_SECONDS", "60"))
TOOL = os.environ.get("TX_MUTANT_RUN", "tx-run")
# Any way to say no, and any end of a run; 139 and the like are signals' and no way to end.
ENDS = {0, 1, 2, 3, 4, 5, 6, 7}
NUMBERS = [
    0,
    1,
    2,
    3,
    7,
    8,
    63,
    64,
    65,
    255,
    256,
    4095,
    4096,
    65535,
    65536,
    2**31 - 1,
    2**31,
    2**32 - 1,
    2**32,
    2**47,
    2**48,
    2**63 - 1,
    2**63,
    2**64 - 1,
    2**64 - 64,
]


def number(chance, old, others):
    """Another number in place of `old`."""
    choices = [
        lambda: chance.choice(NUMBERS),
        lambda: old + chance.choice([-64, -4, -1, 1, 4, 64]),
        lambda: old * chance.choice([2, 3, 16]),
        lambda: old // 2,
        lambda: old ^ (1 << chance.randrange(64)),
        lambda: chance.choice(others),
    ]
    return chance.choice(choices)()


def change_field(chance, item, items):
    name, form, _ = chance.choice(item.layout)
    if form == "<f":
        item.set(name, chance.choice([0.0, -1.0, 1e38, float("inf"), float("nan"), 0.5]))
        return
    others = [other.get(name) for other in items if other.layout is item.layout]
    item.set(name, number(chance, item.get(name), others))


# -- The tables ------------------------------------------------------------------


def change_table(chance, artifact):
    table = chance.choice(
        [
            t
            for t in ("entries", "launches", "launches", "launches", "buffers", "buffers", "kernels", "attentions")
            if artifact.items(t)
        ]
    )
    items, size, data = artifact.items(table), artifact.item_bytes(table), artifact.sections[table]
    item, other = chance.choice(items), chance.choice(items)
    kind = chance.randrange(12)
    if kind == 0:  # two change places
        a, b = bytes(data[item.at : item.at + size]), bytes(data[other.at : other.at + size])
        data[item.at : item.at + size], data[other.at : other.at + size] = b, a
    elif kind == 1:
        data[item.at : item.at + size] = data[other.at : other.at + size]
    elif kind == 2:
        del data[item.at : item.at + size]
    elif kind == 3:
        data[item.at : item.at] = data[other.at : other.at + size]
    elif kind == 4:
        at = item.at + chance.randrange(size)
        data[at] ^= 1 << chance.randrange(8)
    else:
        change_field(chance, item, items)


def change_together(chance, artifact):
    """Fields that are held to each other, changed so that they agree."""
    launches, buffers = artifact.items("launches"), artifact.items("buffers")
    launch = chance.choice(launches)
    mine = buffers[launch.get("first_buffer") : launch.get("first_buffer") + launch.get("buffer_count")]
    names = [name for name, _, _ in launch.layout]
    kind = chance.randrange(6)
    if kind == 0:  # operands elsewhere in their segment
        arena = artifact.manifest["arena"]
        for buffer in mine if chance.random() < 0.5 else [chance.choice(mine)]:
            room = list(arena.values())[buffer.get("segment")] - buffer.get("bytes")
            buffer.set("offset", chance.choice([0, room, chance.randrange(room + 1) & ~63, chance.randrange(room + 1)]))
    elif kind == 1:  # all arenas larger, and the operands at their ends
        manifest = artifact.manifest
        for key in manifest["arena"]:
            manifest["arena"][key] += chance.choice([64, 1 << 20])
        artifact.manifest = manifest
        chance.choice(mine).set("offset", chance.randrange(1 << 20) & ~63)
    elif kind == 2 and "m" in names:  # a product of other extents in as much memory
        a, b = chance.sample(["m", "n", "k", "batch0", "batch1"], 2)
        factor = chance.choice([2, 3, 4])
        launch.set(a, launch.get(a) * factor)
        launch.set(b, max(1, launch.get(b) // factor))
        for name in ("lda", "ldb", "ldc", "stride_a0", "stride_b0", "stride_c0", "stride_a1", "stride_b1", "stride_c1"):
            if chance.random() < 0.3:
                launch.set(name, chance.choice([0, 1, launch.get(a), launch.get("k"), launch.get("n")]))
    elif kind == 2 and "units" in names:  # in all launches of the kernel
        units = max(1, number(chance, launch.get("units"), [1]))
        for other in launches:
            if other.get("kind") == 0 and other.get("kernel") == launch.get("kernel"):
                other.set("units", units)
    elif kind == 2:  # a collective of other ranks, and as much in its buffers
        factor = chance.choice([2, 3])
        launch.set("ranks", launch.get("ranks") * factor)
        launch.set(chance.choice(["count", "stride", "outer"]), chance.choice(NUMBERS[:12]))
    elif kind == 3:  # another kernel, whatever it takes
        kernels = artifact.items("kernels")
        a, b = chance.choice(kernels), chance.choice(kernels)
        for name in ("name", "buffer_count", "immediate_count") if chance.random() < 0.5 else ("name",):
            x, y = a.get(name), b.get(name)
            a.set(name, y), b.set(name, x)
    elif kind == 4:  # another entry's launches
        entries = artifact.items("entries")
        a, b = chance.choice(entries), chance.choice(entries)
        for name in ("first_launch", "launch_count"):
            x, y = a.get(name), b.get(name)
            a.set(name, y), b.set(name, x)
    else:  # bytes of one buffer everywhere
        old = chance.choice(mine)
        offset, size = old.get("offset"), max(0, number(chance, old.get("bytes"), [0]))
        for buffer in buffers:
            if buffer.get("offset") == offset:
                buffer.set("bytes", size)


def change_strings(chance, artifact):
    data = artifact.sections["strings"]
    at = chance.randrange(len(data))
    data[at] = chance.choice([0, 1, 10, 27, 255, data[at] ^ 1, chance.randrange(256)])


# -- The manifest ----------------------------------------------------------------


def places(value, path=()):
    """Every place in a JSON value but its root."""
    found = []
    for key in value if isinstance(value, dict) else range(len(value)) if isinstance(value, list) else ():
        found.append(path + (key,))
        found += places(value[key], path + (key,))
    return found


def change_manifest(chance, artifact):
    manifest = artifact.manifest
    # Few of its fields are the globals'; all others are in few places.
    part = chance.choice(sorted(manifest))
    within = [(part,) + place for place in places(manifest[part])] or [(part,)]
    place = chance.choice(within)
    parent = manifest
    for key in place[:-1]:
        parent = parent[key]
    key = place[-1]
    old = parent[key]
    kind = chance.randrange(10)
    if kind == 0:
        del parent[key]
    elif kind == 1 and isinstance(parent, list):
        parent.insert(key, copy.deepcopy(chance.choice(parent)))
    elif kind == 1:
        parent[key + "x"] = old
    elif kind == 2:
        parent[key] = chance.choice(
            [None, True, False, "", "x", [], {}, 0, -1, 1.5, 1e308, 2**63, 2**64, [[]], "\0", "\u00e9" * 9]
        )
    elif kind == 3:
        siblings = [p for p in within if p[-1] == key] if isinstance(key, str) else within
        other = manifest
        for step in chance.choice(siblings):
            other = other[step]
        parent[key] = copy.deepcopy(other)
    elif isinstance(old, bool):
        parent[key] = not old
    elif isinstance(old, int):
        parent[key] = number(chance, old, [0])
    elif isinstance(old, float):
        parent[key] = chance.choice([0.0, -old, 1e308, -1e308, 1e-308])
    elif isinstance(old, str):
        parent[key] = chance.choice(
            [
                old + "x",
                old[1:],
                old * 300,
                "f32",
                "i1",
                "bf16",
                "argument",
                "transient",
                "host",
                "cuda",
                "gradient",
                "\x1b[2J",
                "../x",
            ]
        )
    elif isinstance(old, list):
        chance.shuffle(old)
    else:
        parent.pop(key)
    artifact.manifest = manifest


def change_shape(chance, artifact):
    """A tensor of other extents, with the bytes that they make."""
    manifest = artifact.manifest
    tensors = list(manifest["globals"])
    for entry in manifest["entries"]:
        tensors += (entry["arguments"] + entry["results"]) * 3
    for tensor in (
        [chance.choice(tensors)]
        if chance.random() < 0.5
        else [t for t in tensors if t["name"] == chance.choice(tensors)["name"]]
    ):
        if tensor["shape"] and chance.random() < 0.8:
            at = chance.randrange(len(tensor["shape"]))
            tensor["shape"][at] = number(chance, tensor["shape"][at], [0])
        else:
            tensor["dtype"] = chance.choice(["f32", "bf16", "i32", "i1"])
        size = {"f32": 4, "i32": 4, "bf16": 2, "i1": 1}[tensor["dtype"]]
        for extent in tensor["shape"]:
            size *= extent
        tensor["bytes"] = size
        if chance.random() < 0.3:
            tensor["offset"] = 0
        if chance.random() < 0.2:
            key = tensor["segment"] + "_bytes"
            manifest["arena"][key] = max(manifest["arena"][key], (tensor["offset"] + size + 63) // 64 * 64)
    artifact.manifest = manifest


def change_text(chance, artifact):
    data = artifact.sections["manifest"]
    at = chance.randrange(len(data))
    kind = chance.randrange(4)
    if kind == 0:
        del data[at:]
    elif kind == 1:
        data[at] ^= 1 << chance.randrange(8)
    elif kind == 2:
        data[at:at] = data[at : at + chance.randrange(1, 200)]
    else:
        del data[at : at + chance.randrange(1, 50)]


# -- The code --------------------------------------------------------------------


def change_code(chance, artifact):
    code = artifact.sections["code"]
    kind = chance.randrange(6)
    if kind == 0:  # anything at all, under its old digest
        code[chance.randrange(len(code))] ^= 1 << chance.randrange(8)
    elif kind == 1:
        del code[chance.randrange(len(code)) :]
    elif kind <= 3 and artifact.manifest["target"]["backend"] == "host":  # an object's own tables, signed again
        items = artifact.elf_items()
        change_field(chance, chance.choice(items), items)
        artifact.sign_code()
    else:  # what the code takes, signed again: no launch is like it then
        items = chance.choice([artifact.functions(), artifact.operands(), [artifact.end()]])
        if items:
            change_field(chance, chance.choice(items), items)
            artifact.sign_code()


def mutate(chance, artifact):
    """The bytes of a mutant."""
    kinds = (
        [change_table] * 6
        + [change_together] * 5
        + [change_manifest] * 4
        + [change_shape] * 2
        + [change_strings, change_text, change_code]
    )
    for _ in range(chance.choice([1, 1, 1, 2, 3])):
        try:
            chance.choice(kinds)(chance, artifact)
        except (KeyError, IndexError, ValueError, TypeError, AttributeError, struct.error):
            pass  # a change before this one left nothing for it

    def change(data):
        if chance.randrange(25):
            return
        layouts = [Item(data, 0, HEADER)] + [Item(data, 64 + 24 * i, SECTION) for i in range(len(artifact.sections))]
        change_field(chance, chance.choice(layouts), layouts)

    return artifact.build(change)


# -- Runs ------------------------------------------------------------------------


def runs_of(artifact, folder):
    """Commands behind the artifact's name, by what it is for."""
    manifest = artifact.manifest
    ranks = 1
    for axis in manifest["mesh"]:
        ranks *= axis["size"]
    several = ["--ranks", str(ranks)] if ranks > 1 else []
    runs = [["--info"], ["--backend", "dryrun"]]
    if manifest["target"]["backend"] != "host":
        return runs
    data = os.path.join(folder, "text.txt")
    save = os.path.join(folder, f"saved-{os.getpid()}.safetensors")
    names = [entry["name"] for entry in manifest["entries"]]
    arguments = [argument for entry in manifest["entries"] for argument in entry["arguments"]]
    if "microbatch" not in names or any(a.get("ids", {}).get("below", 256) < 256 for a in arguments):
        for entry in manifest["entries"]:  # on arrays, or ones
            inputs = [
                f"--input={a['name']}={folder}/{a['name']}{ranks}.{{rank}}.npy"
                if os.path.exists(f"{folder}/{a['name']}{ranks}.0.npy")
                else f"--input={a['name']}=1"
                for a in entry["arguments"]
            ]
            runs += [["--function", entry["name"]] + inputs + several] * 4
        return runs
    batch = manifest["entries"][0]["arguments"][0]["shape"][0] * ranks
    train = ["--data-path", data, "--train-iters", "2", "--lr", "1e-3", "--log-interval", "1"] + several
    return runs + [
        train,
        train + ["--global-batch-size", str(2 * batch)],
        train + ["--save", save, "--save-optim"],
        ["--data-path", data, "--evaluate", "--eval-iters", "2"] + several,
        ["--sample", "3", "--prompt", "And"] + several,
        ["--bench", "--bench-iters", "1", "--bench-warmup", "1"] + several,
        ["--function", "apply", "--input", "lr=1e-3", "--input", "step=1"] + several,
        ["--function", "evaluate", "--input", "tokens=1", "--input", "targets=2"] + several,
    ]


def limit():
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    resource.setrlimit(resource.RLIMIT_FSIZE, (64 << 20, 64 << 20))
    if "ASAN_OPTIONS" not in os.environ:
        resource.setrlimit(resource.RLIMIT_AS, (4 << 30, 4 << 30))


def run(path, arguments):
    """What is wrong with a run, or nothing."""
    try:
        done = subprocess.run(
            [TOOL, path] + arguments + ([] if "--info" in arguments else ["--threads", "1"]),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
            timeout=SECONDS,
            preexec_fn=limit,
            env={**os.environ, "OPENBLAS_NUM_THREADS": "1"},
        )
    except subprocess.TimeoutExpired:
        return f"does not end in {SECONDS:g} s", None
    said = done.stderr.decode(errors="replace")
    if done.returncode not in ENDS:
        return f"ended with {done.returncode}: {said[-300:]}", done.returncode
    if "signal" in said or "runtime error:" in said or "AddressSanitizer" in said:
        return f"said {said[-600:]}", done.returncode
    if done.returncode and not said.strip():
        return f"ended with {done.returncode} without a word", done.returncode
    return None, done.returncode


def main():
    count, seed, folder = int(os.environ.get("TX_MUTANTS", sys.argv[1])), sys.argv[2], sys.argv[3]
    names = sorted(
        name for name in os.listdir(folder) if name.endswith(".txa") and not name.startswith(("fault", "mutant"))
    )
    artifacts = []
    for name in names:
        with open(os.path.join(folder, name), "rb") as file:
            artifacts.append(Artifact(bytearray(file.read())))
    all_runs = [runs_of(artifact, folder) for artifact in artifacts]
    path = os.path.join(folder, f"mutant-{os.getpid()}.txa")
    for artifact, runs in zip(artifacts, all_runs):  # what is not changed runs
        with open(path, "wb") as file:
            file.write(artifact.build())
        for arguments in runs:
            fault, code = run(path, arguments)
            if fault or code:
                sys.exit(f"unchanged: {' '.join(arguments)}: {fault or code}")
    first = 0
    if ":" in seed:
        seed, first = seed.split(":")
    ends, faults = {}, 0
    begin = time.monotonic()
    for index in range(int(first), int(first) + count):
        chance = random.Random(f"{seed}:{index}")
        which = index % len(artifacts)
        data = mutate(chance, artifacts[which].copy())
        with open(path, "wb") as file:
            file.write(data)
        arguments = chance.choice(all_runs[which])
        fault, code = run(path, arguments)
        ends[code] = ends.get(code, 0) + 1
        if time.monotonic() > begin + 30:
            begin = time.monotonic()
            print(f"mutant {seed}:{index}", file=sys.stderr, flush=True)
        if fault:
            faults += 1
            os.rename(path, os.path.join(folder, f"fault-{seed}-{index}.txa"))
            print(f"mutant {seed}:{index} of {names[which]}, {' '.join(arguments)}: {fault}", flush=True)
    if os.path.exists(path):
        os.remove(path)
    print("ends", dict(sorted(ends.items(), key=str)), flush=True)
    print(f"{count} mutants, {faults} faults")
    sys.exit(faults != 0)


main()
