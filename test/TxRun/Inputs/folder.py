"""folder.py FOLDER [FILE.safetensors]: lists the files, and the model's and the weights' type of the config. Writes what
all safetensors files of the folder hold into one file."""

import json
import os
import struct
import sys

folder = sys.argv[1]
names = sorted(os.listdir(folder))
print(*names, sep="\n")
with open(os.path.join(folder, "config.json")) as config:
    fields = json.load(config)
for name in ("model_type", "torch_dtype"):
    print(f'"{name}": "{fields[name]}"')

header, data = {}, b""
for name in names:
    if not name.endswith(".safetensors"):
        continue
    with open(os.path.join(folder, name), "rb") as file:
        (size,) = struct.unpack("<Q", file.read(8))
        own = json.loads(file.read(size))
        own.pop("__metadata__", None)
        for tensor in own.values():
            tensor["data_offsets"] = [len(data) + at for at in tensor["data_offsets"]]
        header.update(own)
        data += file.read()
text = json.dumps(header).encode()
with open(sys.argv[2], "wb") as file:
    file.write(struct.pack("<Q", len(text)) + text + data)
