#!/usr/bin/env python3
"""compare_tensors.py A.safetensors B.safetensors BOUND: f32 tensors of the same names
differ, relative to the largest element of each, by at most BOUND, and somewhere do."""

import array
import json
import struct
import sys


def load(path):
    data = open(path, "rb").read()
    (size,) = struct.unpack_from("<Q", data)
    tensors = {}
    for name, tensor in json.loads(data[8 : 8 + size]).items():
        if name != "__metadata__":
            begin, end = tensor["data_offsets"]
            tensors[name] = array.array("f", data[8 + size + begin : 8 + size + end])
    return tensors


a, b, bound = load(sys.argv[1]), load(sys.argv[2]), float(sys.argv[3])
if a.keys() != b.keys():
    sys.exit(f"not the same names: {sorted(a.keys() ^ b.keys())}")
worst, where = max((max(abs(x - y) for x, y in zip(a[name], b[name])) / max(map(abs, a[name])), name) for name in a)
print(f"{len(a)} tensors, worst {worst:.2e} in {where}")
if not 0 < worst <= bound:
    sys.exit(f"not within (0, {bound}]")
