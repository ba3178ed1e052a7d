#!/usr/bin/env python3
"""same_tensors.py A.safetensors B.safetensors [NAME...]: the same tensors, bit by bit, but
for those named; the files' own words may differ."""

import json
import struct
import sys


def load(path):
    data = open(path, "rb").read()
    (size,) = struct.unpack_from("<Q", data)
    return {
        name: (
            tensor["dtype"],
            tensor["shape"],
            data[8 + size + tensor["data_offsets"][0] : 8 + size + tensor["data_offsets"][1]],
        )
        for name, tensor in json.loads(data[8 : 8 + size]).items()
        if name != "__metadata__"
    }


a, b = load(sys.argv[1]), load(sys.argv[2])
if a.keys() != b.keys():
    sys.exit(f"not the same names: {sorted(a.keys() ^ b.keys())}")
different = [name for name in a if a[name] != b[name] and name not in sys.argv[3:]]
if different:
    sys.exit(f"{len(different)} of {len(a)} tensors differ: {different[:8]}")
print(f"{len(a)} tensors are the same")
