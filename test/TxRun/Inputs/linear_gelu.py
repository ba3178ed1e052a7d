"""Numbers for linear_gelu.mlir, and what should come of them.

linear_gelu.py make DIR: the arguments
linear_gelu.py check DIR: y, pre and dpre there, against the formulas in double precision
"""

import math
import random
import struct
import sys

ROWS, K, F, H = 10, 6, 16, 4  # 2 x 5 rows
ROOT, CUBIC = math.sqrt(2 / math.pi), 0.044715


def save(path, shape, numbers):
    header = "{'descr': '<f4', 'fortran_order': False, 'shape': %s, }" % (shape,)
    header = header.ljust(64 * 2 - 11) + "\n"
    with open(path, "wb") as file:
        file.write(b"\x93NUMPY\x01\x00" + struct.pack("<H", len(header)) + header.encode())
        file.write(struct.pack("<%df" % len(numbers), *numbers))


def load(path):
    data = open(path, "rb").read()
    data = data[10 + struct.unpack("<H", data[8:10])[0] :]
    return struct.unpack("<%df" % (len(data) // 4), data)


def product(a, b, m, k, n):
    return [sum(a[i * k + p] * b[p * n + j] for p in range(k)) for i in range(m) for j in range(n)]


def gelu(x):
    return x / 2 * (1 + math.tanh(ROOT * (x + CUBIC * x**3)))


def derivative(x):
    t = math.tanh(ROOT * (x + CUBIC * x**3))
    return (1 + t) / 2 + x / 2 * (1 - t * t) * ROOT * (1 + 3 * CUBIC * x * x)


def main(command, folder):
    shapes = {"x": (2, 5, K), "w": (K, F), "b": (F,), "dy": (2, 5, H), "v": (F, H)}
    if command == "make":
        numbers = random.Random(3)
        for name, shape in shapes.items():
            save(f"{folder}/{name}.npy", shape, [numbers.uniform(-1, 1) for _ in range(math.prod(shape))])
        return
    x, w, b, dy, v = (load(f"{folder}/{name}.npy") for name in shapes)
    pre = [p + b[i % F] for i, p in enumerate(product(x, w, ROWS, K, F))]
    transposed = [v[j * H + i] for i in range(H) for j in range(F)]
    dact = product(dy, transposed, ROWS, H, F)
    expected = {"pre": pre, "y": [gelu(p) for p in pre], "dpre": [d * derivative(p) for d, p in zip(dact, pre)]}
    for name, values in expected.items():
        worst = max(abs(a - b) for a, b in zip(load(f"{folder}/{name}.npy"), values))
        print(f"{name}: {worst:.1e} at most")
        if not worst < 1e-5:
            sys.exit(f"{name} is not near")


main(*sys.argv[1:])
