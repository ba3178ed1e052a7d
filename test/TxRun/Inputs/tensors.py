"""tensors.py FILE.safetensors [NAME]: "DTYPE COUNT" for each type in a file, or one tensor's numbers."""

import collections
import json
import struct
import sys

with open(sys.argv[1], "rb") as source:
    (size,) = struct.unpack("<Q", source.read(8))
    header = json.loads(source.read(size))
    header.pop("__metadata__", None)
    data = source.read()
if len(sys.argv) == 2:
    counts = collections.Counter(entry["dtype"] for entry in header.values())
    print(*("%s %d" % item for item in sorted(counts.items())))
else:
    entry = header[sys.argv[2]]
    part = data[slice(*entry["data_offsets"])]
    if entry["dtype"] == "BF16":
        part = b"".join(b"\0\0" + part[i : i + 2] for i in range(0, len(part), 2))
    print(*struct.unpack("<%df" % (len(part) // 4), part))
