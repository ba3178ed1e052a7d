//===- StepOps.cpp - Groups, kernels, entries -----------------------------===//

#include "tx/Dialect/Step/IR/StepOps.h"
#include "tx/Dialect/Tx/IR/TxOps.h"

#include "mlir/IR/Builders.h"
#include "mlir/IR/OpImplementation.h"

using namespace mlir;
using namespace tx;
using namespace tx::step;

#define GET_OP_CLASSES
#include "tx/Dialect/Step/IR/StepOps.cpp.inc"

//===----------------------------------------------------------------------===//
// Shared syntax
//===----------------------------------------------------------------------===//

/// kind [rows, columns]
static ParseResult parseNest(OpAsmParser &parser, KernelKindAttr &kind, DenseI64ArrayAttr &space) {
  StringRef keyword;
  SMLoc loc = parser.getCurrentLocation();
  if (parser.parseKeyword(&keyword))
    return failure();
  std::optional<KernelKind> known = symbolizeKernelKind(keyword);
  if (!known || *known == KernelKind::Gemm || *known == KernelKind::View)
    return parser.emitError(loc, "unknown kernel kind '") << keyword << "'; known: row, column, flat";
  kind = KernelKindAttr::get(parser.getContext(), *known);
  space = dyn_cast_or_null<DenseI64ArrayAttr>(DenseI64ArrayAttr::parse(parser, {}));
  return success(static_cast<bool>(space));
}

static void printNest(OpAsmPrinter &printer, KernelKind kind, ArrayRef<int64_t> space) {
  printer << ' ' << stringifyKernelKind(kind) << " [" << space[0] << ", " << space[1] << ']';
}

/// Ops in a kernel are of its kind and, unless flat chunks hide it, of its space.
static LogicalResult verifyNest(Operation *op, Region &body, KernelKind kind, ArrayRef<int64_t> space) {
  if (space.size() != 2 || space[0] < 1 || space[1] < 1)
    return op->emitOpError("needs a space [rows, columns] of positive sizes");
  if (!isa_and_nonnull<YieldOp>(body.front().empty() ? nullptr : &body.front().back()))
    return op->emitOpError("must end with step.yield");
  for (Operation &inner : body.front().without_terminator()) {
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

//===----------------------------------------------------------------------===//
// GroupOp
//===----------------------------------------------------------------------===//

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
  llvm::interleaveComma(llvm::zip(getBody().getArguments(), getInputs()), printer, [&](auto binding) {
    printer << std::get<0>(binding) << " = " << std::get<1>(binding);
  });
  printer << ')';
  printer.printOptionalAttrDict(llvm::to_vector((*this)->getDiscardableAttrs()));
  printer << " : ";
  printer.printFunctionalType(*this);
  printer << ' ';
  printer.printRegion(getBody(), /*printEntryBlockArgs=*/false);
}

LogicalResult GroupOp::verify() {
  Block &body = getBody().front();
  if (body.getArgumentTypes() != getInputs().getTypes())
    return emitOpError("must give its body the inputs' types");
  if (failed(verifyNest(*this, getBody(), getKind(), getSpace())))
    return failure();
  if (TypeRange(cast<YieldOp>(body.back()).getValues()) != getOutputs().getTypes())
    return emitOpError("must yield values of its result types");
  return success();
}

//===----------------------------------------------------------------------===//
// KernelOp
//===----------------------------------------------------------------------===//

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
  if (failed(verifyNest(*this, getBody(), getKind(), getSpace())))
    return failure();
  if (getRowStrides().size() != getInputCount() + getOutputCount())
    return emitOpError("has ") << getInputCount() + getOutputCount() << " buffers and " << getRowStrides().size()
                               << " row strides";
  return success();
}

int64_t KernelOp::getUnits() {
  return getKind() == KernelKind::Column ? (getSpace()[1] + kColumnBlock - 1) / kColumnBlock : getSpace()[0];
}
unsigned KernelOp::getInputCount() { return getBody().getNumArguments(); }
unsigned KernelOp::getOutputCount() { return getBody().front().back().getNumOperands(); }

//===----------------------------------------------------------------------===//
// EntryOp
//===----------------------------------------------------------------------===//

static ParseResult parseNamedBuffers(OpAsmParser &parser, ArrayAttr &names, ArrayAttr &buffers) {
  SmallVector<Attribute> nameList, bufferList;
  auto parseOne = [&]() -> ParseResult {
    std::string name;
    if (parser.parseKeywordOrString(&name))
      return failure();
    Attribute buffer = BufferAttr::parse(parser, {});
    nameList.push_back(parser.getBuilder().getStringAttr(name));
    bufferList.push_back(buffer);
    return success(static_cast<bool>(buffer));
  };
  if (parser.parseCommaSeparatedList(OpAsmParser::Delimiter::Paren, parseOne))
    return failure();
  names = parser.getBuilder().getArrayAttr(nameList);
  buffers = parser.getBuilder().getArrayAttr(bufferList);
  return success();
}

static void printNamedBuffers(OpAsmPrinter &printer, ArrayAttr names, ArrayAttr buffers) {
  printer << '(';
  llvm::interleaveComma(llvm::zip(names, buffers), printer, [&](auto pair) {
    printer.printKeywordOrString(cast<StringAttr>(std::get<0>(pair)).getValue());
    cast<BufferAttr>(std::get<1>(pair)).print(printer);
  });
  printer << ')';
}

// step.entry @name (tokens<...>, ...) -> (loss_sum<...>, ...) { launches }
ParseResult EntryOp::parse(OpAsmParser &parser, OperationState &result) {
  auto &properties = result.getOrAddProperties<Properties>();
  return failure(parser.parseSymbolName(properties.sym_name) ||
                 parseNamedBuffers(parser, properties.argument_names, properties.argument_buffers) ||
                 parser.parseArrow() ||
                 parseNamedBuffers(parser, properties.result_names, properties.result_buffers) ||
                 parser.parseOptionalAttrDictWithKeyword(result.attributes) ||
                 parser.parseRegion(*result.addRegion()));
}

void EntryOp::print(OpAsmPrinter &printer) {
  printer << ' ';
  printer.printSymbolName(getSymName());
  printer << ' ';
  printNamedBuffers(printer, getArgumentNames(), getArgumentBuffers());
  printer << " -> ";
  printNamedBuffers(printer, getResultNames(), getResultBuffers());
  printer.printOptionalAttrDictWithKeyword(llvm::to_vector((*this)->getDiscardableAttrs()));
  printer << ' ';
  printer.printRegion(getBody());
}

LogicalResult EntryOp::verify() {
  if (getArgumentNames().size() != getArgumentBuffers().size() || getResultNames().size() != getResultBuffers().size())
    return emitOpError("needs one buffer for each name");
  for (Attribute buffer : llvm::concat<const Attribute>(getArgumentBuffers().getValue(), getResultBuffers().getValue()))
    if (!isa<BufferAttr>(buffer))
      return emitOpError("has an address that is no step.buffer: ") << buffer;
  for (Operation &op : getBody().front())
    if (!isa<LaunchOp, step::GemmOp>(op))
      return op.emitOpError("is no launch");
  return success();
}
