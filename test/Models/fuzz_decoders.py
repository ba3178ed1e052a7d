#!/usr/bin/env python3
"""Compares Tx with Hugging Face's classes on random small configs; needs torch, transformers and safetensors.

  fuzz_decoders.py BIN [--seed 1] [--count 100] [--family llama ...] [--keep DIR]

BIN is the folder of tx-compile and tx-run. For each seed it draws a config, writes the folder that `transformers` writes,
and compares in f32: the loss (1e-5 relative), each parameter's gradient (1e-4 of its norm), and the weights, bit by bit,
after they went from `transformers` to Tx and back, and from Tx to `transformers` and back.
"""

import argparse
import json
import os
import random
import shutil
import subprocess
import sys
import tempfile

import numpy
import torch
import torch.nn.functional as F
import transformers
from safetensors.torch import load_file, save_file

import gpt2_torch
import llama_torch

CLASSES = {
    "llama": (transformers.LlamaConfig, transformers.LlamaForCausalLM),
    "mistral": (transformers.MistralConfig, transformers.MistralForCausalLM),
    "qwen2": (transformers.Qwen2Config, transformers.Qwen2ForCausalLM),
    "qwen3": (transformers.Qwen3Config, transformers.Qwen3ForCausalLM),
    "gpt2": (transformers.GPT2Config, transformers.GPT2LMHeadModel),
}


def draw_rope(draw):
    """The rope_parameters of transformers 5."""
    rope = {"rope_theta": draw.choice([100.0, 1e4, 5e5, 1e6]), "rope_type": "default"}
    kind = draw.choice(["default", "default", "linear", "dynamic", "llama3", "yarn"])
    if kind == "default":
        return rope
    rope["rope_type"] = kind
    rope["factor"] = draw.choice([2.0, 4.0, 8.0, 1.5, 32.0])
    if kind == "llama3":
        rope["low_freq_factor"] = draw.choice([1.0, 0.5])
        rope["high_freq_factor"] = draw.choice([4.0, 2.0, 8.0])
        rope["original_max_position_embeddings"] = draw.choice([4, 16, 64, 8192])
    if kind == "yarn":
        rope["original_max_position_embeddings"] = draw.choice([8, 16, 64, 4096])
        if draw.random() < 0.3:
            rope["beta_fast"], rope["beta_slow"] = draw.choice([(32.0, 1.0), (16.0, 2.0), (4.0, 0.5)])
        if draw.random() < 0.3:
            rope["attention_factor"] = draw.choice([0.9, 1.25])
        elif draw.random() < 0.4:
            rope["mscale"], rope["mscale_all_dim"] = draw.choice([(1.0, 1.0), (0.707, 0.707), (1.0, 0.5)])
        if draw.random() < 0.2:
            rope["truncate"] = False
    return rope


def draw_config(draw, family):
    seq, batch = draw.randint(1, 40), draw.randint(1, 3)
    layers, vocab = draw.randint(1, 3), draw.randint(7, 150)
    tied = draw.random() < 0.4
    if family == "gpt2":
        heads = draw.randint(1, 5)
        config = transformers.GPT2Config(
            vocab_size=vocab,
            n_positions=seq + draw.randint(0, 9),
            n_embd=heads * draw.randint(4, 12),  # a norm of fewer numbers has almost no gradient
            n_head=heads,
            n_layer=layers,
            n_inner=draw.choice([None, draw.randint(3, 70)]),
            layer_norm_epsilon=draw.choice([1e-5, 1e-6]),
            activation_function=draw.choice(["gelu_new", "gelu_new", "gelu_pytorch_tanh"]),
            tie_word_embeddings=tied,
            attn_pdrop=0.0,
            embd_pdrop=0.0,
            resid_pdrop=0.0,
        )
        return config, seq, batch
    groups = draw.randint(1, 3)
    heads = groups * draw.randint(1, 4)
    positions = draw.choice([seq, 2 * seq + 3, max(1, seq // 2), 128])
    rope = draw_rope(draw)
    width = 2 * draw.randint(2 if rope["rope_type"] == "dynamic" else 1, 12)  # dynamic divides by width - 2
    own_width = draw.random() < 0.5
    hidden = heads * (draw.randint(2, 12) if own_width else width)
    fields = dict(
        vocab_size=vocab,
        hidden_size=hidden,
        intermediate_size=draw.randint(3, 90),
        num_hidden_layers=layers,
        num_attention_heads=heads,
        num_key_value_heads=groups,
        rms_norm_eps=draw.choice([1e-5, 1e-6]),
        max_position_embeddings=positions,
        rope_parameters=rope,
        tie_word_embeddings=tied,
        bos_token_id=None,
        eos_token_id=None,
        pad_token_id=None,
    )
    if own_width or family == "qwen3":
        fields["head_dim"] = width
    if family in ("llama", "qwen3"):
        fields["attention_bias"] = draw.random() < 0.4
    if family == "llama":
        fields["mlp_bias"] = draw.random() < 0.4
    if family == "mistral":
        fields["sliding_window"] = None
    return CLASSES[family][0](**fields), seq, batch


def respell(folder):
    """Spells config.json as transformers 4 did: rope_theta and rope_scaling."""
    path = os.path.join(folder, "config.json")
    with open(path) as source:
        config = json.load(source)
    rope = config.pop("rope_parameters", None)
    if rope:
        config["rope_theta"] = rope.pop("rope_theta")
        config["rope_scaling"] = rope if rope.get("rope_type", "default") != "default" else None
    config["torch_dtype"] = config.pop("dtype", "float32")
    config["transformers_version"] = "4.44.0"
    with open(path, "w") as out:
        json.dump(config, out, indent=2)


class Mismatch(Exception):
    pass


def run(*command):
    done = subprocess.run([str(part) for part in command], stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
    if done.returncode:
        raise Mismatch("exit status %d of %s\n%s" % (done.returncode, " ".join(map(str, command)), done.stdout[-2000:]))
    return done.stdout


def weights_of(folder):
    """All tensors of a folder's safetensors files, without Tx's optimizer state."""
    tensors = {}
    for name in sorted(os.listdir(folder)):
        if name.endswith(".safetensors") and not name.startswith("tx-"):
            tensors.update(load_file(os.path.join(folder, name)))
    return tensors


def require_same(what, a, b):
    if a.keys() != b.keys():
        raise Mismatch("%s: not the same names: %s" % (what, sorted(a.keys() ^ b.keys())))
    for name in a:
        if a[name].dtype != b[name].dtype or not torch.equal(a[name].view(torch.int32), b[name].view(torch.int32)):
            raise Mismatch("%s: %s differs" % (what, name))


def relative(a, b):
    return float((a.double() - b.double()).norm() / (b.double().norm() + 1e-30))


def exact_gradients(config, folder, family, tokens, targets):
    """Those of our own model in double precision."""
    model = gpt2_torch if family == "gpt2" else llama_torch
    config = config.to_dict()
    if family != "gpt2":
        config["rope_scaling"] = config.pop("rope_parameters")
        config["rope_theta"] = config["rope_scaling"]["rope_theta"]
    state = {name: tensor.double().requires_grad_() for name, tensor in weights_of(folder).items()}
    value = model.loss(config, state, tokens, targets)
    return dict(zip(state, torch.autograd.grad(value, list(state.values()))))


def check(binary, folder, family, seed):
    draw = random.Random("%s %d" % (family, seed))
    torch.manual_seed(seed)
    config, seq, batch = draw_config(draw, family)
    config._attn_implementation = "eager"
    config.use_cache = False
    model = CLASSES[family][1](config).float().train()
    with torch.no_grad():
        for name, parameter in model.named_parameters():
            noise = 0.2 * torch.randn_like(parameter)
            parameter.copy_(1 + noise if parameter.dim() == 1 and name.endswith("weight") else noise)
    hf = os.path.join(folder, "hf")
    model.save_pretrained(hf, max_shard_size=draw.choice(["5GB", "20KB", "3KB"]))
    if draw.random() < 0.5 and family != "gpt2":
        respell(hf)
    tokens = torch.randint(config.vocab_size, (batch, seq))
    targets = torch.randint(config.vocab_size, (batch, seq))
    targets[torch.rand(batch, seq) < 0.2] = -100
    targets[0, 0] = 1
    valid = int((targets != -100).sum())
    logits = model(tokens).logits
    loss = F.cross_entropy(logits.flatten(0, 1).float(), targets.flatten(), ignore_index=-100)
    loss.backward()

    numpy.save(os.path.join(folder, "tokens.npy"), tokens.int().numpy())
    numpy.save(os.path.join(folder, "targets.npy"), targets.int().numpy())
    save_file({"tokens": tokens.int(), "targets": targets.int()}, os.path.join(folder, "samples.safetensors"))
    artifact = os.path.join(folder, "step.txa")
    policy = draw.choice(
        [
            "",
            "--recompute-granularity full --recompute-method uniform --recompute-num-layers 1",
            "--recompute-granularity selective --recompute-modules core_attn,mlp,layernorm",
        ]
    )
    attention = draw.choice(["flash", "unfused"])
    run(
        os.path.join(binary, "tx-compile"),
        os.path.join(hf, "config.json"),
        "--micro-batch-size",
        batch,
        "--seq-length",
        seq,
        "--fp32",
        "--attention-backend",
        attention,
        *policy.split(),
        "-o",
        artifact,
    )
    tx_run = os.path.join(binary, "tx-run")
    inputs = [
        "tokens=" + os.path.join(folder, "tokens.npy"),
        "targets=" + os.path.join(folder, "targets.npy"),
        "loss_scale=%.9g" % (1 / valid),
        "first=1",
        "key=0",
    ]
    flags = [flag for value in inputs for flag in ("--input", value)]
    gradients_file = os.path.join(folder, "gradients.safetensors")
    run(
        tx_run,
        artifact,
        "--load",
        hf,
        "--function",
        "microbatch",
        *flags,
        "--output",
        "loss_sum=" + os.path.join(folder, "loss.npy"),
        "--dump-gradients",
        gradients_file,
    )
    tx_loss = float(numpy.load(os.path.join(folder, "loss.npy"))) / valid
    expected = float(loss.detach())
    if not abs(tx_loss - expected) <= 1e-5 * abs(expected):
        raise Mismatch("loss %.9g, transformers has %.9g (%s)" % (tx_loss, expected, attention))
    gradients = load_file(gradients_file)
    named = dict(model.named_parameters())
    if gradients.keys() != named.keys():
        raise Mismatch("gradients: not the same names: %s" % sorted(gradients.keys() ^ named.keys()))
    worst = 0.0
    exact = None
    for name, parameter in named.items():
        error = relative(gradients[name], parameter.grad)
        if error <= 1e-4:
            worst = max(worst, error)
            continue
        # Is it Tx or f32? Where large sums cancel, both are far from the gradient in double precision.
        exact = exact or exact_gradients(config, hf, family, tokens, targets)
        largest = max(float(g.norm()) for g in exact.values())
        own, theirs = (float((g.double() - exact[name]).norm()) for g in (gradients[name], parameter.grad))
        if own > 1e-4 * float(exact[name].norm()) and own > 2 * theirs + 1e-6 * largest:
            raise Mismatch(
                "gradient of %s: %.3g of its norm %.3g; from that in double, Tx's is %.3g away, theirs %.3g"
                % (name, error, float(parameter.grad.norm()), own, theirs)
            )

    # transformers -> Tx -> transformers -> Tx.
    tx = os.path.join(folder, "tx")
    samples = os.path.join(folder, "samples.safetensors")
    shard = draw.choice([[], ["--max-shard-size", "3KB"]])
    run(
        tx_run,
        artifact,
        "--load",
        hf,
        "--train-iters",
        0,
        "--data-path",
        samples,
        "--save",
        tx,
        *shard,
        *draw.choice([[], ["--save-optim"]]),
    )
    require_same("transformers -> Tx", weights_of(hf), weights_of(tx))
    back, info = CLASSES[family][1].from_pretrained(tx, output_loading_info=True, attn_implementation="eager")
    wrong = {key: value for key, value in info.items() if value}
    if wrong:
        raise Mismatch("from_pretrained of Tx's folder: %s" % wrong)
    require_same("Tx -> transformers", dict(model.state_dict()), dict(back.state_dict()))
    with torch.no_grad():
        again = back.train()(tokens).logits
    if relative(again, logits.detach()) > 1e-6:  # two names of one activation round in two ways
        raise Mismatch("the config that Tx wrote gives other logits: %.3g" % relative(again, logits.detach()))
    third = os.path.join(folder, "third")
    back.save_pretrained(third)
    out = os.path.join(folder, "out.safetensors")
    run(
        os.path.join(binary, "tx-compile"),
        os.path.join(tx, "config.json"),
        "--micro-batch-size",
        batch,
        "--seq-length",
        seq,
        "--fp32",
        "-o",
        artifact,
    )
    run(tx_run, artifact, "--load", third, "--train-iters", 0, "--data-path", samples, "--save", out)
    require_same("Tx -> transformers -> Tx", weights_of(hf), load_file(out))
    return "loss %.6f, worst gradient %.2g, %s, %s" % (
        expected,
        worst,
        attention,
        (getattr(config, "rope_parameters", None) or {}).get("rope_type", "-"),
    )


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("bin")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--count", type=int, default=100)
    parser.add_argument("--family", nargs="*", default=list(CLASSES), choices=list(CLASSES))
    parser.add_argument("--keep", help="keep the folders of what does not agree here")
    arguments = parser.parse_args()
    torch.set_num_threads(1)
    transformers.logging.set_verbosity_error()
    transformers.logging.disable_progress_bar()
    failures = 0
    for seed in range(arguments.seed, arguments.seed + arguments.count):
        family = arguments.family[seed % len(arguments.family)]
        folder = tempfile.mkdtemp()
        try:
            print("%d %s: %s" % (seed, family, check(os.path.abspath(arguments.bin), folder, family, seed)), flush=True)
        except Mismatch as mismatch:
            failures += 1
            print("%d %s: MISMATCH %s" % (seed, family, mismatch), flush=True)
            if arguments.keep:
                kept = os.path.join(arguments.keep, "%s-%d" % (family, seed))
                shutil.rmtree(kept, ignore_errors=True)
                shutil.copytree(folder, kept)
        shutil.rmtree(folder)
    print("%d of %d do not agree" % (failures, arguments.count))
    return failures > 0


if __name__ == "__main__":
    sys.exit(main())
