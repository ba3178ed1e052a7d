//===- TxDialect.cpp - Registration, the scope attribute ----------------------------------------------------------===//

#include "tx/Dialect/Tx/IR/TxDialect.h"
#include "tx/Dialect/Tx/IR/TxOps.h"

#include "mlir/IR/Builders.h"
#include "mlir/IR/DialectImplementation.h"
#include "llvm/ADT/StringExtras.h"
#include "llvm/ADT/TypeSwitch.h"

using namespace mlir;
using namespace tx;

#include "tx/Dialect/Tx/IR/TxAttrEnums.cpp.inc"
#include "tx/Dialect/Tx/IR/TxDialect.cpp.inc"

#define GET_ATTRDEF_CLASSES
#include "tx/Dialect/Tx/IR/TxAttrs.cpp.inc"

// A list of numbers that keeps all digits. MLIR's own form of such an attribute is printed with six.
static ParseResult parseNumbers(OpAsmParser &parser, DenseF64ArrayAttr &numbers) {
  SmallVector<double> list;
  auto parseNumber = [&] { return parser.parseFloat(list.emplace_back()); };
  if (parser.parseCommaSeparatedList(OpAsmParser::Delimiter::Square, parseNumber))
    return failure();
  numbers = parser.getBuilder().getDenseF64ArrayAttr(list);
  return success();
}

static void printNumbers(OpAsmPrinter &printer, Operation *, DenseF64ArrayAttr numbers) {
  printer << '[';
  llvm::interleaveComma(numbers.asArrayRef(), printer,
                        [&](double number) { printer.printFloat(llvm::APFloat(number)); });
  printer << ']';
}

#define GET_OP_CLASSES
#include "tx/Dialect/Tx/IR/TxOps.cpp.inc"

void TxDialect::initialize() {
  addAttributes<
#define GET_ATTRDEF_LIST
#include "tx/Dialect/Tx/IR/TxAttrs.cpp.inc"
      >();
  addOperations<
#define GET_OP_LIST
#include "tx/Dialect/Tx/IR/TxOps.cpp.inc"
      >();
}

//===--------------------------------------------------------------------------------------------------------------===//
// ScopeAttr
//===--------------------------------------------------------------------------------------------------------------===//

Attribute ScopeAttr::parse(AsmParser &parser, Type) {
  Segment segment = Segment::Forward;
  int32_t layer = -1;
  std::string path;
  if (parser.parseLess())
    return {};
  StringRef keyword;
  SMLoc loc = parser.getCurrentLocation();
  bool more = succeeded(parser.parseOptionalKeyword(&keyword));
  if (more && keyword != "layer") {
    std::optional<Segment> known = symbolizeSegment(keyword);
    if (!known) {
      parser.emitError(loc, "unknown segment '")
          << keyword << "'; known: " << listNames<Segment>(0, getMaxEnumValForSegment());
      return {};
    }
    segment = *known;
    if (parser.parseComma())
      return {};
    loc = parser.getCurrentLocation();
    more = succeeded(parser.parseOptionalKeyword(&keyword));
  }
  if (more) {
    if (keyword != "layer") {
      parser.emitError(loc, "expected 'layer' or the module path");
      return {};
    }
    if (parser.parseInteger(layer))
      return {};
    if (layer < 0) {
      parser.emitError(loc, "a layer's number is not negative; leave it out outside of the layers");
      return {};
    }
    if (parser.parseComma())
      return {};
  }
  if (parser.parseString(&path) || parser.parseGreater())
    return {};
  return ScopeAttr::get(parser.getContext(), segment, layer, path);
}

void ScopeAttr::print(AsmPrinter &printer) const {
  printer << '<';
  if (getSegment() != Segment::Forward)
    printer << stringifySegment(getSegment()) << ", ";
  if (isInLayer())
    printer << "layer " << getLayer() << ", ";
  printer.printString(getPath());
  printer << '>';
}

ScopeAttr ScopeAttr::in(Segment segment) const { return ScopeAttr::get(getContext(), segment, getLayer(), getPath()); }

bool ScopeAttr::isInside(RecomputeModule module) const {
  SmallVector<StringRef> components;
  getPath().split(components, '.');
  return llvm::is_contained(components, stringifyRecomputeModule(module));
}

// FNV-1a, 32 bits. The site hash must be the same on every machine and in every version; library hashes are seeded or
// change.
uint32_t ScopeAttr::getSiteHash() const {
  uint32_t hash = 2166136261u;
  for (char c : std::to_string(getLayer()) + ":" + getPath().str())
    hash = (hash ^ static_cast<uint8_t>(c)) * 16777619u;
  return hash;
}

std::string ScopeAttr::str() const {
  return isInLayer() ? "layer " + std::to_string(getLayer()) + " " + getPath().str() : getPath().str();
}
