"""events.py FILE... [--log LOG.jsonl]: decodes event files by hand, checksums included, and prints their points.

With --log it compares the losses with the log's instead.
"""

import json
import struct
import sys


def crc32c(data):
    value = 0xFFFFFFFF
    for byte in data:
        value ^= byte
        for _ in range(8):
            value = value >> 1 ^ (0x82F63B78 if value & 1 else 0)
    return value ^ 0xFFFFFFFF


assert crc32c(b"123456789") == 0xE3069283  # the check value of CRC-32C


def check(data, stored):
    crc = crc32c(data)
    assert (((crc >> 15 | crc << 17) & 0xFFFFFFFF) + 0xA282EAD8) & 0xFFFFFFFF == stored


def records(data):
    at = 0
    while at < len(data):
        length, crc = struct.unpack_from("<QI", data, at)
        check(data[at : at + 8], crc)
        record = data[at + 12 : at + 12 + length]
        check(record, *struct.unpack_from("<I", data, at + 12 + length))
        yield record
        at += 16 + length
    assert at == len(data)


def varint(data, at):
    value = shift = 0
    while True:
        value |= (data[at] & 0x7F) << shift
        shift += 7
        at += 1
        if data[at - 1] < 0x80:
            return value, at


def fields(data):
    at = 0
    while at < len(data):
        key, at = varint(data, at)
        kind = key & 7
        if kind == 0:
            value, at = varint(data, at)
        elif kind == 2:
            size, at = varint(data, at)
            value, at = data[at : at + size], at + size
        else:
            form, size = {1: ("<d", 8), 5: ("<f", 4)}[kind]
            (value,) = struct.unpack_from(form, data, at)
            at += size
        yield key >> 3, value


arguments = sys.argv[1:]
log = arguments[arguments.index("--log") + 1] if "--log" in arguments else None
paths = arguments[: arguments.index("--log")] if log else arguments
points = []
for path in paths:
    for number, record in enumerate(records(open(path, "rb").read())):
        event = list(fields(record))
        times = [value for key, value in event if key == 1]
        assert len(times) == 1 and times[0] > 1e9
        assert (number == 0) == (3 in dict(event))
        if number == 0:
            version = dict(event)[3].decode()
            assert version == "brain.Event:2"
            if not log:
                print("version", version)
            continue
        step = dict(event)[2]
        for _, value in fields(dict(event)[5]):
            point = dict(fields(value))
            points.append((step, point[1].decode(), point[2]))
            if not log:
                print(step, point[1].decode(), f"{point[2]:.6g}")
if log:
    lines = [json.loads(line) for line in open(log)]
    logged = {line["step"]: line["loss"] for line in lines if line["event"] == "step"}
    losses = {step: value for step, tag, value in points if tag == "lm loss"}
    assert losses.keys() == logged.keys()
    assert all(abs(losses[step] - logged[step]) < 1e-6 * abs(logged[step]) for step in losses)
    print(len(losses), "losses are the log's")
