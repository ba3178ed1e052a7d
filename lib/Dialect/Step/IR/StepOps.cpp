//===- StepOps.cpp - Groups, kernels, entries, the program
//---------------------------------------------------------------------===//

#include "tx/Dialect/Step/IR/StepOps.h"
#include "tx/Dialect/Tx/IR/TxOps.h"

#include "mlir/IR/Builders.h"
#include "mlir/IR/OpImplementation.h"
#include "llvm/ADT/SmallPtrSet.h"
#include "llvm/ADT/StringSet.h"

using namespace mlir;
using namespace tx;
using namespace tx::step;

#include "tx/Dialect/Step/IR/StepInterfaces.cpp.inc"

#define GET_OP_CLASSES
#include "tx/Dialect/Step/IR/StepOps.cpp.inc"

//===--------------------------------------------------------------------------------------------------------------===//
// Shared syntax
//===--------------------------------------------------------------------------------------------------------------===//

/// Parses `kind [rows, columns]`.
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

/// Checks that each op in a kernel has the kernel's kind and space. It calls the ops' interface methods, so the ops
/// must have been verified before.
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
  llvm::SmallPtrSet<Value, 8> yielded;
  for (Value value : getBody().front().back().getOperands())
    if (isa<BlockArgument>(value) || !yielded.insert(value).second)
      return emitOpError("must yield what its ops compute, each value once");
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

/// Parses an entry's arguments or results. `ids` gets the range of ids of each one (a unit attribute if it has none);
/// `ids` is null for results, which have no ranges.
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

/// Parses the launches of an entry. An entry without launches has no block in the text, but gets an empty one here.
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

/// Checks the names of an entry's arguments or results: callers give arguments and take results by name.
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
    if (!isa<LaunchOpInterface>(op))
      return op.emitOpError("is no launch");
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

/// Checks a launch's waits. `lanes`: what runs the launches before it, from launch number `first` of its entry on.
static LogicalResult verifyWaits(LaunchOpInterface launch, int64_t first, ArrayRef<Lane> lanes) {
  std::optional<int64_t> waited[getMaxEnumValForLane() + 1];
  for (int64_t number : launch.getWaitsAttr() ? launch.getWaitsAttr().asArrayRef() : ArrayRef<int64_t>()) {
    if (number < first || number >= first + static_cast<int64_t>(lanes.size()))
      return launch.emitOpError("waits for launch ") << number << ", which is not before it in its entry";
    Lane lane = lanes[number - first];
    if (lane == launch.getLane())
      return launch.emitOpError("waits for launch ")
             << number << " of its own lane, '" << stringifyLane(lane) << "', which runs launches in order";
    if (std::optional<int64_t> other = std::exchange(waited[static_cast<unsigned>(lane)], number))
      return launch.emitOpError("waits for launches ")
             << *other << " and " << number << " of lane '" << stringifyLane(lane) << "'; the later one would do";
  }
  return success();
}

LogicalResult ProgramOp::verifyRegions() {
  const uint64_t sizes[] = {getPersistentBytes(), getArgumentBytes(), getSavedBytes(), getTransientBytes()};
  auto verifyEach = [&](Operation *op, ArrayRef<BufferAttr> buffers) -> LogicalResult {
    for (BufferAttr buffer : buffers)
      if (buffer.getOffset() + buffer.getExtent() > static_cast<int64_t>(sizes[static_cast<int>(buffer.getSegment())]))
        return op->emitOpError("reaches beyond its segment with ") << buffer;
    return success();
  };
  int64_t next = 0;
  for (auto entry : getBody().getOps<EntryOp>()) {
    for (ArrayAttr buffers : {entry.getArgumentBuffers(), entry.getResultBuffers()})
      if (failed(verifyEach(entry, llvm::to_vector(buffers.getAsRange<BufferAttr>()))))
        return failure();
    const int64_t first = next;
    SmallVector<Lane> lanes;
    for (auto launch : entry.getBody().getOps<LaunchOpInterface>()) {
      if (failed(verifyEach(launch, launch.getAllBuffers())))
        return failure();
      if (int64_t number = launch.getNumberAttr().getInt(); number != next)
        return launch.emitOpError("has the number ") << number << ", but is launch " << next << " of its program";
      if (failed(verifyWaits(launch, first, lanes)))
        return failure();
      lanes.push_back(launch.getLane());
      ++next;
    }
  }
  return success();
}

void step::numberLaunches(ProgramOp program) {
  Builder builder(program.getContext());
  int64_t next = 0;
  for (auto entry : program.getBody().getOps<EntryOp>())
    for (auto launch : entry.getBody().getOps<LaunchOpInterface>())
      launch.setNumberAttr(builder.getI64IntegerAttr(next++));
}
