#!/usr/bin/env python3
"""Records what PyTorch computes for small GPT-2 models; README.md says what the files hold.

  record_gpt2.py                 writes the models of this list under Recorded/
  record_gpt2.py DIR --layers 2 --hidden 48 --heads 3 --ffn 192 --vocab 67 --positions 16
                 --seq 12 --batch 2 [--untied] [--seed 1]      writes one model of your own

Needs torch and numpy, nothing else.
"""

import argparse
import json
import os

import torch

import gpt2_torch as gpt2

# Small, odd sizes: no multiples of a vector's width, positions beyond the sequence.
MODELS = {
    "tied-2x30": dict(layers=2, hidden=30, heads=3, ffn=None, vocab=67, positions=16, seq=12, batch=2),
    "untied-3x20": dict(layers=3, hidden=20, heads=4, ffn=52, vocab=53, positions=9, seq=9, batch=3, untied=True),
    "tied-1x40": dict(layers=1, hidden=40, heads=2, ffn=None, vocab=131, positions=32, seq=17, batch=1),
}

# Megatron's defaults, but for the rate: three steps shall move every parameter well.
OPTIMIZER = dict(lr=0.01, adam_beta1=0.9, adam_beta2=0.999, adam_eps=1e-8, weight_decay=0.01, clip_grad=1.0)


def train(state, loss, steps, rounding=lambda x: x):
    """AdamW with global-norm clipping, written out; returns losses, norms, first gradients, parameters.

    `loss` sees the parameters rounded, and its gradients are those of the rounded ones.
    """
    o = OPTIMIZER
    state = {name: value.clone().requires_grad_() for name, value in state.items()}
    moment1 = {name: torch.zeros_like(value) for name, value in state.items()}
    moment2 = {name: torch.zeros_like(value) for name, value in state.items()}
    losses, norms, first = [], [], None
    for step in range(1, steps + 1):
        seen = {name: rounding(value.detach()).requires_grad_() for name, value in state.items()}
        value = loss(seen)
        gradients = dict(zip(seen, torch.autograd.grad(value, list(seen.values()))))
        first = first or gradients
        norm = torch.sqrt(sum((g.double() ** 2).sum() for g in gradients.values()))
        scale = min(1.0, o["clip_grad"] / (float(norm) + 1e-6))
        losses.append(float(value.detach()))
        norms.append(float(norm))
        with torch.no_grad():
            for name, parameter in state.items():
                g = gradients[name] * scale
                moment1[name].mul_(o["adam_beta1"]).add_(g, alpha=1 - o["adam_beta1"])
                moment2[name].mul_(o["adam_beta2"]).addcmul_(g, g, value=1 - o["adam_beta2"])
                if gpt2.decays(parameter):
                    parameter.mul_(1 - o["lr"] * o["weight_decay"])
                m = moment1[name] / (1 - o["adam_beta1"] ** step)
                v = moment2[name] / (1 - o["adam_beta2"] ** step)
                parameter.sub_(o["lr"] * m / (v.sqrt() + o["adam_eps"]))
    return losses, norms, first, state


def record(folder, seed, layers, hidden, heads, ffn, vocab, positions, seq, batch, untied=False):
    config = {
        "architectures": ["GPT2LMHeadModel"],
        "model_type": "gpt2",
        "activation_function": "gelu_new",
        "attn_pdrop": 0.0,
        "embd_pdrop": 0.0,
        "resid_pdrop": 0.0,
        "initializer_range": 0.02,
        "layer_norm_epsilon": 1e-5,
        "n_ctx": positions,
        "n_embd": hidden,
        "n_head": heads,
        "n_inner": ffn,
        "n_layer": layers,
        "n_positions": positions,
        "tie_word_embeddings": not untied,
        "vocab_size": vocab,
    }
    generator = torch.Generator().manual_seed(seed)
    state = {}
    for name, shape in gpt2.shapes(config).items():
        noise = torch.randn(shape, generator=generator)
        # Larger than at a usual start, so that no part of the model is almost linear.
        state[name] = 1 + 0.2 * noise if ".ln_" in name and name.endswith("weight") else 0.2 * noise
    tokens = torch.randint(vocab, (batch, seq), generator=generator)
    targets = torch.randint(vocab, (batch, seq), generator=generator)
    targets[torch.rand(batch, seq, generator=generator) < 0.2] = -100
    targets[0, 0] = -100

    double = {name: value.double() for name, value in state.items()}

    def loss(parameters):
        return gpt2.loss(config, parameters, tokens, targets)

    losses, norms, gradients, after = train(double, loss, steps=3)
    single_losses, single_norms, _, _ = train(state, loss, steps=3)

    os.makedirs(folder, exist_ok=True)

    def path(name):
        return os.path.join(folder, name)

    gpt2.write_safetensors(path("weights.safetensors"), state)
    gpt2.write_safetensors(path("batch.safetensors"), {"tokens": tokens.int(), "targets": targets.int()})
    gpt2.write_safetensors(path("gradients.safetensors"), {k: v.float() for k, v in gradients.items()})
    gpt2.write_safetensors(path("after.safetensors"), {k: v.float() for k, v in after.items()})
    with open(path("config.json"), "w") as out:
        json.dump(config, out, indent=2)
        out.write("\n")
    expected = {
        "torch": torch.__version__,
        "seed": seed,
        "batch": batch,
        "seq": seq,
        "valid_targets": int((targets != -100).sum()),
        "optimizer": OPTIMIZER,
        "loss": losses,
        "grad_norm": norms,
        "loss_f32": single_losses,
        "grad_norm_f32": single_norms,
    }
    with open(path("expected.json"), "w") as out:
        json.dump(expected, out, indent=2)
        out.write("\n")
    print("%s: loss %.7f, gradient norm %.5f" % (folder, losses[0], norms[0]))


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("folder", nargs="?")
    for name, default in [("layers", 2), ("hidden", 48), ("heads", 3), ("ffn", None), ("vocab", 67)]:
        parser.add_argument("--" + name, type=int, default=default)
    for name, default in [("positions", 16), ("seq", 12), ("batch", 2), ("seed", 1)]:
        parser.add_argument("--" + name, type=int, default=default)
    parser.add_argument("--untied", action="store_true")
    arguments = vars(parser.parse_args())
    folder = arguments.pop("folder")
    torch.set_num_threads(1)
    if folder:
        record(folder, **arguments)
        return
    here = os.path.join(os.path.dirname(os.path.abspath(__file__)), "Recorded")
    for seed, (name, sizes) in enumerate(MODELS.items(), 1):
        record(os.path.join(here, name), seed, **sizes)


if __name__ == "__main__":
    main()
