#!/usr/bin/env python3
"""Adds to recorded models what PyTorch computes for them in bf16; README.md says what the files hold.

  record_bf16.py [DIR ...]       those under Recorded/ that have such files, if no folder is given

Needs torch and numpy, nothing else.
"""

import json
import os
import sys

import torch

import gpt2_bf16_torch
import gpt2_torch as gpt2
import llama_bf16_torch
from record_gpt2 import train


MODELS = ["tied-2x30", "untied-3x20", "llama-2x24", "qwen2-2x16", "qwen3-2x20"]


def record(folder):
    def path(name):
        return os.path.join(folder, name)

    with open(path("config.json")) as source:
        config = json.load(source)
    bf16 = gpt2_bf16_torch if config["model_type"] == "gpt2" else llama_bf16_torch
    state = {name: value.double() for name, value in gpt2.read_safetensors(path("weights.safetensors")).items()}
    batch = {name: value.long() for name, value in gpt2.read_safetensors(path("batch.safetensors")).items()}
    tokens, targets = batch["tokens"], batch["targets"]
    expected = {"torch": torch.__version__}
    for attention in ("unfused", "flash"):

        def loss(rounded):
            return bf16.loss(config, rounded, tokens, targets, attention)

        losses, norms, gradients, _ = train(state, loss, steps=3, rounding=lambda x: x.bfloat16().double())
        expected[attention] = {"loss": losses, "grad_norm": norms}
        gpt2.write_safetensors(
            path("gradients-bf16-%s.safetensors" % attention), {k: v.float() for k, v in gradients.items()}
        )
    expected["plain_loss"] = float(bf16.plain_loss(config, state, tokens, targets))
    with open(path("expected-bf16.json"), "w") as out:
        json.dump(expected, out, indent=2)
        out.write("\n")
    print("%s: loss in bf16 %.7f" % (folder, expected["flash"]["loss"][0]))


def main():
    torch.set_num_threads(1)
    here = os.path.join(os.path.dirname(os.path.abspath(__file__)), "Recorded")
    for folder in sys.argv[1:] or [os.path.join(here, name) for name in MODELS]:
        record(folder)


if __name__ == "__main__":
    main()
