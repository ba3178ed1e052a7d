#!/usr/bin/env python3
"""Trains a step on a file of text with ctypes and NumPy alone, and looks at a weight.

usage: train.py STEP.txa TEXT ITERATIONS RUN.safetensors [LIBRARY]

Does what train.c does, with the same numbers; LIBRARY is libtxrt_train.so, if the loader does not find it.
"""

import ctypes
import os
import sys

import numpy

F32 = 0  # of txrt_dtype


class Error(ctypes.Structure):
    _fields_ = [("code", ctypes.c_int), ("message", ctypes.c_char * 1024)]


class Info(ctypes.Structure):
    _fields_ = [("micro_batch", ctypes.c_uint64), ("sequence", ctypes.c_uint64), ("vocabulary", ctypes.c_uint64),
                ("global_batch", ctypes.c_uint64), ("has_ignored", ctypes.c_int), ("ignored", ctypes.c_int32),
                ("seed", ctypes.c_uint64)]


class Position(ctypes.Structure):
    _fields_ = [("iteration", ctypes.c_int64), ("samples", ctypes.c_uint64), ("seed", ctypes.c_uint64)]


class Result(ctypes.Structure):
    _fields_ = [("loss", ctypes.c_double), ("grad_norm", ctypes.c_float), ("valid_count", ctypes.c_uint64),
                ("tokens", ctypes.c_uint64)]


class Tensor(ctypes.Structure):
    _fields_ = [("name", ctypes.c_char_p), ("dtype", ctypes.c_int), ("rank", ctypes.c_int),
                ("shape", ctypes.POINTER(ctypes.c_uint64)), ("elements", ctypes.c_uint64), ("place", ctypes.c_void_p)]


class Train:
    """A step that is open. Errors become exceptions."""

    def __init__(self, artifact, library="libtxrt_train.so"):
        self.library = ctypes.CDLL(library)
        self.library.txrt_train_session.restype = ctypes.c_void_p
        self.handle = ctypes.c_void_p()
        self.call("txrt_train_open", artifact.encode(), None, ctypes.byref(self.handle))
        self.info = Info()
        self.call("txrt_train_describe", self.handle, ctypes.byref(self.info))

    def call(self, name, *arguments):
        error = Error()
        if getattr(self.library, name)(*arguments, ctypes.byref(error)):
            raise RuntimeError(error.message.decode())

    def initialize(self, seed):
        self.call("txrt_train_initialize", self.handle, ctypes.c_uint64(seed))

    def load(self, path):
        self.call("txrt_train_load", self.handle, path.encode(), 0)

    def save(self, path):
        self.call("txrt_train_save", self.handle, path.encode(), 0)

    def iteration(self):
        position = Position()
        self.call("txrt_train_where", self.handle, ctypes.byref(position))
        return position.iteration

    def step(self, tokens, targets, lr):
        """One iteration on arrays of ids, [global batch, sequence]."""
        tokens, targets = (numpy.ascontiguousarray(ids, numpy.int32) for ids in (tokens, targets))
        result = Result()
        self.call("txrt_train_step_batch", self.handle, tokens.ctypes.data_as(ctypes.c_void_p),
                  targets.ctypes.data_as(ctypes.c_void_p), ctypes.c_uint64(len(tokens)), ctypes.c_double(lr),
                  ctypes.byref(result))
        return result.loss

    def tensor(self, name, entry=None):
        """A copy of a global, or of an entry's argument or result, whose numbers are f32 or bf16."""
        session, tensor = ctypes.c_void_p(self.library.txrt_train_session(self.handle)), Tensor()
        self.call("txrt_session_find_tensor", session, entry and entry.encode(), name.encode(), ctypes.byref(tensor))
        array = numpy.empty([tensor.shape[i] for i in range(tensor.rank)], numpy.float32)
        self.call("txrt_session_read_tensor", session, ctypes.byref(tensor), F32, ctypes.c_uint64(tensor.elements),
                  array.ctypes.data_as(ctypes.c_void_p))
        return array

    def close(self):
        self.library.txrt_train_close(self.handle)


def main(artifact, text, iterations, run, *library):
    train = Train(artifact, *library)
    if os.path.exists(run):
        train.load(run)
    else:
        train.initialize(1234)
    shape = train.info.global_batch, train.info.sequence
    count = shape[0] * shape[1]
    ids = numpy.fromfile(text, numpy.uint8)
    for iteration in range(train.iteration(), int(iterations)):
        begin = iteration * count % (len(ids) - count)
        tokens, targets = ids[begin:begin + count], ids[begin + 1:begin + count + 1]
        loss = train.step(tokens.reshape(shape), targets.reshape(shape), 1e-3)
        if (iteration + 1) % 10 == 0:
            print(f"iteration {iteration + 1}  loss {loss:.4f}")
    train.save(run)
    weight = train.tensor("transformer.wte.weight")
    print("the embedding is", " x ".join(map(str, weight.shape)), weight.dtype)
    train.close()


if __name__ == "__main__":
    if len(sys.argv) not in (5, 6):
        sys.exit(__doc__)
    try:
        main(*sys.argv[1:])
    except RuntimeError as error:
        sys.exit(f"train.py: {error}")
