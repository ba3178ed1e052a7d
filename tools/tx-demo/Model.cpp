#include "Model.h"

using namespace txdemo;

Model txdemo::demoModel(bool quick) {
  if (quick)
    return {/*layers=*/4,
            /*hidden=*/128,
            /*heads=*/4,
            /*sequence=*/64,
            /*batch=*/8,
            /*trainIterations=*/600,
            /*evalInterval=*/100,
            /*learningRate=*/"1e-3",
            /*warmup=*/50};
  return {/*layers=*/8,
          /*hidden=*/256,
          /*heads=*/4,
          /*sequence=*/128,
          /*batch=*/8,
          /*trainIterations=*/500,
          /*evalInterval=*/100,
          /*learningRate=*/"1e-3",
          /*warmup=*/50};
}

Command Model::flags(int microBatch) const {
  auto text = [](int value) { return std::to_string(value); };
  return {"--num-layers",
          text(layers),
          "--hidden-size",
          text(hidden),
          "--num-attention-heads",
          text(heads),
          "--seq-length",
          text(sequence),
          "--max-position-embeddings",
          text(sequence),
          "--micro-batch-size",
          text(microBatch),
          "--vocab-size",
          "256",
          "--attention-dropout",
          "0.1",
          "--hidden-dropout",
          "0.1",
          "--attention-backend",
          "unfused",
          "--fp32",
          "--seed",
          "1234"};
}

std::vector<Policy> txdemo::demoPolicies(const Model &model) {
  auto selective = [](const char *modules) -> Command {
    return {"--recompute-granularity", "selective", "--recompute-modules", modules};
  };
  auto full = [](const char *method, int layers) -> Command {
    return {"--recompute-granularity", "full", "--recompute-method", method, "--recompute-num-layers",
            std::to_string(layers)};
  };
  std::string half = std::to_string(model.layers / 2);
  return {
      {"none", "none", {"--recompute-granularity", "none"}},
      {"selective core_attn", "core_attn", selective("core_attn")},
      {"selective mlp_act,layernorm", "mlp_act", selective("mlp_act,layernorm")},
      {"selective core_attn,mlp,layernorm", "modules", selective("core_attn,mlp,layernorm")},
      {"full block " + half, "block", full("block", model.layers / 2)},
      {"full uniform 1", "uniform1", full("uniform", 1)},
      {"full uniform 2", "uniform2", full("uniform", 2)},
  };
}
