#!/usr/bin/env python3
"""set_element.py FROM.safetensors TO.safetensors NAME INDEX VALUE: one element of an
f32 tensor, anything that Python's float() takes."""

import json
import struct
import sys

source, target, name, index, value = sys.argv[1:]
data = bytearray(open(source, "rb").read())
(size,) = struct.unpack_from("<Q", data)
tensor = json.loads(data[8 : 8 + size])[name]
assert tensor["dtype"] == "F32", tensor
struct.pack_into("<f", data, 8 + size + tensor["data_offsets"][0] + 4 * int(index), float(value))
open(target, "wb").write(data)
