//===- ModelBuilder.cpp - GPT-2, op by op -------------------------------------------------------------------------===//

#include "tx/Frontend/ModelBuilder.h"

#include "tx/Dialect/Tx/IR/TxOps.h"
#include "tx/Frontend/Family.h"
#include "tx/Frontend/Parameters.h"

#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/IR/Builders.h"
#include "mlir/IR/Verifier.h"

#include <cmath>

using namespace mlir;
using namespace tx;

void tx::loadFrontendDialects(MLIRContext &context) { context.loadDialect<TxDialect, func::FuncDialect>(); }

namespace {

constexpr int64_t kIgnoreIndex = -100; // the ignore index of PyTorch and Hugging Face

class GPTBuilder {
public:
  GPTBuilder(MLIRContext &context, const ModelConfig &config)
      : config(config), builder(&context), loc(UnknownLoc::get(&context)), module(ModuleOp::create(loc)),
        dtype(config.dtype == DType::F32 ? Type(builder.getF32Type()) : Type(builder.getBF16Type())) {}

  OwningOpRef<ModuleOp> build() {
    declareParameters();
    startFunction();
    Value x = embed();
    for (layer = 0; layer < config.numLayers; ++layer)
      x = addLayer(x, "transformer.h." + std::to_string(layer) + ".");
    layer = -1;
    finish(x);
    return std::move(module);
  }

private:
  void declareParameters() {
    builder.setInsertionPointToEnd(module->getBody());
    for (const Parameter &parameter : listParameters(config))
      GlobalOp::create(builder, loc, parameter.name, GlobalRole::Parameter, parameter.init,
                       llvm::APFloat(parameter.stddev), /*of=*/FlatSymbolRefAttr(), parameter.decay,
                       RankedTensorType::get(parameter.shape, dtype));
  }

  // Creates the function, which loads each parameter once, at its entry.
  void startFunction() {
    Type i32 = builder.getI32Type(), scalar = RankedTensorType::get({}, builder.getF32Type());
    Type ids = RankedTensorType::get({config.microBatchSize, config.seqLength}, i32);
    Type arguments[] = {ids, ids, RankedTensorType::get({4}, i32)};
    auto globals = llvm::to_vector(module->getOps<GlobalOp>());

    builder.setInsertionPointToEnd(module->getBody());
    auto function = func::FuncOp::create(builder, loc, "loss", builder.getFunctionType(arguments, {scalar, scalar}));
    function->setAttr("tx.train", builder.getUnitAttr());
    constexpr const char *names[] = {"tokens", "targets", "key"};
    for (auto [index, name] : llvm::enumerate(names))
      function.setArgAttr(index, "tx.name", builder.getStringAttr(name));
    Block *entry = function.addEntryBlock();
    tokens = entry->getArgument(0), targets = entry->getArgument(1), key = entry->getArgument(2);
    builder.setInsertionPointToEnd(entry);
    for (GlobalOp global : globals)
      parameters[global.getSymName()] = LoadOp::create(builder, loc, global.getType(), global.getSymName());
  }

  Value embed() {
    ScopeAttr scope = in("embedding");
    Value x = EmbeddingOp::create(builder, loc, tokens, parameter("transformer.wte.weight"), scope).getResult();
    x = AddPositionsOp::create(builder, loc, x.getType(), x, parameter("transformer.wpe.weight"), scope);
    return dropout(x, config.embeddingDropout, scope);
  }

  Value addLayer(Value x, const std::string &prefix) {
    Value normed = norm(x, prefix + "ln_1", in("layernorm.input"));
    Value attended = attention(normed, prefix + "attn.");
    Value out = linear(attended, prefix + "attn.c_proj", in("self_attention.proj"));
    x = addResidual(x, out, in("self_attention.residual"));

    normed = norm(x, prefix + "ln_2", in("layernorm.pre_mlp"));
    Value hidden = linear(normed, prefix + "mlp.c_fc", in("mlp.fc1"));
    hidden = GeluOp::create(builder, loc, hidden.getType(), hidden, in("mlp.mlp_act"));
    out = linear(hidden, prefix + "mlp.c_proj", in("mlp.fc2"));
    return addResidual(x, out, in("mlp_residual"));
  }

  Value attention(Value x, const std::string &prefix) {
    ScopeAttr projection = in("self_attention.qkv"), core = in("self_attention.core_attn");
    int64_t h = config.hiddenSize, heads = config.numAttentionHeads;
    Value qkv = linear(x, prefix + "c_attn", projection);
    auto part = [&](int64_t index) -> Value {
      return SliceOp::create(builder, loc, qkv, index * h, h, projection).getPart();
    };
    Value q = part(0), k = part(1), v = part(2);
    llvm::APFloat scale(config.getAttentionScale());
    if (config.attentionBackend == AttentionBackend::Flash) {
      bool drops = config.attentionDropout > 0;
      return FlashAttentionOp::create(builder, loc, q, k, v, drops ? key : Value(), heads, scale,
                                      /*causal=*/true, llvm::APFloat(config.attentionDropout), core)
          .getResult();
    }
    Value scores = AttentionScoresOp::create(builder, loc, q, k, heads, scale, core).getScores();
    Value p = SoftmaxOp::create(builder, loc, scores.getType(), scores, /*causal=*/true, core);
    p = dropout(p, config.attentionDropout, core);
    return AttentionContextOp::create(builder, loc, p, v, /*transposed=*/false, llvm::APFloat(1.0), core).getResult();
  }

  void finish(Value x) {
    x = norm(x, "transformer.ln_f", in("final_layernorm"));
    auto shape = llvm::to_vector(cast<RankedTensorType>(x.getType()).getShape());
    shape.back() = config.vocabSize;
    // Logits are f32 even if activations are bf16: the loss sums over them.
    Value logits = LinearOp::create(builder, loc, RankedTensorType::get(shape, builder.getF32Type()), x,
                                    parameter(config.tiedEmbeddings ? "transformer.wte.weight" : "lm_head.weight"),
                                    /*bias=*/Value(), /*transposed=*/true, in("output_layer"));
    auto losses = CrossEntropyOp::create(builder, loc, logits, targets, kIgnoreIndex, in("loss"));
    auto loss = ReduceLossOp::create(builder, loc, losses.getLosses(), targets, kIgnoreIndex, in("loss"));
    func::ReturnOp::create(builder, loc, ValueRange{loss.getSum(), loss.getCount()});
  }

  Value norm(Value x, const std::string &name, ScopeAttr scope) {
    return LayerNormOp::create(builder, loc, x, parameter(name + ".weight"), parameter(name + ".bias"),
                               llvm::APFloat(config.layernormEpsilon), scope)
        .getY();
  }

  Value linear(Value x, const std::string &name, ScopeAttr scope) {
    Value weight = parameter(name + ".weight");
    auto shape = llvm::to_vector(cast<RankedTensorType>(x.getType()).getShape());
    shape.back() = cast<RankedTensorType>(weight.getType()).getDimSize(1);
    return LinearOp::create(builder, loc, RankedTensorType::get(shape, dtype), x, weight,
                            parameters.lookup(name + ".bias"), /*transposed=*/false, scope);
  }

  Value addResidual(Value x, Value branch, ScopeAttr scope) {
    branch = dropout(branch, config.hiddenDropout, scope);
    return AddOp::create(builder, loc, x.getType(), x, branch, scope);
  }

  // A mask's random numbers depend on layer and path, so no scope may have two dropouts.
  Value dropout(Value x, double probability, ScopeAttr scope) {
    if (probability == 0.0)
      return x;
    return DropoutOp::create(builder, loc, x.getType(), x, key, llvm::APFloat(probability), scope);
  }

  Value parameter(StringRef name) {
    Value value = parameters.lookup(name);
    assert(value && "a parameter is declared before it is used");
    return value;
  }

  ScopeAttr in(StringRef path) {
    return ScopeAttr::get(builder.getContext(), Segment::Forward, static_cast<int32_t>(layer), path);
  }

  const ModelConfig &config;
  OpBuilder builder;
  Location loc;
  OwningOpRef<ModuleOp> module;
  Type dtype;
  int64_t layer = -1; ///< the layer that is being built; -1 outside of the layers
  Value tokens, targets, key;
  llvm::StringMap<Value> parameters;
};

} // namespace

OwningOpRef<ModuleOp> tx::buildModel(MLIRContext &context, const ModelConfig &config) {
  loadFrontendDialects(context);
  OwningOpRef<ModuleOp> module = GPTBuilder(context, config).build();
  assert(succeeded(verify(*module)) && "the builder makes valid modules");
  return module;
}
