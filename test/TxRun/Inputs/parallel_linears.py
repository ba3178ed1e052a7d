"""A pair of linears, whole and split among ranks (columns of the first, rows of the second, parts of the sequence).

parallel_linears.py make RANKS DIR: whole.mlir and RANKS.mlir, with numbers for both in DIR
parallel_linears.py compare RANKS DIR: the ranks' results, joined, against the whole's
"""

import random
import struct
import sys

SEQUENCE, HIDDEN, WIDTH = 8, 12, 16
MESH = """tx.mesh_axis @tp size {ranks}
"""
GATHER = """  %a = tx.all_gather %x dim 0 on @tp in <"mlp.fc1"> : tensor<{s}x{h}xf32> -> tensor<{whole}x{h}xf32>
"""
SCATTER = """  %y = tx.reduce_scatter %d dim 0 on @tp in <"mlp.fc2"> : tensor<{whole}x{h}xf32> -> tensor<{s}x{h}xf32>
"""
FUNCTION = """{mesh}func.func @mlp(%x: tensor<{s}x{h}xf32> {{tx.name = "x"}}, %v: tensor<{h}x{w}xf32> {{tx.name = "v"}},
    %w: tensor<{w}x{h}xf32> {{tx.name = "w"}}) -> (tensor<{s}x{h}xf32> {{tx.name = "y"}}) {{
{gather}  %b = tx.linear {a}, %v in <"mlp.fc1"> : tensor<{whole}x{h}xf32>, tensor<{h}x{w}xf32> -> tensor<{whole}x{w}xf32>
  %c = tx.gelu %b in <"mlp.mlp_act"> : tensor<{whole}x{w}xf32>
  %d = tx.linear %c, %w in <"mlp.fc2"> : tensor<{whole}x{w}xf32>, tensor<{w}x{h}xf32> -> tensor<{whole}x{h}xf32>
{scatter}  return {y} : tensor<{s}x{h}xf32>
}}
"""


def source(ranks):
    sizes = dict(ranks=ranks, s=SEQUENCE // ranks, h=HIDDEN, w=WIDTH // ranks, whole=SEQUENCE)
    if ranks == 1:
        return FUNCTION.format(mesh="", gather="", scatter="", a="%x", y="%d", **sizes)
    parts = {name: text.format(**sizes) for name, text in (("mesh", MESH), ("gather", GATHER), ("scatter", SCATTER))}
    return FUNCTION.format(a="%a", y="%y", **parts, **sizes)


def write(path, rows):
    header = "{'descr': '<f4', 'fortran_order': False, 'shape': (%d, %d), }" % (len(rows), len(rows[0]))
    header = header.ljust(64 * 2 - 11) + "\n"
    with open(path, "wb") as file:
        file.write(b"\x93NUMPY\x01\x00" + struct.pack("<H", len(header)) + header.encode())
        for row in rows:
            file.write(struct.pack("<%df" % len(row), *row))


def read(path):
    with open(path, "rb") as file:
        data = file.read()
    data = data[10 + struct.unpack("<H", data[8:10])[0] :]
    return struct.unpack("<%df" % (len(data) // 4), data)


def make(ranks, folder):
    chance = random.Random(1)
    whole = {
        name: [[chance.gauss(0, 1) for _ in range(columns)] for _ in range(rows)]
        for name, rows, columns in (("x", SEQUENCE, HIDDEN), ("v", HIDDEN, WIDTH), ("w", WIDTH, HIDDEN))
    }
    for name, rows in whole.items():
        write(f"{folder}/{name}.npy", rows)
        for rank in range(ranks):
            part = lambda items: items[rank * len(items) // ranks : (rank + 1) * len(items) // ranks]
            write(f"{folder}/{name}{ranks}.{rank}.npy", [part(row) for row in rows] if name == "v" else part(rows))
    for name, count in (("whole", 1), (ranks, ranks)):
        with open(f"{folder}/{name}.mlir", "w") as file:
            file.write(source(count))


def compare(ranks, folder):
    whole = read(f"{folder}/y.npy")
    joined = [value for rank in range(ranks) for value in read(f"{folder}/y{ranks}.{rank}.npy")]
    worst = max(abs(a - b) / (1 + abs(a)) for a, b in zip(whole, joined, strict=True))
    sys.exit(None if worst < 1e-5 else f"{ranks} ranks differ from one by {worst}")


{"make": make, "compare": compare}[sys.argv[1]](int(sys.argv[2]), sys.argv[3])
