#!/usr/bin/env python3
"""Compares recorded folders with Hugging Face's own models and torch.optim.AdamW. Needs transformers."""

import json
import os
import sys

import torch
import transformers

import gpt2_torch as gpt2


def check(folder):
    def path(name):
        return os.path.join(folder, name)

    config = transformers.AutoConfig.from_pretrained(path("config.json"))
    model = transformers.AutoModelForCausalLM.from_config(
        config, dtype=torch.float64, attn_implementation="eager").train()
    weights = {k: v.double() for k, v in gpt2.read_safetensors(path("weights.safetensors")).items()}
    missing, unexpected = model.load_state_dict(weights, strict=False)
    # What is not in the file: causal mask buffers, and the tied head.
    assert not unexpected, unexpected
    assert all("attn.bias" in m or "masked_bias" in m or m == "lm_head.weight" for m in missing), missing

    with open(path("expected.json")) as source:
        expected = json.load(source)
    o = expected["optimizer"]
    parameters = dict(model.named_parameters())
    groups = [
        {"params": [p for p in parameters.values() if p.dim() > 1], "weight_decay": o["weight_decay"]},
        {"params": [p for p in parameters.values() if p.dim() <= 1], "weight_decay": 0.0},
    ]
    betas = (o["adam_beta1"], o["adam_beta2"])
    adam = torch.optim.AdamW(groups, lr=o["lr"], betas=betas, eps=o["adam_eps"])

    batch = gpt2.read_safetensors(path("batch.safetensors"))
    gradients = gpt2.read_safetensors(path("gradients.safetensors"))
    worst = 0.0
    for step in range(len(expected["loss"])):
        logits = model(batch["tokens"].long()).logits
        loss = torch.nn.functional.cross_entropy(
            logits.flatten(0, 1), batch["targets"].long().flatten(), ignore_index=-100
        )
        adam.zero_grad()
        loss.backward()
        worst = max(worst, abs(float(loss) - expected["loss"][step]))
        if step == 0:
            for name, value in gradients.items():
                worst = max(worst, float((parameters[name].grad - value).norm() / (value.norm() + 1e-30)))
        norm = torch.nn.utils.clip_grad_norm_(model.parameters(), o["clip_grad"])
        worst = max(worst, abs(float(norm) - expected["grad_norm"][step]))
        adam.step()
    for name, value in gpt2.read_safetensors(path("after.safetensors")).items():
        worst = max(worst, float((parameters[name] - value).norm() / value.norm()))
    print("%s: worst difference %.2g" % (folder, worst))
    # RMS norms, and cos and sin, are f32 in Hugging Face's classes whatever the type of the rest is.
    return worst < (1e-6 if config.model_type == "gpt2" else 1e-5)


if __name__ == "__main__":
    sys.exit(0 if all([check(folder) for folder in sys.argv[1:]]) else 1)
