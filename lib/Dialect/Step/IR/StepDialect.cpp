//===- StepDialect.cpp - Registration, the buffer attribute -------------------------------------------------------===//

#include "tx/Dialect/Step/IR/StepOps.h"

#include "mlir/IR/Builders.h"
#include "mlir/IR/DialectImplementation.h"
#include "mlir/Interfaces/FunctionInterfaces.h"
#include "llvm/ADT/StringExtras.h"
#include "llvm/ADT/TypeSwitch.h"
#include "llvm/Support/MathExtras.h"

using namespace mlir;
using namespace tx;
using namespace tx::step;

#include "tx/Dialect/Step/IR/StepDialect.cpp.inc"
#include "tx/Dialect/Step/IR/StepEnums.cpp.inc"

#define GET_ATTRDEF_CLASSES
#include "tx/Dialect/Step/IR/StepAttrs.cpp.inc"

void StepDialect::initialize() {
  addAttributes<
#define GET_ATTRDEF_LIST
#include "tx/Dialect/Step/IR/StepAttrs.cpp.inc"
      >();
  addOperations<
#define GET_OP_LIST
#include "tx/Dialect/Step/IR/StepOps.cpp.inc"
      >();
}

//===--------------------------------------------------------------------------------------------------------------===//
// BufferAttr
//===--------------------------------------------------------------------------------------------------------------===//

Attribute BufferAttr::parse(AsmParser &parser, Type) {
  StringRef keyword;
  int64_t offset = 0, stride = 0;
  RankedTensorType type;
  std::string name;
  SMLoc loc = parser.getCurrentLocation();
  if (parser.parseLess() || parser.parseKeyword(&keyword))
    return {};
  std::optional<ArenaSegment> segment = symbolizeArenaSegment(keyword);
  if (!segment) {
    parser.emitError(loc, "unknown segment '")
        << keyword << "'; known: " << listNames<ArenaSegment>(0, getMaxEnumValForArenaSegment());
    return {};
  }
  if (parser.parseComma() || parser.parseInteger(offset) || parser.parseComma() || parser.parseType(type))
    return {};
  bool hasMore = succeeded(parser.parseOptionalComma());
  if (hasMore && succeeded(parser.parseOptionalKeyword("stride"))) {
    if (parser.parseInteger(stride))
      return {};
    hasMore = succeeded(parser.parseOptionalComma());
  }
  if ((hasMore && parser.parseString(&name)) || parser.parseGreater())
    return {};
  return parser.getChecked<BufferAttr>(loc, parser.getContext(), *segment, offset, type, stride, name);
}

LogicalResult BufferAttr::verify(function_ref<InFlightDiagnostic()> emitError, ArenaSegment, int64_t offset,
                                 RankedTensorType type, int64_t stride, StringRef) {
  if (!type.hasStaticShape() || !type.getElementType().isIntOrFloat())
    return emitError() << "a buffer holds numbers in a static shape, found " << type;
  if (failed(tx::detail::verifyBoundedShape(emitError, type)))
    return failure();
  if (offset < 0 || stride < 0)
    return emitError() << "a buffer has no negative offset or stride";
  if (stride && stride < getColumns(type))
    return emitError() << "rows of " << getColumns(type) << " elements do not fit a stride of " << stride;
  int64_t bytes = std::max<int64_t>(1, type.getElementTypeBitWidth() / 8);
  if (llvm::MulOverflow(bytes, getRows(type), bytes) ||
      llvm::MulOverflow(bytes, stride ? stride : getColumns(type), bytes) || llvm::AddOverflow(bytes, offset, bytes))
    return emitError() << "a buffer reaches beyond 2^63 bytes";
  return success();
}

void BufferAttr::print(AsmPrinter &printer) const {
  // Addresses are hexadecimal here, in a dry run and in the runtime's messages, so that a text search for one finds all
  // places.
  printer << '<' << stringifyArenaSegment(getSegment()) << ", 0x" << llvm::utohexstr(getOffset(), /*LowerCase=*/true)
          << ", " << getType();
  if (getStride())
    printer << ", stride " << getStride();
  if (!getName().empty()) {
    printer << ", ";
    printer.printString(getName());
  }
  printer << '>';
}

BufferAttr BufferAttr::withName(StringRef name) const {
  return get(getContext(), getSegment(), getOffset(), getType(), getStride(), name);
}

int64_t BufferAttr::getRowStride() const { return getStride() ? getStride() : getColumns(getType()); }

int64_t BufferAttr::getExtent() const {
  int64_t elementBytes = std::max<int64_t>(1, getType().getElementTypeBitWidth() / 8);
  return ((getRows(getType()) - 1) * getRowStride() + getColumns(getType())) * elementBytes;
}

step::BufferAttr tx::getBuffer(Value value) {
  if (auto argument = dyn_cast<BlockArgument>(value)) {
    auto function = cast<FunctionOpInterface>(argument.getOwner()->getParentOp());
    return function.getArgAttrOfType<BufferAttr>(argument.getArgNumber(), kBufferAttr);
  }
  auto result = cast<OpResult>(value);
  auto buffers = result.getOwner()->getAttrOfType<ArrayAttr>(kBuffersAttr);
  unsigned number = result.getResultNumber();
  return buffers && number < buffers.size() ? dyn_cast<BufferAttr>(buffers[number]) : BufferAttr();
}

//===--------------------------------------------------------------------------------------------------------------===//
// AttentionAttr
//===--------------------------------------------------------------------------------------------------------------===//

/// Parses a name and a number, as `batch 2`.
static ParseResult parseNamed(AsmParser &parser, StringRef name, int64_t &value) {
  return failure(parser.parseKeyword(name) || parser.parseInteger(value));
}

// <forward causal deterministic batch 2 queries 4 keys 4 heads 4/2 width 24/16 scale 0.5 window 8 cap 50.0 operands
// [...]>
Attribute AttentionAttr::parse(AsmParser &parser, Type) {
  StringRef direction;
  int64_t batch = 0, queries = 0, keys = 0, heads = 0, keyHeads = 0, width = 0, window = 0;
  double scale = 0, cap = 0;
  SMLoc loc = parser.getCurrentLocation();
  if (parser.parseLess() || parser.parseKeyword(&direction))
    return {};
  if (direction != "forward" && direction != "backward") {
    parser.emitError(loc, "attention is 'forward' or 'backward', found '") << direction << "'";
    return {};
  }
  bool causal = succeeded(parser.parseOptionalKeyword("causal"));
  bool deterministic = succeeded(parser.parseOptionalKeyword("deterministic"));
  if (parseNamed(parser, "batch", batch) || parseNamed(parser, "queries", queries) ||
      parseNamed(parser, "keys", keys) || parseNamed(parser, "heads", heads) || parser.parseSlash() ||
      parser.parseInteger(keyHeads) || parseNamed(parser, "width", width))
    return {};
  int64_t valueWidth = width;
  if (succeeded(parser.parseOptionalSlash()) && parser.parseInteger(valueWidth))
    return {};
  if (parser.parseKeyword("scale") || parser.parseFloat(scale))
    return {};
  if (succeeded(parser.parseOptionalKeyword("window")) && parser.parseInteger(window))
    return {};
  if (succeeded(parser.parseOptionalKeyword("cap")) && parser.parseFloat(cap))
    return {};
  if (parser.parseKeyword("operands"))
    return {};
  auto operands = dyn_cast_or_null<DenseI64ArrayAttr>(DenseI64ArrayAttr::parse(parser, {}));
  if (!operands || parser.parseGreater())
    return {};
  Builder &builder = parser.getBuilder();
  return parser.getChecked<AttentionAttr>(
      loc, parser.getContext(), direction == "backward", causal, deterministic, batch, queries, keys, heads, keyHeads,
      width, valueWidth, builder.getF64FloatAttr(scale), window, builder.getF64FloatAttr(cap), operands);
}

void AttentionAttr::print(AsmPrinter &printer) const {
  printer << '<' << (getBackward() ? "backward" : "forward") << (getCausal() ? " causal" : "")
          << (getDeterministic() ? " deterministic" : "") << " batch " << getBatch() << " queries " << getQueries()
          << " keys " << getKeys() << " heads " << getHeads() << '/' << getKeyHeads() << " width " << getWidth();
  if (getValueWidth() != getWidth())
    printer << '/' << getValueWidth();
  printer << " scale ";
  printer.printFloat(getScale().getValue());
  if (getWindow())
    printer << " window " << getWindow();
  if (getSoftCap().getValueAsDouble() != 0) {
    printer << " cap ";
    printer.printFloat(getSoftCap().getValue());
  }
  printer << " operands [" << getOperands().asArrayRef() << "]>";
}

LogicalResult AttentionAttr::verify(llvm::function_ref<InFlightDiagnostic()> emitError, bool backward, bool, bool,
                                    int64_t batch, int64_t queries, int64_t keys, int64_t heads, int64_t keyHeads,
                                    int64_t width, int64_t valueWidth, FloatAttr, int64_t window, FloatAttr,
                                    DenseI64ArrayAttr operands) {
  for (int64_t size : {batch, queries, keys, heads, keyHeads, width, valueWidth})
    if (size < 1)
      return emitError() << "attention takes sizes of at least 1, found " << size;
  if (heads % keyHeads)
    return emitError() << "attention has " << heads << " heads, which do not share " << keyHeads
                       << " heads of keys evenly";
  if (window < 0)
    return emitError() << "attention takes a window of at least 1 key, or none, found " << window;
  int64_t expected = backward ? 9 : 5;
  if (operands.size() != expected)
    return emitError() << "attention takes " << expected << " operands, found " << operands.size();
  return success();
}
