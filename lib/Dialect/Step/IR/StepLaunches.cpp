//===- StepLaunches.cpp - What an entry has: launches, products, collectives --------------------------------------===//

#include "tx/Dialect/Step/IR/StepOps.h"
#include "tx/Dialect/Tx/IR/TxOps.h"

#include "mlir/IR/Builders.h"
#include "mlir/IR/OpImplementation.h"
#include "llvm/ADT/StringExtras.h"

using namespace mlir;
using namespace tx;
using namespace tx::step;

//===--------------------------------------------------------------------------------------------------------------===//
// Shared syntax
//===--------------------------------------------------------------------------------------------------------------===//

static ParseResult parseInteger(OpAsmParser &parser, IntegerAttr &field) {
  int64_t value = 0;
  if (parser.parseInteger(value))
    return failure();
  field = parser.getBuilder().getI64IntegerAttr(value);
  return success();
}

/// Parses a name and an integer, as `name 8`.
static ParseResult parseInteger(OpAsmParser &parser, StringRef name, IntegerAttr &field) {
  return failure(parser.parseKeyword(name) || parseInteger(parser, field));
}

/// Parses an attribute without its dialect's prefix, as <transient, 0x40, tensor<6xf32>>.
template <typename Attr> static ParseResult parseBare(OpAsmParser &parser, Attr &attribute) {
  attribute = dyn_cast_or_null<Attr>(Attr::parse(parser, {}));
  return success(static_cast<bool>(attribute));
}

/// Parses what every launch op has: the scope, and the launches that it waits for, as `in <layer 0, "mlp.fc1"> waits
/// [44]`.
static ParseResult parseScopeAndWaits(OpAsmParser &parser, ScopeAttr &scope, DenseI64ArrayAttr &waits) {
  if (parser.parseKeyword("in") || parseBare(parser, scope))
    return failure();
  if (succeeded(parser.parseOptionalKeyword("waits")))
    return parseBare(parser, waits);
  return success();
}

static void printScopeAndWaits(OpAsmPrinter &printer, ScopeAttr scope, DenseI64ArrayAttr waits) {
  printer << " in ";
  scope.print(printer);
  if (waits)
    printer << " waits [" << waits.asArrayRef() << ']';
}

//===--------------------------------------------------------------------------------------------------------------===//
// LaunchOp
//===--------------------------------------------------------------------------------------------------------------===//

/// Parses a list of buffers, as (<argument, 0x0, tensor<4xi32>>, ...).
static ParseResult parseBuffers(OpAsmParser &parser, ArrayAttr &buffers) {
  SmallVector<Attribute> list;
  auto parseOne = [&]() -> ParseResult {
    BufferAttr buffer;
    if (parseBare(parser, buffer))
      return failure();
    list.push_back(buffer);
    return success();
  };
  if (parser.parseCommaSeparatedList(OpAsmParser::Delimiter::Paren, parseOne))
    return failure();
  buffers = parser.getBuilder().getArrayAttr(list);
  return success();
}

static void printBuffers(OpAsmPrinter &printer, ArrayAttr buffers) {
  printer << '(';
  llvm::interleaveComma(buffers.getAsRange<BufferAttr>(), printer, [&](BufferAttr buffer) { buffer.print(printer); });
  printer << ')';
}

// step.launch 57 @kernel in <...> waits [44] flops 1056 immediates [0x5bf] (inputs) -> (outputs) attention <...>
// scratch <...>
ParseResult LaunchOp::parse(OpAsmParser &parser, OperationState &result) {
  auto &properties = result.getOrAddProperties<Properties>();
  SmallVector<int32_t> immediates;
  auto parseImmediate = [&]() -> ParseResult {
    SMLoc loc = parser.getCurrentLocation();
    int64_t value = 0;
    if (parser.parseInteger(value))
      return failure();
    if (value < INT32_MIN || value > UINT32_MAX)
      return parser.emitError(loc, "an immediate has 32 bits");
    immediates.push_back(static_cast<int32_t>(value));
    return success();
  };
  if (parseInteger(parser, properties.number) || parser.parseAttribute(properties.kernel) ||
      parseScopeAndWaits(parser, properties.scope, properties.waits) || parseInteger(parser, "flops", properties.flops))
    return failure();
  if (succeeded(parser.parseOptionalKeyword("immediates")) &&
      parser.parseCommaSeparatedList(OpAsmParser::Delimiter::Square, parseImmediate))
    return failure();
  properties.immediates = parser.getBuilder().getDenseI32ArrayAttr(immediates);
  if (parseBuffers(parser, properties.inputs) || parser.parseArrow() || parseBuffers(parser, properties.outputs))
    return failure();
  if (succeeded(parser.parseOptionalKeyword("attention")) && parseBare(parser, properties.attention))
    return failure();
  if (succeeded(parser.parseOptionalKeyword("scratch")) && parseBare(parser, properties.scratch))
    return failure();
  return parser.parseOptionalAttrDict(result.attributes);
}

void LaunchOp::print(OpAsmPrinter &printer) {
  printer << ' ' << getNumber() << ' ' << getKernelAttr();
  printScopeAndWaits(printer, getScope(), getWaitsAttr());
  printer << " flops " << getFlops();
  if (!getImmediates().empty()) {
    printer << " immediates [";
    llvm::interleaveComma(getImmediates(), printer, [&](int32_t value) {
      printer << "0x" << llvm::utohexstr(static_cast<uint32_t>(value), /*LowerCase=*/true, /*Width=*/8);
    });
    printer << ']';
  }
  printer << ' ';
  printBuffers(printer, getInputs());
  printer << " -> ";
  printBuffers(printer, getOutputs());
  if (std::optional<AttentionAttr> attention = getAttention()) {
    printer << " attention ";
    attention->print(printer);
  }
  if (std::optional<BufferAttr> scratch = getScratch()) {
    printer << " scratch ";
    scratch->print(printer);
  }
  printer.printOptionalAttrDict(llvm::to_vector((*this)->getDiscardableAttrs()));
}

LogicalResult LaunchOp::verify() {
  std::optional<AttentionAttr> attention = getAttention();
  if (!attention)
    return success();
  SmallVector<BufferAttr> buffers = getKernelBuffers();
  enum { Q, K, V, O, LSE, DO, DQ, DK, DV };
  int64_t batch = attention->getBatch(), queries = attention->getQueries(), keys = attention->getKeys();
  int64_t heads = attention->getHeads(), keyHeads = attention->getKeyHeads();
  for (auto [which, operand] : llvm::enumerate(attention->getOperands().asArrayRef())) {
    if (operand < 0 || operand >= static_cast<int64_t>(buffers.size()))
      return emitOpError("is attention on buffer ") << operand << " of " << buffers.size();
    bool ofKeys = llvm::is_contained({K, V, DK, DV}, which), ofScores = llvm::is_contained({Q, K, DQ, DK}, which);
    int64_t width = ofScores ? attention->getWidth() : attention->getValueWidth();
    SmallVector<int64_t> shape = {batch, ofKeys ? keys : queries, (ofKeys ? keyHeads : heads) * width};
    if (which == LSE)
      shape = {batch, heads, queries};
    if (RankedTensorType type = buffers[operand].getType(); type.getShape() != ArrayRef<int64_t>(shape))
      return emitOpError("is attention whose operand ") << which << " has the shape [" << shape << "], found " << type;
  }
  return success();
}

SmallVector<BufferAttr> LaunchOp::getKernelBuffers() {
  auto buffers = llvm::to_vector(getInputs().getAsRange<BufferAttr>());
  llvm::append_range(buffers, getOutputs().getAsRange<BufferAttr>());
  return buffers;
}

SmallVector<BufferAttr> LaunchOp::getAllBuffers() {
  SmallVector<BufferAttr> buffers = getKernelBuffers();
  if (getScratch())
    buffers.push_back(*getScratch());
  return buffers;
}

LogicalResult LaunchOp::verifySymbolUses(SymbolTableCollection &symbols) {
  auto kernel = symbols.lookupNearestSymbolFrom<KernelOp>(*this, getKernelAttr());
  if (!kernel)
    return emitOpError("names no step.kernel: ") << getKernelAttr();
  if (getInputs().size() != kernel.getInputCount() || getOutputs().size() != kernel.getOutputCount())
    return emitOpError("has ") << getInputs().size() << " inputs and " << getOutputs().size() << " outputs, its kernel "
                               << kernel.getInputCount() << " and " << kernel.getOutputCount();
  for (auto [buffer, type, stride] : llvm::zip(getKernelBuffers(), kernel.getBufferTypes(), kernel.getRowStrides()))
    if (buffer.getType() != type || buffer.getStride() != stride)
      return emitOpError("gives its kernel ") << buffer << " where it takes " << type << " of stride " << stride;
  if (getImmediates().size() != static_cast<uint64_t>(kernel.getImmediates()))
    return emitOpError("has ") << getImmediates().size() << " immediates, its kernel " << kernel.getImmediates();
  return success();
}

//===--------------------------------------------------------------------------------------------------------------===//
// GemmOp
//===--------------------------------------------------------------------------------------------------------------===//

bool step::isOutput(GemmRole role) {
  return role == GemmRole::C || role == GemmRole::SumsA || role == GemmRole::SumsB || role == GemmRole::Scratch ||
         role == GemmRole::AmaxC;
}

namespace {

/// A buffer of a product in the text: its role, the op's field that holds it and, for a matrix, the fields with the
/// strides between its rows and between its batches, and with how many batches share a matrix (null for C).
struct ProductBuffer {
  GemmRole role;
  BufferAttr *buffer;
  IntegerAttr *leading = nullptr;
  DenseI64ArrayAttr *strides = nullptr;
  IntegerAttr *repeat = nullptr;

  StringRef name() const { return stringifyGemmRole(role); }
};

/// A product's buffers before the arrow (inputs) and after it (outputs), in the order of the text.
struct ProductBuffers {
  SmallVector<ProductBuffer> inputs, outputs;

  template <typename Properties> explicit ProductBuffers(Properties &p) {
    for (ProductBuffer each :
         std::initializer_list<ProductBuffer>{{GemmRole::A, &p.a, &p.lda, &p.strides_a, &p.repeat_a},
                                              {GemmRole::B, &p.b, &p.ldb, &p.strides_b, &p.repeat_b},
                                              {GemmRole::C, &p.c, &p.ldc, &p.strides_c},
                                              {GemmRole::Reset, &p.reset},
                                              {GemmRole::Bias, &p.bias},
                                              {GemmRole::SumsA, &p.sums_a},
                                              {GemmRole::SumsB, &p.sums_b},
                                              {GemmRole::Scratch, &p.scratch}})
      (isOutput(each.role) ? outputs : inputs).push_back(each);
  }
};

} // namespace

/// Parses a list of buffers, as (a <transient, 0x0, tensor<2x4x6xf32>> lda 6 strides [24, 3], ...). `what` is "input"
/// or "output", for errors.
static ParseResult parseProductBuffers(OpAsmParser &parser, ArrayRef<ProductBuffer> known, StringRef what) {
  auto parseOne = [&]() -> ParseResult {
    SMLoc loc = parser.getCurrentLocation();
    StringRef name;
    if (parser.parseKeyword(&name))
      return failure();
    const auto *found = llvm::find_if(known, [&](const ProductBuffer &each) { return each.name() == name; });
    if (found == known.end()) {
      InFlightDiagnostic error = parser.emitError(loc)
                                 << "'" << name << "' is no " << what << " of this product; known: ";
      llvm::interleaveComma(known, error, [&](const ProductBuffer &each) { error << each.name(); });
      return error;
    }
    if (*found->buffer)
      return parser.emitError(loc, "'") << name << "' is there twice";
    if (parseBare(parser, *found->buffer))
      return failure();
    if (!found->leading)
      return success();
    if (parseInteger(parser, ("ld" + name).str(), *found->leading))
      return failure();
    if (failed(parser.parseOptionalKeyword("strides")))
      *found->strides = parser.getBuilder().getDenseI64ArrayAttr({0, 0});
    else if (parseBare(parser, *found->strides))
      return failure();
    if (found->repeat && succeeded(parser.parseOptionalKeyword("repeat")))
      return parseInteger(parser, *found->repeat);
    return success();
  };
  SMLoc loc = parser.getCurrentLocation();
  if (parser.parseCommaSeparatedList(OpAsmParser::Delimiter::Paren, parseOne))
    return failure();
  for (const ProductBuffer &each : known)
    if (each.leading && !*each.buffer)
      return parser.emitError(loc, "a product without '") << each.name() << "'";
  return success();
}

static void printProductBuffers(OpAsmPrinter &printer, ArrayRef<ProductBuffer> known) {
  auto isThere = [](const ProductBuffer &each) { return static_cast<bool>(*each.buffer); };
  printer << '(';
  llvm::interleaveComma(llvm::make_filter_range(known, isThere), printer, [&](const ProductBuffer &each) {
    printer << each.name() << ' ';
    each.buffer->print(printer);
    if (!each.leading)
      return;
    printer << " ld" << each.name() << ' ' << each.leading->getInt();
    if (llvm::any_of(each.strides->asArrayRef(), [](int64_t stride) { return stride != 0; }))
      printer << " strides [" << each.strides->asArrayRef() << ']';
    if (each.repeat && each.repeat->getInt() != 1)
      printer << " repeat " << each.repeat->getInt();
  });
  printer << ')';
}

// step.gemm 57 in <...> m 8 n 8 k 6 transpose_b batch 2 x 2 alpha 1.0 beta 0.0 (inputs) -> (outputs)
ParseResult step::GemmOp::parse(OpAsmParser &parser, OperationState &result) {
  auto &p = result.getOrAddProperties<Properties>();
  Builder &builder = parser.getBuilder();
  double alpha = 0, beta = 0;
  if (parseInteger(parser, p.number) || parseScopeAndWaits(parser, p.scope, p.waits) ||
      parseInteger(parser, "m", p.m) || parseInteger(parser, "n", p.n) || parseInteger(parser, "k", p.k))
    return failure();
  for (auto [name, flag] : {std::pair("transpose_a", &p.transpose_a), std::pair("transpose_b", &p.transpose_b)})
    if (succeeded(parser.parseOptionalKeyword(name)))
      *flag = builder.getUnitAttr();
  p.batch0 = p.batch1 = p.repeat_a = p.repeat_b = builder.getI64IntegerAttr(1);
  if (succeeded(parser.parseOptionalKeyword("batch")) &&
      (parseInteger(parser, p.batch0) || parseInteger(parser, "x", p.batch1)))
    return failure();
  if (parser.parseKeyword("alpha") || parser.parseFloat(alpha) || parser.parseKeyword("beta") ||
      parser.parseFloat(beta))
    return failure();
  p.alpha = builder.getF64FloatAttr(alpha);
  p.beta = builder.getF64FloatAttr(beta);
  ProductBuffers buffers(p);
  return failure(parseProductBuffers(parser, buffers.inputs, "input") || parser.parseArrow() ||
                 parseProductBuffers(parser, buffers.outputs, "output") ||
                 parser.parseOptionalAttrDict(result.attributes));
}

void step::GemmOp::print(OpAsmPrinter &printer) {
  printer << ' ' << getNumber();
  printScopeAndWaits(printer, getScope(), getWaitsAttr());
  printer << " m " << getM() << " n " << getN() << " k " << getK();
  if (getTransposeA())
    printer << " transpose_a";
  if (getTransposeB())
    printer << " transpose_b";
  if (getBatch0() != 1 || getBatch1() != 1)
    printer << " batch " << getBatch0() << " x " << getBatch1();
  printer << " alpha ";
  printer.printFloat(getAlpha());
  printer << " beta ";
  printer.printFloat(getBeta());
  ProductBuffers buffers(getProperties());
  printer << ' ';
  printProductBuffers(printer, buffers.inputs);
  printer << " -> ";
  printProductBuffers(printer, buffers.outputs);
  printer.printOptionalAttrDict(llvm::to_vector((*this)->getDiscardableAttrs()));
}

LogicalResult step::GemmOp::verify() {
  for (ArrayRef<int64_t> strides : {getStridesA(), getStridesB(), getStridesC()})
    if (strides.size() != 2)
      return emitOpError("takes 2 strides of a batch for each matrix, found ") << strides.size();
  GemmForm form{static_cast<int64_t>(getM()), static_cast<int64_t>(getN()), static_cast<int64_t>(getK()),
                static_cast<int64_t>(getBatch0()), static_cast<int64_t>(getBatch1())};
  for (int64_t size : {form.m, form.n, form.k, form.batch0, form.batch1})
    if (size < 1)
      return emitOpError("takes sizes of at least 1, found ") << size;
  int64_t repeatA = getRepeatA(), repeatB = getRepeatB();
  for (int64_t repeat : {repeatA, repeatB})
    if (repeat < 1 || form.batch1 % repeat)
      return emitOpError("has matrices that ")
             << repeat << " of " << form.batch1 << " products share; a divisor would do";
  if (repeatA > 1 && repeatB > 1)
    return emitOpError("multiplies the same two matrices many times: `repeat` is of a or of b");
  SmallVector<GemmRole> vectors;
  for (auto [role, buffer] : getRoles()) {
    if (role != GemmRole::Bias && role != GemmRole::SumsA && role != GemmRole::SumsB)
      continue;
    vectors.push_back(role);
    int64_t count = role == GemmRole::SumsA ? form.m : form.n;
    if (buffer.getType().getNumElements() != count || buffer.getStride())
      return emitOpError("takes '") << stringifyGemmRole(role) << "' of " << count << " elements, found " << buffer;
  }
  if (!vectors.empty() && form.batch0 * form.batch1 != 1)
    return emitOpError("has '") << stringifyGemmRole(vectors.front()) << "' of a batch of products";
  if (vectors.size() > 1)
    return emitOpError("has '") << stringifyGemmRole(vectors[0]) << "' and '" << stringifyGemmRole(vectors[1])
                                << "'; a product has one of them";
  return tx::detail::verifyFlops(*this, form);
}

SmallVector<std::pair<GemmRole, BufferAttr>> step::GemmOp::getRoles() {
  SmallVector<std::pair<GemmRole, BufferAttr>> roles = {
      {GemmRole::A, getA()}, {GemmRole::B, getB()}, {GemmRole::C, getC()}};
  auto add = [&](GemmRole role, std::optional<BufferAttr> buffer) {
    if (buffer)
      roles.emplace_back(role, *buffer);
  };
  add(GemmRole::Reset, getReset());
  add(GemmRole::Bias, getBias());
  add(GemmRole::SumsA, getSumsA());
  add(GemmRole::SumsB, getSumsB());
  add(GemmRole::Scratch, getScratch());
  return roles;
}

SmallVector<BufferAttr> step::GemmOp::getAllBuffers() { return llvm::to_vector(llvm::make_second_range(getRoles())); }

bool step::GemmOp::writesBuffer(unsigned index) { return isOutput(getRoles()[index].first); }

//===--------------------------------------------------------------------------------------------------------------===//
// CollectiveOp
//===--------------------------------------------------------------------------------------------------------------===//

/// Checks the sizes of the operand and the result, and that they can be divided into the collective's blocks and parts.
static LogicalResult verifyParts(CollectiveOp op, RankedTensorType operand, RankedTensorType result) {
  CollectiveKind kind = op.getKind();
  int64_t ranks = op.getRanks(), outer = op.getOuter(), count = operand.getNumElements();
  bool gathers = kind == CollectiveKind::AllGather, scatters = kind == CollectiveKind::ReduceScatter;
  int64_t parts = scatters || kind == CollectiveKind::AllToAll ? ranks : 1;
  if (outer < 1 || count % outer || count / outer % parts)
    return op.emitOpError("has ") << operand << " as " << outer << " blocks for " << ranks << " ranks";
  int64_t whole = gathers ? result.getNumElements() : count, part = gathers ? count : result.getNumElements();
  if (gathers || scatters)
    whole = whole % ranks ? 0 : whole / ranks;
  if (operand.getElementType() != result.getElementType() || whole != part)
    return op.emitOpError("makes ") << result << " of " << operand << " on " << ranks << " ranks";
  return success();
}

LogicalResult CollectiveOp::verify() {
  for (BufferAttr buffer : getAllBuffers())
    if (buffer.getStride())
      return emitOpError("takes tensors whose rows follow each other, found ") << buffer;
  int64_t ranks = getRanks(), stride = getStride(), peer = getPeer();
  if (ranks < 1 || ranks > kMaxRanks)
    return emitOpError("takes 1 to ") << kMaxRanks << " ranks, found " << ranks;
  if (stride < 1 || stride > kMaxRanks / ranks)
    return emitOpError("has ") << ranks << " ranks " << stride << " apart, of at most " << kMaxRanks;
  CollectiveKind kind = getKind();
  bool hasRoot = kind == CollectiveKind::Broadcast || kind == CollectiveKind::Reduce;
  bool isMoved = kind == CollectiveKind::SendRecv;
  if (hasRoot ? peer < 0 || peer >= ranks : isMoved ? peer <= -ranks || peer >= ranks : peer != 0)
    return emitOpError("has peer ") << peer << " among " << ranks << " ranks";
  BufferAttr operand = getFrom(), result = getTo();
  if (failed(verifyParts(*this, operand.getType(), result.getType())))
    return failure();
  bool mayBeSame = kind == CollectiveKind::AllReduce || kind == CollectiveKind::Broadcast;
  if (operand.getSegment() == result.getSegment() && !(mayBeSame && operand.getOffset() == result.getOffset()) &&
      operand.getOffset() < result.getOffset() + result.getExtent() &&
      result.getOffset() < operand.getOffset() + operand.getExtent())
    return emitOpError("writes ") << result << " over " << operand << ", which it reads";
  return success();
}
