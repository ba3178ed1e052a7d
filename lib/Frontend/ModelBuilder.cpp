//===- ModelBuilder.cpp - A decoder, op by op ---------------------------------------------------------------------===//

#include "tx/Frontend/ModelBuilder.h"

#include "tx/Dialect/Tx/IR/TxOps.h"
#include "tx/Frontend/Family.h"
#include "tx/Frontend/Parameters.h"
#include "tx/Frontend/Rope.h"

#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/IR/Builders.h"
#include "mlir/IR/Verifier.h"

using namespace mlir;
using namespace tx;

void tx::loadFrontendDialects(MLIRContext &context) { context.loadDialect<TxDialect, func::FuncDialect>(); }

namespace {

constexpr int64_t kIgnoreIndex = -100; // the ignore index of PyTorch and Hugging Face

class DecoderBuilder {
public:
  DecoderBuilder(MLIRContext &context, const ModelConfig &config)
      : config(config), layout(getLayout(config)), builder(&context), loc(UnknownLoc::get(&context)),
        module(ModuleOp::create(loc)),
        dtype(config.dtype == DType::F32 ? Type(builder.getF32Type()) : Type(builder.getBF16Type())) {}

  OwningOpRef<ModuleOp> build() {
    declareParameters();
    startFunction();
    if (config.positions == PositionEmbedding::Rope)
      makeRopeTables();
    Value x = embed();
    for (layer = 0; layer < config.numLayers; ++layer)
      x = addLayer(x);
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

  // All layers rotate by the same cosines and sines.
  void makeRopeTables() {
    ScopeAttr scope = in("rotary_pos_emb");
    auto type = RankedTensorType::get({config.seqLength}, builder.getI32Type());
    Value positions = PositionsOp::create(builder, loc, type, scope).getResult();
    RopeTable table = makeRopeTable(config);
    auto tables = RopeTableOp::create(builder, loc, positions, table.frequencies, llvm::APFloat(table.scale), scope);
    cosines = tables.getCos(), sines = tables.getSin();
  }

  Value embed() {
    ScopeAttr scope = in("embedding");
    Value x = EmbeddingOp::create(builder, loc, tokens, weight(layout.embedding), scope).getResult();
    if (config.positions == PositionEmbedding::LearnedAbsolute)
      x = AddPositionsOp::create(builder, loc, x.getType(), x, weight(layout.positions), scope);
    return dropout(x, config.embeddingDropout, scope);
  }

  Value addLayer(Value x) {
    prefix = (layout.layer + std::to_string(layer) + ".").str();
    for (const Layout::Part &part : layout.parts)
      x = part.kind == Layout::Part::Kind::Attention ? addAttention(x, part) : addMlp(x, part);
    prefix.clear();
    return x;
  }

  Value addAttention(Value x, const Layout::Part &part) {
    Value normed = norm(x, part.norm, in("layernorm.input"));
    Value attended = attention(normed);
    Value out = linear(attended, layout.proj, in("self_attention.proj"));
    return addResidual(x, out, in("self_attention.residual"));
  }

  Value addMlp(Value x, const Layout::Part &part) {
    Value normed = norm(x, part.norm, in("layernorm.pre_mlp"));
    ScopeAttr products = in("mlp.fc1"), between = in("mlp.mlp_act");
    Value hidden;
    if (config.activation == Activation::SwiGlu) {
      Value gate = linear(normed, layout.gate, products);
      Value up = linear(normed, layout.up, products);
      hidden = SwigluOp::create(builder, loc, gate.getType(), gate, up, between);
    } else {
      hidden = linear(normed, layout.up, products);
      hidden = GeluOp::create(builder, loc, hidden.getType(), hidden, between);
    }
    Value out = linear(hidden, layout.down, in("mlp.fc2"));
    return addResidual(x, out, in("mlp_residual"));
  }

  struct Heads {
    Value q, k, v;
  };

  Heads project(Value x) {
    ScopeAttr scope = in("self_attention.qkv");
    if (layout.fusedQkv.empty())
      return {linear(x, layout.query, scope), linear(x, layout.key, scope), linear(x, layout.value, scope)};
    Value qkv = linear(x, layout.fusedQkv, scope);
    int64_t q = config.getQuerySize(), k = config.getKeySize();
    auto part = [&](int64_t first, int64_t size) -> Value {
      return SliceOp::create(builder, loc, qkv, first, size, scope).getPart();
    };
    Value query = part(0, q), key = part(q, k), value = part(q + k, k);
    return {query, key, value};
  }

  // Normalizes and rotates each head of q or k.
  Value placeHeads(Value x, int64_t heads, StringRef normName) {
    ScopeAttr scope = in(config.qkNorm ? "self_attention.qk_norm" : "self_attention.rope");
    if (config.qkNorm)
      x = RmsNormOp::create(builder, loc, x, weight(normName), llvm::APFloat(config.layernormEpsilon), heads,
                            config.normOffset ? 1 : 0, scope)
              .getY();
    if (config.positions == PositionEmbedding::Rope)
      x = RopeOp::create(builder, loc, x.getType(), x, cosines, sines, heads, config.rope.interleaved,
                         /*inverse=*/false, scope);
    return x;
  }

  Value attention(Value x) {
    auto [q, k, v] = project(x);
    q = placeHeads(q, config.numAttentionHeads, layout.queryNorm);
    k = placeHeads(k, config.numKeyValueHeads, layout.keyNorm);
    ScopeAttr core = in("self_attention.core_attn");
    int64_t heads = config.numAttentionHeads;
    llvm::APFloat scale(config.getAttentionScale());
    if (config.attentionBackend == AttentionBackend::Flash) {
      bool drops = config.attentionDropout > 0;
      return FlashAttentionOp::create(builder, loc, q, k, v, drops ? this->key : Value(), heads, scale,
                                      /*causal=*/true, llvm::APFloat(config.attentionDropout), core)
          .getResult();
    }
    Value scores = AttentionScoresOp::create(builder, loc, q, k, heads, scale, core).getScores();
    Value p = SoftmaxOp::create(builder, loc, scores.getType(), scores, /*causal=*/true, core);
    p = dropout(p, config.attentionDropout, core);
    IntegerAttr groups;
    if (config.numKeyValueHeads != heads)
      groups = builder.getI64IntegerAttr(config.numKeyValueHeads);
    return AttentionContextOp::create(builder, loc, p, v, /*transposed=*/false, groups, llvm::APFloat(1.0), core)
        .getResult();
  }

  void finish(Value x) {
    x = norm(x, layout.finalNorm, in("final_layernorm"));
    auto loss = LinearCrossEntropyOp::create(builder, loc, x,
                                             weight(config.tiedEmbeddings ? layout.embedding : layout.head), targets,
                                             /*transposed=*/true, kIgnoreIndex, "output_layer", in("loss"));
    func::ReturnOp::create(builder, loc, ValueRange{loss.getSum(), loss.getCount()});
  }

  Value norm(Value x, StringRef name, ScopeAttr scope) {
    llvm::APFloat epsilon(config.layernormEpsilon);
    if (config.normalization == Normalization::RMSNorm)
      return RmsNormOp::create(builder, loc, x, weight(name), epsilon, /*heads=*/1, config.normOffset ? 1 : 0, scope)
          .getY();
    return LayerNormOp::create(builder, loc, x, weight(name), parameter(name, "bias"), epsilon, scope).getY();
  }

  Value linear(Value x, StringRef name, ScopeAttr scope) {
    auto shape = llvm::to_vector(cast<RankedTensorType>(x.getType()).getShape());
    shape.back() = cast<RankedTensorType>(weight(name).getType()).getDimSize(layout.outputsFirst ? 0 : 1);
    return LinearOp::create(builder, loc, RankedTensorType::get(shape, dtype), x, weight(name), parameter(name, "bias"),
                            /*transposed=*/layout.outputsFirst, scope);
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

  // A parameter of the current layer, or outside of the layers one of the model; null if it has none of that name.
  Value parameter(StringRef name, StringRef kind) { return parameters.lookup((prefix + name + "." + kind).str()); }

  Value weight(StringRef name) {
    Value value = parameter(name, "weight");
    assert(value && "a parameter is declared before it is used");
    return value;
  }

  ScopeAttr in(StringRef path) {
    return ScopeAttr::get(builder.getContext(), Segment::Forward, static_cast<int32_t>(layer), path);
  }

  const ModelConfig &config;
  const Layout &layout;
  OpBuilder builder;
  Location loc;
  OwningOpRef<ModuleOp> module;
  Type dtype;
  int64_t layer = -1; ///< the layer that is being built; -1 outside of the layers
  std::string prefix; ///< of the names of its parameters
  Value tokens, targets, key, cosines, sines;
  llvm::StringMap<Value> parameters;
};

} // namespace

OwningOpRef<ModuleOp> tx::buildModel(MLIRContext &context, const ModelConfig &config) {
  loadFrontendDialects(context);
  OwningOpRef<ModuleOp> module = DecoderBuilder(context, config).build();
  assert(succeeded(verify(*module)) && "the builder makes valid modules");
  return module;
}
