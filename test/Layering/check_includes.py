#!/usr/bin/env python3
"""Checks who includes whom, and names file and line of what must not be.

usage: check_includes.py SOURCE_TREE

A source belongs to the longest folder of RULES that it lies in; `lib/X` and `include/tx/X`
are the folder `X`. It may include its own folder, and what its rule lists.
Sources of a library that is plain C++ (made by add_library in lib/) may include nothing that
includes MLIR, through any header.
"""

import os
import re
import sys

DIALECTS = {"Dialect/Tx", "Dialect/Step"}
COMPILER = {"mlir", "llvm"}
ABI = "txrt/abi.h"  # the one header of the runtime that the compiler knows

# folder: what it may include beside itself. `tx-…` are tools.
RULES = {
    "Support": COMPILER,
    "Dialect/Tx": {"Support"} | COMPILER,
    "Dialect/Step": {"Support", "Dialect/Tx"} | COMPILER,
    # Of tests alone: no phase knows it.
    "Dialect/Check": COMPILER,
    "Reference": {"Support", "Dialect/Tx"} | COMPILER,
    # Phases meet in the IR, not in each other's headers.
    "Frontend": {"Support"} | DIALECTS | COMPILER,
    "Parallel": {"Support"} | DIALECTS | COMPILER,
    "Autodiff": {"Support"} | DIALECTS | COMPILER,
    # The step as plain data, and what follows from it: phases decide by it and apply what it says.
    "Plan": {"Support", ABI} | DIALECTS | COMPILER,
    "Remat": {"Plan", "Support"} | DIALECTS | COMPILER,
    # What is planned keeps to the launch table's limits.
    "Schedule": {"Plan", "Support", ABI} | DIALECTS | COMPILER,
    "Memory": {"Plan", "Support", ABI} | DIALECTS | COMPILER,
    "Conversion": {"Support", ABI} | DIALECTS | COMPILER,
    "Conversion/Common": {"Conversion", "Support", ABI} | DIALECTS | COMPILER,
    "Conversion/TxToStep": {"Conversion", "Plan", "Support", ABI} | DIALECTS | COMPILER,
    # A backend's lowering shares the ops' math, and knows no other backend.
    "Conversion/Host": {"Conversion", "Conversion/Common", "Support", ABI} | DIALECTS | COMPILER,
    "Conversion/Gpu": {"Conversion", "Conversion/Common", "Support", ABI} | DIALECTS | COMPILER,
    # The form of a kernel depends on the machine it is made for: a backend's code generator asks its own lowering for
    # it.
    "Target": {"Support", ABI} | DIALECTS | COMPILER,
    "Target/Common": COMPILER,
    "Target/Host": {"Target", "Target/Common", "Conversion", "Conversion/Host", "Support", ABI} | DIALECTS | COMPILER,
    "Target/Cuda": {"Target", "Target/Common", "Conversion", "Conversion/Gpu", "Support", ABI} | DIALECTS | COMPILER,
    "Pipeline": {
        "Frontend",
        "Parallel",
        "Autodiff",
        "Plan",
        "Remat",
        "Schedule",
        "Memory",
        "Conversion",
        "Conversion/TxToStep",
        "Conversion/Host",
        "Conversion/Gpu",
        "Target",
        "Target/Host",
        "Target/Cuda",
        "Support",
        ABI,
    }
    | DIALECTS
    | COMPILER,
    # Runs what tests check, so it has the runtime too.
    "tx-opt": {"Pipeline", "Frontend", "Support", "Reference", "Target", "Dialect/Check", "txrt"} | DIALECTS | COMPILER,
    "tx-compile": {"Pipeline", "Frontend", "Support"} | COMPILER,
    "tx-plan": {"Pipeline", "Frontend", "Plan", "Support"} | COMPILER,
    "tx-place": {"Plan", "Target", "Support"} | COMPILER,
    "tx-lsp-server": {"Pipeline", "Dialect/Check"} | COMPILER,
    # Nothing of the compiler from here on.
    "tx-run": {"txrt", "runtime/train", "runtime/core"},
    "tx-demo": set(),
    "txrt": set(),
    "runtime/core": {"txrt"},
    "runtime/comm": {"txrt", "runtime/core"},
    # Training goes through the runtime's C interface; of its parts it has errors, files and the manifest.
    "runtime/train": {"txrt", "runtime/core"},
    "runtime/backends/dryrun": {"txrt", "runtime/core"},
    # The host runs collectives through the ranks' transport, GPUs find each other so.
    "runtime/backends/host": {"txrt", "runtime/core", "runtime/comm"},
    "runtime/backends/cuda": {"txrt", "runtime/core", "runtime/comm"},
}

INCLUDE = re.compile(r'^\s*#\s*include\s*["<]([^">]+)[">]')
SOURCES = (".c", ".cpp", ".h", ".inc", ".def")
FOLDERS = [
    ("include/tx/", ""),
    ("lib/", ""),
    ("runtime/include/txrt/", "txrt/"),
    ("tools/", ""),
    ("runtime/", "runtime/"),
]
ROOTS = ["include", "runtime/include", "runtime"]


def sources(root):
    for top in ["include", "lib", "runtime", "tools"]:
        for folder, _, files in sorted(os.walk(os.path.join(root, top))):
            for name in sorted(files):
                if name.endswith(SOURCES):
                    yield os.path.relpath(os.path.join(folder, name), root)


def folder_of(path):
    """The rule's folder that a path in the tree belongs to, or nothing."""
    for prefix, short in FOLDERS:
        if path.startswith(prefix):
            parts = (short + path[len(prefix) :]).split("/")[:-1]
            for length in range(len(parts), 0, -1):
                if "/".join(parts[:length]) in RULES:
                    return "/".join(parts[:length])
            return None


def resolve(root, path, included):
    """The path in the tree of what a source includes: beside the source, else below an
    include directory (also if the file is generated); nothing if it is none of ours."""
    beside = os.path.normpath(os.path.join(os.path.dirname(path), included))
    if os.path.exists(os.path.join(root, beside)):
        return beside
    for include in ROOTS:
        candidate = f"{include}/{included}"
        if os.path.exists(os.path.join(root, candidate)):
            return candidate
    for prefix, include in ("tx/", "include/"), ("txrt/", "runtime/include/"):
        if included.startswith(prefix):
            return include + included
    return None


def includes(root, path):
    """(line number, text) of each include."""
    with open(os.path.join(root, path), encoding="utf-8") as file:
        for number, line in enumerate(file, 1):
            if match := INCLUDE.match(line):
                yield number, match.group(1)


def external(included):
    first = included.split("/")[0]
    return {"mlir": "mlir", "mlir-c": "mlir", "llvm": "llvm", "llvm-c": "llvm"}.get(first)


def check_folders(root, path):
    folder = folder_of(path)
    if folder is None:
        yield f"{path}:1: lies in no folder that check_includes.py has a rule for"
        return
    for number, included in includes(root, path):
        target = resolve(root, path, included)
        other = external(included) if target is None else folder_of(target)
        if other and other != folder and not {other, included} & RULES[folder]:
            yield f"{path}:{number}: {folder} may not include {other}: {included}"


def plain_sources(root):
    """Sources of lib/ in an add_library, which links no MLIR."""
    for folder, _, files in sorted(os.walk(os.path.join(root, "lib"))):
        if "CMakeLists.txt" in files:
            text = re.sub(r"#.*", "", open(os.path.join(folder, "CMakeLists.txt")).read())
            for call in re.findall(r"(?<!\w)add_library\(\s*([^)]*)\)", text):
                for name in call.split()[1:]:
                    if name.endswith(".cpp"):
                        yield os.path.relpath(os.path.join(folder, name), root)


def check_plain(root):
    todo = [(source, source) for source in plain_sources(root)]
    seen = set()
    while todo:
        path, user = todo.pop(0)
        if path in seen or not os.path.exists(os.path.join(root, path)):
            continue
        seen.add(path)
        for number, included in includes(root, path):
            target = resolve(root, path, included)
            if target:
                todo.append((target, user))
            elif external(included) == "mlir":
                yield f"{path}:{number}: plain C++ may not include MLIR: {included} (for {user})"


def main(root):
    paths = list(sources(root))
    wrong = [message for path in paths for message in check_folders(root, path)] + list(check_plain(root))
    print(*wrong, sep="\n", end="\n" if wrong else "")
    print(
        f"{len(paths)} sources, {len(set(plain_sources(root)))} of plain C++: {len(wrong)} includes against the layers"
    )
    return bool(wrong) or not paths


sys.exit(main(sys.argv[1]))
