//===- StepDialect.cpp - Registration, the buffer attribute ---------------===//

#include "tx/Dialect/Step/IR/StepOps.h"

#include "mlir/IR/Builders.h"
#include "mlir/IR/DialectImplementation.h"
#include "llvm/ADT/StringExtras.h"
#include "llvm/ADT/TypeSwitch.h"

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

//===----------------------------------------------------------------------===//
// BufferAttr
//===----------------------------------------------------------------------===//

Attribute BufferAttr::parse(AsmParser &parser, Type) {
  StringRef keyword;
  int64_t offset = 0, stride = 0;
  RankedTensorType type;
  SMLoc loc = parser.getCurrentLocation();
  if (parser.parseLess() || parser.parseKeyword(&keyword))
    return {};
  std::optional<ArenaSegment> segment = symbolizeArenaSegment(keyword);
  if (!segment) {
    parser.emitError(loc, "unknown segment '") << keyword << "'; known: persistent, argument, saved, transient";
    return {};
  }
  if (parser.parseComma() || parser.parseInteger(offset) || parser.parseComma() || parser.parseType(type))
    return {};
  if (succeeded(parser.parseOptionalComma()) && (parser.parseKeyword("stride") || parser.parseInteger(stride)))
    return {};
  if (parser.parseGreater())
    return {};
  if (offset < 0 || stride < 0 || !type.hasStaticShape()) {
    parser.emitError(loc, "a buffer has a static shape and no negative offset or stride");
    return {};
  }
  return BufferAttr::get(parser.getContext(), *segment, offset, type, stride);
}

void BufferAttr::print(AsmPrinter &printer) const {
  printer << '<' << stringifyArenaSegment(getSegment()) << ", " << getOffset() << ", " << getType();
  if (getStride())
    printer << ", stride " << getStride();
  printer << '>';
}

int64_t BufferAttr::getRowStride() const { return getStride() ? getStride() : getColumns(getType()); }

int64_t BufferAttr::getExtent() const {
  int64_t elementBytes = std::max<int64_t>(1, getType().getElementTypeBitWidth() / 8);
  return ((getRows(getType()) - 1) * getRowStride() + getColumns(getType())) * elementBytes;
}
