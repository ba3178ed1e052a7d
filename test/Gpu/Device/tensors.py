"""Gradients as tx-run writes them."""

import hashlib
import json
import struct

import process


def read_safetensors(path):
    """name: (dtype, bytes)"""
    try:
        with open(path, "rb") as file:
            data = file.read()
        (size,) = struct.unpack_from("<Q", data)
        header = json.loads(data[8 : 8 + size])
        header.pop("__metadata__", None)
        at = 8 + size
        return {n: (t["dtype"], data[at + t["data_offsets"][0] : at + t["data_offsets"][1]]) for n, t in header.items()}
    except (OSError, struct.error, ValueError, KeyError) as error:
        raise process.Trouble(f"no gradients were written: {error}")


def digest(tensors):
    """Of all bits; what policy made them is not in it."""
    result = hashlib.sha256()
    for name, (dtype, data) in sorted(tensors.items()):
        result.update(f"{name} {dtype} {len(data)} ".encode() + data)
    return result.hexdigest()


def floats(name, tensor):
    """Its values. Of a bias of queries, keys and values the keys' third is left out: its gradient is
    nothing but noise, since softmax does not see it."""
    dtype, data = tensor
    if dtype == "BF16":
        data = b"".join(b"\0\0" + data[i : i + 2] for i in range(0, len(data), 2))
    values = struct.unpack(f"<{len(data) // 4}f", data)
    third = len(values) // 3
    return values[:third] + values[2 * third :] if name.endswith("c_attn.bias") else values


def relative_error(a, b):
    difference = sum((x - y) ** 2 for x, y in zip(a, b)) ** 0.5
    return difference / (sum(y * y for y in b) ** 0.5 + 1e-30)


def worst_error(tensors, wanted):
    """(error, name) of the gradient that is farthest from what is wanted."""
    if set(tensors) != set(wanted):
        raise process.Trouble(f"other gradients than the host's: {', '.join(sorted(set(tensors) ^ set(wanted))[:3])}")
    # Not a number is worse than any number.
    errors = [(relative_error(floats(n, tensors[n]), floats(n, t)), n) for n, t in wanted.items()]
    return max(errors, key=lambda error: (error[0] != error[0], error[0]))
