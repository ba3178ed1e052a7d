#!/usr/bin/env python3
"""Records what PyTorch computes for small models of LLaMA and its relatives; README.md says what the files hold.

  record_llama.py [NAME ...]     writes the models of this list, or all, under Recorded/

Needs torch and numpy, nothing else.
"""

import json
import os
import sys

import torch

import gpt2_torch as gpt2
import llama_torch as llama
from record_gpt2 import OPTIMIZER, train

CLASSES = {
    "llama": "LlamaForCausalLM",
    "mistral": "MistralForCausalLM",
    "qwen2": "Qwen2ForCausalLM",
    "qwen3": "Qwen3ForCausalLM",
}

COMMON = dict(rms_norm_eps=1e-5, hidden_act="silu", max_position_embeddings=32, tie_word_embeddings=False)

# Odd sizes: heads together narrower or wider than the stream, groups of one and of several heads, each scaling once.
MODELS = {
    "llama-2x24": dict(
        model_type="llama", hidden_size=24, intermediate_size=37, num_hidden_layers=2, num_attention_heads=4,
        num_key_value_heads=2, vocab_size=61, rope_theta=10000.0, rope_scaling=dict(
            rope_type="llama3", factor=8.0, low_freq_factor=1.0, high_freq_factor=4.0,
            original_max_position_embeddings=16)),
    "llama-1x20-biases": dict(
        model_type="llama", hidden_size=20, intermediate_size=28, num_hidden_layers=1, num_attention_heads=5,
        num_key_value_heads=1, head_dim=6, vocab_size=43, rope_theta=500000.0, attention_bias=True, mlp_bias=True,
        tie_word_embeddings=True, rope_scaling=dict(
            rope_type="yarn", factor=4.0, original_max_position_embeddings=8)),
    "mistral-2x18": dict(
        model_type="mistral", hidden_size=18, intermediate_size=31, num_hidden_layers=2, num_attention_heads=3,
        num_key_value_heads=3, vocab_size=37, rope_theta=1000000.0, sliding_window=None, rope_scaling=dict(
            rope_type="linear", factor=2.0)),
    "qwen2-2x16": dict(
        model_type="qwen2", hidden_size=16, intermediate_size=33, num_hidden_layers=2, num_attention_heads=4,
        num_key_value_heads=2, vocab_size=59, rope_theta=1000000.0, rms_norm_eps=1e-6, tie_word_embeddings=True,
        max_position_embeddings=8, rope_scaling=dict(rope_type="dynamic", factor=2.0)),
    "qwen3-2x20": dict(
        model_type="qwen3", hidden_size=20, intermediate_size=29, num_hidden_layers=2, num_attention_heads=3,
        num_key_value_heads=1, head_dim=10, vocab_size=47, rope_theta=1000000.0, rms_norm_eps=1e-6),
}
BATCH, SEQ = 3, 13


def record(folder, seed, config):
    config = {**COMMON, "architectures": [CLASSES[config["model_type"]]], "torch_dtype": "float32", **config}
    generator = torch.Generator().manual_seed(seed)
    state = {}
    for name, shape in llama.shapes(config).items():
        noise = torch.randn(shape, generator=generator)
        # Larger than at a usual start, so that no part of the model is almost linear.
        state[name] = 1 + 0.2 * noise if "norm" in name else 0.2 * noise
    tokens = torch.randint(config["vocab_size"], (BATCH, SEQ), generator=generator)
    targets = torch.randint(config["vocab_size"], (BATCH, SEQ), generator=generator)
    targets[torch.rand(BATCH, SEQ, generator=generator) < 0.2] = -100
    targets[0, 0] = -100

    def loss(parameters):
        return llama.loss(config, parameters, tokens, targets)

    losses, norms, gradients, after = train({k: v.double() for k, v in state.items()}, loss, steps=3)
    single_losses, single_norms, _, _ = train(state, loss, steps=3)

    os.makedirs(folder, exist_ok=True)

    def path(name):
        return os.path.join(folder, name)

    gpt2.write_safetensors(path("weights.safetensors"), state)
    gpt2.write_safetensors(path("batch.safetensors"), {"tokens": tokens.int(), "targets": targets.int()})
    gpt2.write_safetensors(path("gradients.safetensors"), {k: v.float() for k, v in gradients.items()})
    gpt2.write_safetensors(path("after.safetensors"), {k: v.float() for k, v in after.items()})
    expected = {
        "torch": torch.__version__,
        "seed": seed,
        "batch": BATCH,
        "seq": SEQ,
        "valid_targets": int((targets != -100).sum()),
        "optimizer": OPTIMIZER,
        "loss": losses,
        "grad_norm": norms,
        "loss_f32": single_losses,
        "grad_norm_f32": single_norms,
    }
    for name, content in [("config.json", config), ("expected.json", expected)]:
        with open(path(name), "w") as out:
            json.dump(content, out, indent=2)
            out.write("\n")
    print("%s: loss %.7f, gradient norm %.5f" % (folder, losses[0], norms[0]))


def main():
    torch.set_num_threads(1)
    here = os.path.join(os.path.dirname(os.path.abspath(__file__)), "Recorded")
    for seed, (name, config) in enumerate(MODELS.items(), start=1):
        if not sys.argv[1:] or name in sys.argv[1:]:
            record(os.path.join(here, name), seed, config)


if __name__ == "__main__":
    main()
