//===- StepOps.cpp - Groups, kernels, entries ---------------------------------------------------------------------===//

#include "tx/Dialect/Step/IR/StepOps.h"
#include "tx/Dialect/Tx/IR/TxOps.h"

#include "mlir/IR/Builders.h"
#include "mlir/IR/OpImplementation.h"
#include "llvm/ADT/StringSet.h"
#include "llvm/ADT/TypeSwitch.h"

using namespace mlir;
using namespace tx;
using namespace tx::step;

bool step::hasVector(Epilogue epilogue) { return epilogue != Epilogue::Gelu && epilogue != Epilogue::GeluGrad; }
bool step::hasAux(Epilogue epilogue) { return epilogue >= Epilogue::Gelu; }

/// bias <vector>, gelu aux <matrix>, gelu_bias <vector> aux <matrix>: the part behind the name.
static ParseResult parseEpilogueOperands(OpAsmParser &parser, EpilogueAttr epilogue, BufferAttr &vector,
                                         BufferAttr &aux) {
  auto parseBuffer = [&](BufferAttr &buffer) -> ParseResult {
    buffer = dyn_cast_or_null<BufferAttr>(BufferAttr::parse(parser, {}));
    return success(static_cast<bool>(buffer));
  };
  if (hasVector(epilogue.getValue()) && parseBuffer(vector))
    return failure();
  return succeeded(parser.parseOptionalKeyword("aux")) ? parseBuffer(aux) : success();
}

static void printEpilogueOperands(OpAsmPrinter &printer, Operation *, EpilogueAttr, BufferAttr vector, BufferAttr aux) {
  if (vector)
    vector.print(printer);
  if (aux) {
    printer << (vector ? " aux " : "aux ");
    aux.print(printer);
  }
}

#define GET_OP_CLASSES
#include "tx/Dialect/Step/IR/StepOps.cpp.inc"

//===--------------------------------------------------------------------------------------------------------------===//
// Shared syntax
//===--------------------------------------------------------------------------------------------------------------===//

/// kind [rows, columns]
static ParseResult parseNest(OpAsmParser &parser, KernelKindAttr &kind, DenseI64ArrayAttr &space) {
  StringRef keyword;
  SMLoc loc = parser.getCurrentLocation();
  if (parser.parseKeyword(&keyword))
    return failure();
  std::optional<KernelKind> known = symbolizeKernelKind(keyword);
  if (!known || *known == KernelKind::Gemm || *known == KernelKind::View)
    return parser.emitError(loc, "unknown kernel kind '") << keyword << "'; known: row, column, flat, tile";
  kind = KernelKindAttr::get(parser.getContext(), *known);
  space = dyn_cast_or_null<DenseI64ArrayAttr>(DenseI64ArrayAttr::parse(parser, {}));
  return success(static_cast<bool>(space));
}

static void printNest(OpAsmPrinter &printer, KernelKind kind, ArrayRef<int64_t> space) {
  printer << ' ' << stringifyKernelKind(kind) << " [" << space[0] << ", " << space[1] << ']';
}

static LogicalResult verifySpace(Operation *op, ArrayRef<int64_t> space) {
  if (space.size() != 2 || space[0] < 1 || space[1] < 1)
    return op->emitOpError("needs a space [rows, columns] of positive sizes");
  return success();
}

/// Ops in a kernel are of its kind and of its space. Asks the ops, so these must have been verified.
static LogicalResult verifyNest(Region &body, KernelKind kind, ArrayRef<int64_t> space) {
  Operation *nest = body.getParentOp();
  if (kind == KernelKind::Gemm || kind == KernelKind::View) // the text has no word for them
    return nest->emitOpError("is of a kind that is never generated: ") << stringifyKernelKind(kind);
  auto ops = body.front().without_terminator();
  if (auto count = std::distance(ops.begin(), ops.end()); kind == KernelKind::Tile && count != 1)
    return nest->emitOpError("of tiles is one op, found ") << count;
  for (Operation &inner : ops) {
    auto kernel = dyn_cast<KernelOpInterface>(inner);
    if (!kernel || kernel.getKernelKind() != kind)
      return inner.emitOpError("cannot be part of a ") << stringifyKernelKind(kind) << " kernel";
    auto [rows, columns] = kernel.getKernelSpace();
    if (rows != space[0] || columns != space[1])
      return inner.emitOpError("has a space of [")
             << rows << ", " << columns << "], its kernel one of [" << space[0] << ", " << space[1] << "]";
  }
  return success();
}

//===--------------------------------------------------------------------------------------------------------------===//
// GroupOp
//===--------------------------------------------------------------------------------------------------------------===//

// step.group row [8, 6] in <...> (%a = %x, ...) : (types) -> (types) { ... }
ParseResult GroupOp::parse(OpAsmParser &parser, OperationState &result) {
  auto &properties = result.getOrAddProperties<Properties>();
  if (parseNest(parser, properties.kind, properties.space) || parser.parseKeyword("in"))
    return failure();
  auto scope = ScopeAttr::parse(parser, {});
  properties.scope = dyn_cast_or_null<ScopeAttr>(scope);
  if (!properties.scope)
    return failure();
  SmallVector<OpAsmParser::Argument> arguments;
  SmallVector<OpAsmParser::UnresolvedOperand> operands;
  auto parseBinding = [&]() -> ParseResult {
    return failure(parser.parseArgument(arguments.emplace_back()) || parser.parseEqual() ||
                   parser.parseOperand(operands.emplace_back()));
  };
  FunctionType type;
  SMLoc loc = parser.getCurrentLocation();
  if (parser.parseCommaSeparatedList(OpAsmParser::Delimiter::Paren, parseBinding) ||
      parser.parseOptionalAttrDict(result.attributes) || parser.parseColonType(type))
    return failure();
  if (type.getNumInputs() != arguments.size())
    return parser.emitError(loc, "has ") << arguments.size() << " inputs and " << type.getNumInputs() << " input types";
  for (auto [argument, argumentType] : llvm::zip(arguments, type.getInputs()))
    argument.type = argumentType;
  result.addTypes(type.getResults());
  return failure(parser.resolveOperands(operands, type.getInputs(), loc, result.operands) ||
                 parser.parseRegion(*result.addRegion(), arguments));
}

void GroupOp::print(OpAsmPrinter &printer) {
  printNest(printer, getKind(), getSpace());
  printer << " in ";
  getScope().print(printer);
  printer << " (";
  llvm::interleaveComma(llvm::zip(getBody().getArguments(), getInputs()), printer,
                        [&](auto binding) { printer << std::get<0>(binding) << " = " << std::get<1>(binding); });
  printer << ')';
  printer.printOptionalAttrDict(llvm::to_vector((*this)->getDiscardableAttrs()));
  printer << " : ";
  printer.printFunctionalType(*this);
  printer << ' ';
  printer.printRegion(getBody(), /*printEntryBlockArgs=*/false);
}

std::optional<IdRange> GroupOp::getIdRange(unsigned operand) { return tx::getIdRange(getBody().getArgument(operand)); }

LogicalResult GroupOp::verify() {
  if (getBody().front().getArgumentTypes() != getInputs().getTypes())
    return emitOpError("must give its body the inputs' types");
  return verifySpace(*this, getSpace());
}

LogicalResult GroupOp::verifyRegions() {
  if (TypeRange(cast<YieldOp>(getBody().front().back()).getValues()) != getOutputs().getTypes())
    return emitOpError("must yield values of its result types");
  return verifyNest(getBody(), getKind(), getSpace());
}

//===--------------------------------------------------------------------------------------------------------------===//
// KernelOp
//===--------------------------------------------------------------------------------------------------------------===//

// step.kernel @k row [8, 6] strides [0, 0, 18] immediates 1 (%a: t, ...) { ... }
ParseResult KernelOp::parse(OpAsmParser &parser, OperationState &result) {
  auto &properties = result.getOrAddProperties<Properties>();
  int64_t immediates = 0;
  if (parser.parseSymbolName(properties.sym_name) || parseNest(parser, properties.kind, properties.space))
    return failure();
  if (succeeded(parser.parseOptionalKeyword("strides"))) {
    properties.row_strides = dyn_cast_or_null<DenseI64ArrayAttr>(DenseI64ArrayAttr::parse(parser, {}));
    if (!properties.row_strides)
      return failure();
  }
  if (succeeded(parser.parseOptionalKeyword("immediates")) && parser.parseInteger(immediates))
    return failure();
  properties.immediates = parser.getBuilder().getI64IntegerAttr(immediates);
  SmallVector<OpAsmParser::Argument> arguments;
  Region *body = result.addRegion();
  if (parser.parseArgumentList(arguments, OpAsmParser::Delimiter::Paren, /*allowType=*/true) ||
      parser.parseOptionalAttrDictWithKeyword(result.attributes) || parser.parseRegion(*body, arguments))
    return failure();
  if (!properties.row_strides) {
    size_t buffers = arguments.size();
    if (!body->empty() && !body->front().empty())
      buffers += body->front().back().getNumOperands();
    properties.row_strides = parser.getBuilder().getDenseI64ArrayAttr(SmallVector<int64_t>(buffers, 0));
  }
  return success();
}

void KernelOp::print(OpAsmPrinter &printer) {
  printer << ' ';
  printer.printSymbolName(getSymName());
  printNest(printer, getKind(), getSpace());
  if (llvm::any_of(getRowStrides(), [](int64_t stride) { return stride != 0; }))
    printer << " strides [" << getRowStrides() << ']';
  if (getImmediates())
    printer << " immediates " << getImmediates();
  printer << " (";
  llvm::interleaveComma(getBody().getArguments(), printer,
                        [&](BlockArgument argument) { printer.printRegionArgument(argument); });
  printer << ')';
  printer.printOptionalAttrDictWithKeyword(llvm::to_vector((*this)->getDiscardableAttrs()));
  printer << ' ';
  printer.printRegion(getBody(), /*printEntryBlockArgs=*/false);
}

LogicalResult KernelOp::verify() {
  if (auto count = static_cast<int64_t>(getImmediates()); count < 0)
    return emitOpError("has ") << count << " immediates";
  return verifySpace(*this, getSpace());
}

LogicalResult KernelOp::verifyRegions() {
  SmallVector<Type> types = getBufferTypes();
  if (getRowStrides().size() != types.size())
    return emitOpError("has ") << types.size() << " buffers and " << getRowStrides().size() << " row strides";
  for (auto [type, stride] : llvm::zip(types, getRowStrides())) {
    auto tensor = dyn_cast<RankedTensorType>(type);
    if (!tensor || !tensor.hasStaticShape())
      return emitOpError("takes tensors of static shape, found ") << type;
    if (stride && stride < getColumns(type))
      return emitOpError("has rows of ") << getColumns(type) << " elements at a stride of " << stride;
  }
  return verifyNest(getBody(), getKind(), getSpace());
}

int64_t KernelOp::getUnits() {
  return getKind() == KernelKind::Column ? (getSpace()[1] + kColumnBlock - 1) / kColumnBlock : getSpace()[0];
}
SmallVector<Type> KernelOp::getBufferTypes() {
  SmallVector<Type> types(getBody().getArgumentTypes());
  llvm::append_range(types, getBody().front().back().getOperandTypes());
  return types;
}
unsigned KernelOp::getInputCount() { return getBody().getNumArguments(); }
unsigned KernelOp::getOutputCount() { return getBody().front().back().getNumOperands(); }
bool KernelOp::readsInput(unsigned input) {
  return llvm::any_of(getBody().getArgument(input).getUses(), [](OpOperand &use) {
    auto reader = dyn_cast<KernelOpInterface>(use.getOwner());
    return !reader || reader.readsOperand(use.getOperandNumber());
  });
}

//===--------------------------------------------------------------------------------------------------------------===//
// EntryOp
//===--------------------------------------------------------------------------------------------------------------===//

/// `ids`: null where none may be; a unit where an argument has none.
static ParseResult parseNamedBuffers(OpAsmParser &parser, ArrayAttr &names, ArrayAttr &buffers, ArrayAttr *ids) {
  SmallVector<Attribute> nameList, bufferList, idsList;
  auto parseOne = [&]() -> ParseResult {
    std::string name;
    if (parser.parseKeywordOrString(&name))
      return failure();
    Attribute buffer = BufferAttr::parse(parser, {});
    nameList.push_back(parser.getBuilder().getStringAttr(name));
    bufferList.push_back(buffer);
    if (!buffer)
      return failure();
    if (ids && succeeded(parser.parseOptionalKeyword(IdsAttr::getMnemonic())))
      idsList.push_back(IdsAttr::parse(parser, {}));
    else
      idsList.push_back(parser.getBuilder().getUnitAttr());
    return success(static_cast<bool>(idsList.back()));
  };
  if (parser.parseCommaSeparatedList(OpAsmParser::Delimiter::Paren, parseOne))
    return failure();
  names = parser.getBuilder().getArrayAttr(nameList);
  buffers = parser.getBuilder().getArrayAttr(bufferList);
  if (ids)
    *ids = parser.getBuilder().getArrayAttr(idsList);
  return success();
}

static void printNamedBuffers(OpAsmPrinter &printer, ArrayAttr names, ArrayAttr buffers, ArrayAttr ids) {
  printer << '(';
  llvm::interleaveComma(llvm::enumerate(names, buffers), printer, [&](auto item) {
    auto [number, name, buffer] = item;
    printer.printKeywordOrString(cast<StringAttr>(name).getValue());
    cast<BufferAttr>(buffer).print(printer);
    if (IdsAttr range = ids ? dyn_cast<IdsAttr>(ids[number]) : IdsAttr()) {
      printer << ' ' << IdsAttr::getMnemonic();
      range.print(printer);
    }
  });
  printer << ')';
}

/// Text has no block where there are no launches.
static ParseResult parseLaunches(OpAsmParser &parser, OperationState &result) {
  Region *body = result.addRegion();
  if (parser.parseRegion(*body))
    return failure();
  if (body->empty())
    body->emplaceBlock();
  return success();
}

// step.entry @name (tokens<...>, ...) -> (loss_sum<...>, ...) { launches }
ParseResult EntryOp::parse(OpAsmParser &parser, OperationState &result) {
  auto &properties = result.getOrAddProperties<Properties>();
  return failure(
      parser.parseSymbolName(properties.sym_name) ||
      parseNamedBuffers(parser, properties.argument_names, properties.argument_buffers, &properties.argument_ids) ||
      parser.parseArrow() || parseNamedBuffers(parser, properties.result_names, properties.result_buffers, nullptr) ||
      parser.parseOptionalAttrDictWithKeyword(result.attributes) || parseLaunches(parser, result));
}

void EntryOp::print(OpAsmPrinter &printer) {
  printer << ' ';
  printer.printSymbolName(getSymName());
  printer << ' ';
  printNamedBuffers(printer, getArgumentNames(), getArgumentBuffers(), getArgumentIds());
  printer << " -> ";
  printNamedBuffers(printer, getResultNames(), getResultBuffers(), nullptr);
  printer.printOptionalAttrDictWithKeyword(llvm::to_vector((*this)->getDiscardableAttrs()));
  printer << ' ';
  printer.printRegion(getBody());
}

/// A caller gives arguments and takes results by name.
static LogicalResult verifyNames(EntryOp entry, ArrayAttr names, StringRef what) {
  llvm::StringSet<> known;
  for (auto name : names.getAsValueRange<StringAttr>()) {
    if (failed(tx::detail::verifyName(entry, name)))
      return failure();
    if (!known.insert(name).second)
      return entry.emitOpError("@") << entry.getSymName() << " has two " << what << " of the name '" << name << "'";
  }
  return success();
}

LogicalResult EntryOp::verify() {
  if (getArgumentNames().size() != getArgumentBuffers().size() || getResultNames().size() != getResultBuffers().size())
    return emitOpError("needs one buffer for each name");
  if (getArgumentIds().size() != getArgumentNames().size())
    return emitOpError("says of ") << getArgumentIds().size() << " of its " << getArgumentNames().size()
                                   << " arguments whether they hold ids";
  for (Attribute buffer : llvm::concat<const Attribute>(getArgumentBuffers().getValue(), getResultBuffers().getValue()))
    if (!isa<BufferAttr>(buffer))
      return emitOpError("has an address that is no step.buffer: ") << buffer;
  if (failed(tx::detail::verifyName(*this, getSymName())) ||
      failed(verifyNames(*this, getArgumentNames(), "arguments")) ||
      failed(verifyNames(*this, getResultNames(), "results")))
    return failure();
  return success();
}

IdsAttr EntryOp::getIds(unsigned number) { return dyn_cast<IdsAttr>(getArgumentIds()[number]); }

LogicalResult EntryOp::verifyRegions() {
  for (Operation &op : getBody().front())
    if (!isa<LaunchOp, step::GemmOp, CollectiveOp>(op))
      return op.emitOpError("is no launch");
  return success();
}

//===--------------------------------------------------------------------------------------------------------------===//
// LaunchOp, GemmOp, CollectiveOp
//===--------------------------------------------------------------------------------------------------------------===//

static LogicalResult verifyBuffers(Operation *op, ArrayAttr buffers) {
  for (Attribute buffer : buffers)
    if (!isa<BufferAttr>(buffer))
      return op->emitOpError("has an address that is no step.buffer: ") << buffer;
  return success();
}

LogicalResult LaunchOp::verify() {
  if (failed(verifyBuffers(*this, getBuffers())))
    return failure();
  std::optional<AttentionAttr> attention = getAttention();
  if (!attention)
    return success();
  ArrayRef<int64_t> operands = attention->getOperands().asArrayRef();
  size_t expected = attention->getBackward().getValue() ? 9 : 5;
  if (operands.size() != expected)
    return emitOpError("is attention of ") << operands.size() << " operands, expected " << expected;
  for (auto [index, operand] : llvm::enumerate(operands)) {
    if (operand < 0 || operand >= static_cast<int64_t>(getBuffers().size()))
      return emitOpError("is attention on buffer ") << operand << " of " << getBuffers().size();
    auto type = cast<BufferAttr>(getBuffers()[operand]).getType();
    if (type.getRank() != 3)
      return emitOpError("is attention on tensors of three dimensions, found ") << type;
  }
  auto q = cast<BufferAttr>(getBuffers()[operands.front()]).getType();
  int64_t heads = attention->getHeads().getInt();
  if (heads < 1 || q.getDimSize(2) % heads)
    return emitOpError("has ") << heads << " heads, which do not divide " << q;
  return success();
}

SmallVector<Attribute> LaunchOp::getAllBuffers() {
  SmallVector<Attribute> buffers(getBuffers().begin(), getBuffers().end());
  if (getScratch())
    buffers.push_back(*getScratch());
  return buffers;
}

LogicalResult LaunchOp::verifySymbolUses(SymbolTableCollection &symbols) {
  auto kernel = symbols.lookupNearestSymbolFrom<KernelOp>(*this, getKernelAttr());
  if (!kernel)
    return emitOpError("names no step.kernel: ") << getKernelAttr();
  SmallVector<Type> types = kernel.getBufferTypes();
  if (types.size() != getBuffers().size())
    return emitOpError("has ") << getBuffers().size() << " buffers, its kernel " << types.size();
  for (auto [attribute, type, stride] : llvm::zip(getBuffers(), types, kernel.getRowStrides())) {
    auto buffer = cast<BufferAttr>(attribute);
    if (buffer.getType() != type || buffer.getStride() != stride)
      return emitOpError("gives its kernel ") << buffer << " where it takes " << type << " of stride " << stride;
  }
  if (getImmediates().size() != static_cast<uint64_t>(kernel.getImmediates()))
    return emitOpError("has ") << getImmediates().size() << " immediates, its kernel " << kernel.getImmediates();
  return success();
}

LogicalResult step::GemmOp::verify() {
  if (failed(verifyBuffers(*this, getBuffers())))
    return failure();
  if (getBuffers().size() != 3 && getBuffers().size() != 4)
    return emitOpError("takes buffers A, B, C and perhaps a reset bit, found ") << getBuffers().size();
  if (getBatch().size() != 2 || getLeading().size() != 3 || getBatchStrides().size() != 6)
    return emitOpError("takes 2 batch sizes, 3 leading dimensions and 6 batch strides, found ")
           << getBatch().size() << ", " << getLeading().size() << " and " << getBatchStrides().size();
  GemmForm form{static_cast<int64_t>(getM()), static_cast<int64_t>(getN()), static_cast<int64_t>(getK()), getBatch()[0],
                getBatch()[1]};
  for (int64_t size : {form.m, form.n, form.k, form.batch0, form.batch1})
    if (size < 1)
      return emitOpError("takes sizes of at least 1, found ") << size;
  auto epilogue = getEpilogue();
  if ((epilogue && hasVector(*epilogue)) != getVector().has_value())
    return emitOpError("has an epilogue without its vector, or the reverse");
  if ((epilogue && hasAux(*epilogue)) != getAux().has_value())
    return emitOpError("has an epilogue without its aux matrix, or the reverse");
  if (epilogue && form.batch0 * form.batch1 != 1)
    return emitOpError("has an epilogue for a batch of products");
  if (auto vector = getVector()) {
    int64_t count = *epilogue == Epilogue::SumsA ? form.m : form.n;
    if (vector->getType().getNumElements() != count || vector->getStride())
      return emitOpError("takes a vector of ") << count << " elements in its epilogue, found " << *vector;
  }
  if (auto aux = getAux()) {
    if (getRows(aux->getType()) != form.m || getColumns(aux->getType()) != form.n)
      return emitOpError("takes an aux matrix of ") << form.m << " x " << form.n << " elements, found " << *aux;
    if (!getBeta().isZero() || getBuffers().size() > 3)
      return emitOpError("adds to C what is not the product: ") << stringifyEpilogue(*epilogue) << " takes a beta of 0";
  }
  return tx::detail::verifyFlops(*this, form);
}

SmallVector<Attribute> step::GemmOp::getAllBuffers() {
  SmallVector<Attribute> buffers(getBuffers().begin(), getBuffers().end());
  for (std::optional<BufferAttr> buffer : {getVector(), getAux(), getScratch()})
    if (buffer)
      buffers.push_back(*buffer);
  return buffers;
}

/// Elements of operand and result, and the blocks that they fall into.
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
  if (failed(verifyBuffers(*this, getBuffers())))
    return failure();
  if (getBuffers().size() != 2)
    return emitOpError("takes an operand and a result, found ") << getBuffers().size() << " buffers";
  for (auto buffer : getBuffers().getAsRange<BufferAttr>())
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
  auto operand = cast<BufferAttr>(getBuffers()[0]), result = cast<BufferAttr>(getBuffers()[1]);
  if (failed(verifyParts(*this, operand.getType(), result.getType())))
    return failure();
  bool mayBeSame = kind == CollectiveKind::AllReduce || kind == CollectiveKind::Broadcast;
  if (operand.getSegment() == result.getSegment() && !(mayBeSame && operand.getOffset() == result.getOffset()) &&
      operand.getOffset() < result.getOffset() + result.getExtent() &&
      result.getOffset() < operand.getOffset() + operand.getExtent())
    return emitOpError("writes ") << result << " over " << operand << ", which it reads";
  return success();
}

//===--------------------------------------------------------------------------------------------------------------===//
// ProgramOp
//===--------------------------------------------------------------------------------------------------------------===//

LogicalResult ProgramOp::verify() {
  for (uint64_t bytes : {getPersistentBytes(), getArgumentBytes(), getSavedBytes(), getTransientBytes()})
    if (static_cast<int64_t>(bytes) < 0)
      return emitOpError("has a segment of ") << static_cast<int64_t>(bytes) << " bytes";
  return success();
}

LogicalResult ProgramOp::verifyRegions() {
  const uint64_t sizes[] = {getPersistentBytes(), getArgumentBytes(), getSavedBytes(), getTransientBytes()};
  auto verify = [&](Operation *op, ArrayRef<Attribute> buffers) -> LogicalResult {
    for (Attribute attribute : buffers)
      if (auto buffer = cast<BufferAttr>(attribute);
          buffer.getOffset() + buffer.getExtent() > static_cast<int64_t>(sizes[static_cast<int>(buffer.getSegment())]))
        return op->emitOpError("reaches beyond its segment with ") << buffer;
    return success();
  };
  for (auto entry : getBody().getOps<EntryOp>()) {
    if (failed(verify(entry, entry.getArgumentBuffers().getValue())) ||
        failed(verify(entry, entry.getResultBuffers().getValue())))
      return failure();
    for (Operation &launch : entry.getBody().front()) {
      auto buffers = llvm::TypeSwitch<Operation *, SmallVector<Attribute>>(&launch)
                         .Case<LaunchOp, step::GemmOp>([](auto op) { return op.getAllBuffers(); })
                         .Case([](CollectiveOp op) { return llvm::to_vector(op.getBuffers()); })
                         .Default(SmallVector<Attribute>());
      if (failed(verify(&launch, buffers)))
        return failure();
    }
  }
  return success();
}
