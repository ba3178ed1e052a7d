"""GPT-2 as Hugging Face defines it, in plain torch functions.

A state is a dictionary from Hugging Face's names to tensors; weights of linears
are [in, out] (their Conv1D). Gradients, optimizer and files are the caller's.
"""

import json
import math
import struct

import numpy
import torch
import torch.nn.functional as F


def shapes(config):
    """Name to shape of every parameter, in the order of Hugging Face's state_dict."""
    h = config["n_embd"]
    f = config.get("n_inner") or 4 * h
    result = {
        "transformer.wte.weight": (config["vocab_size"], h),
        "transformer.wpe.weight": (config["n_positions"], h),
    }
    for layer in range(config["n_layer"]):
        for name, shape in [
            ("ln_1.weight", (h,)),
            ("ln_1.bias", (h,)),
            ("attn.c_attn.weight", (h, 3 * h)),
            ("attn.c_attn.bias", (3 * h,)),
            ("attn.c_proj.weight", (h, h)),
            ("attn.c_proj.bias", (h,)),
            ("ln_2.weight", (h,)),
            ("ln_2.bias", (h,)),
            ("mlp.c_fc.weight", (h, f)),
            ("mlp.c_fc.bias", (f,)),
            ("mlp.c_proj.weight", (f, h)),
            ("mlp.c_proj.bias", (h,)),
        ]:
            result["transformer.h.%d.%s" % (layer, name)] = shape
    result["transformer.ln_f.weight"] = (h,)
    result["transformer.ln_f.bias"] = (h,)
    if not config["tie_word_embeddings"]:
        result["lm_head.weight"] = (config["vocab_size"], h)
    return result


def gelu_tanh(x):
    # torch.nn.functional.gelu learnt approximate="tanh" late; the formula is the definition.
    return 0.5 * x * (1 + torch.tanh(math.sqrt(2 / math.pi) * (x + 0.044715 * x**3)))


def logits(config, state, tokens):
    h, heads = config["n_embd"], config["n_head"]
    b, s = tokens.shape
    eps = config["layer_norm_epsilon"]

    def norm(x, name):
        return F.layer_norm(x, (h,), state[name + ".weight"], state[name + ".bias"], eps)

    def linear(x, name):
        return x @ state[name + ".weight"] + state[name + ".bias"]

    def split(x):
        return x.view(b, s, heads, h // heads).transpose(1, 2)

    mask = torch.ones(s, s, dtype=torch.bool).triu(1)
    x = F.embedding(tokens, state["transformer.wte.weight"])
    x = x + state["transformer.wpe.weight"][:s]
    for layer in range(config["n_layer"]):
        at = "transformer.h.%d." % layer
        q, k, v = (split(t) for t in linear(norm(x, at + "ln_1"), at + "attn.c_attn").split(h, dim=2))
        scores = (q @ k.transpose(2, 3)) / math.sqrt(h // heads)
        attention = scores.masked_fill(mask, float("-inf")).softmax(dim=3) @ v
        x = x + linear(attention.transpose(1, 2).reshape(b, s, h), at + "attn.c_proj")
        x = x + linear(gelu_tanh(linear(norm(x, at + "ln_2"), at + "mlp.c_fc")), at + "mlp.c_proj")
    x = norm(x, "transformer.ln_f")
    head = "transformer.wte.weight" if config["tie_word_embeddings"] else "lm_head.weight"
    return x @ state[head].t()


def loss(config, state, tokens, targets):
    """Mean over the targets that are not -100; targets[i] belongs to tokens[i], no shift."""
    return F.cross_entropy(logits(config, state, tokens).flatten(0, 1), targets.flatten(), ignore_index=-100)


def decays(tensor):
    """Megatron's rule: matrices decay; biases and norms do not."""
    return tensor.dim() > 1


DTYPES = {"float32": "F32", "float64": "F64", "int32": "I32"}


def write_safetensors(path, tensors):
    header, offset, blobs = {"__metadata__": {"format": "pt"}}, 0, []
    for name, tensor in tensors.items():
        array = numpy.ascontiguousarray(tensor.detach().numpy())
        header[name] = {
            "dtype": DTYPES[str(array.dtype)],
            "shape": list(array.shape),
            "data_offsets": [offset, offset + array.nbytes],
        }
        offset += array.nbytes
        blobs.append(array.tobytes())
    text = json.dumps(header, separators=(",", ":")).encode()
    text += b" " * (-len(text) % 8)
    with open(path, "wb") as out:
        out.write(struct.pack("<Q", len(text)) + text)
        out.writelines(blobs)


def read_safetensors(path):
    with open(path, "rb") as source:
        data = source.read()
    (size,) = struct.unpack("<Q", data[:8])
    header = json.loads(data[8 : 8 + size])
    header.pop("__metadata__", None)
    types = {tag: numpy.dtype(name) for name, tag in DTYPES.items()}
    return {
        name: torch.from_numpy(
            numpy.frombuffer(data[8 + size + a : 8 + size + b], types[entry["dtype"]]).reshape(entry["shape"]).copy()
        )
        for name, entry in header.items()
        for a, b in [entry["data_offsets"]]
    }
