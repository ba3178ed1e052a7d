//===- CheckOps.cpp - Registration, what agrees with what ---------------------------------------------------------===//

#include "tx/Dialect/Check/IR/CheckOps.h"

#include "mlir/IR/Builders.h"
#include "mlir/IR/Matchers.h"
#include "llvm/ADT/APFloat.h"
#include "llvm/Support/raw_ostream.h"

#include <cmath>

using namespace mlir;
using namespace tx;
using namespace tx::check;

#include "tx/Dialect/Check/IR/CheckDialect.cpp.inc"
#include "tx/Dialect/Check/IR/CheckInterfaces.cpp.inc"

void CheckDialect::initialize() {
  addOperations<
#define GET_OP_LIST
#include "tx/Dialect/Check/IR/CheckOps.cpp.inc"
      >();
}

double tx::check::roundTo(Type element, double value) {
  auto type = dyn_cast<FloatType>(element);
  if (!type || type.isF64())
    return value;
  llvm::APFloat number(value);
  bool losesInfo;
  number.convert(type.getFloatSemantics(), llvm::APFloat::rmNearestTiesToEven, &losesInfo);
  number.convert(llvm::APFloat::IEEEdouble(), llvm::APFloat::rmNearestTiesToEven, &losesInfo);
  return number.convertToDouble();
}

//===--------------------------------------------------------------------------------------------------------------===//
// The text of what is expected
//===--------------------------------------------------------------------------------------------------------------===//

/// `%other : TYPE`, or `dense<...> : TYPE`.
static ParseResult parseExpected(OpAsmParser &parser, std::optional<OpAsmParser::UnresolvedOperand> &other,
                                 ElementsAttr &written, Type &found, Type &typeOfOther) {
  OpAsmParser::UnresolvedOperand operand;
  OptionalParseResult isValue = parser.parseOptionalOperand(operand);
  if (isValue.has_value()) {
    if (failed(*isValue) || parser.parseColonType(found))
      return failure();
    other = operand;
    typeOfOther = found;
    return success();
  }
  if (parser.parseAttribute(written))
    return failure();
  found = written.getType();
  return success();
}

static void printExpected(OpAsmPrinter &printer, Operation *, Value other, ElementsAttr written, Type found, Type) {
  if (other)
    printer << other << " : " << found;
  else
    printer << written;
}

/// `absolute NUMBER`, `relative NUMBER`, or both.
static ParseResult parseTolerance(OpAsmParser &parser, FloatAttr &absolute, FloatAttr &relative) {
  auto parseNumber = [&](FloatAttr &attribute) -> ParseResult {
    double value;
    if (parser.parseFloat(value))
      return failure();
    attribute = parser.getBuilder().getF64FloatAttr(value);
    return success();
  };
  SMLoc loc = parser.getCurrentLocation();
  bool hasAbsolute = succeeded(parser.parseOptionalKeyword("absolute"));
  if (hasAbsolute && parseNumber(absolute))
    return failure();
  bool hasRelative = succeeded(parser.parseOptionalKeyword("relative"));
  if (hasRelative && parseNumber(relative))
    return failure();
  if (!hasAbsolute && !hasRelative)
    return parser.emitError(loc, "expected 'absolute NUMBER', 'relative NUMBER', or both in this order");
  return success();
}

static void printTolerance(OpAsmPrinter &printer, NearOp op, FloatAttr absolute, FloatAttr relative) {
  bool hasRelative = !relative.getValue().isZero();
  if (!absolute.getValue().isZero() || !hasRelative) {
    printer << "absolute ";
    printer.printFloat(absolute.getValue());
  }
  if (!hasRelative)
    return;
  printer << (absolute.getValue().isZero() ? "relative " : " relative ");
  printer.printFloat(relative.getValue());
}

//===--------------------------------------------------------------------------------------------------------------===//
// EqualOp, NearOp
//===--------------------------------------------------------------------------------------------------------------===//

/// Whether the value is written in the test's file: a constant or a check.random.
static bool isWritten(Value value) { return matchPattern(value, m_Constant()) || value.getDefiningOp<RandomOp>(); }

/// Checks a comparison. One that no backend can fail is an error: its first operand is written in the file, or it
/// compares a value with itself.
static LogicalResult verifyCompare(CompareOpInterface op) {
  Value found = op.getFound(), other = op.getOther();
  ElementsAttr written = op.getWrittenAttr();
  if (bool(other) == bool(written))
    return op->emitOpError("compares with written values or with another value, found ")
           << (other ? "both" : "neither");
  Type expected = other ? other.getType() : Type(written.getType());
  if (expected != found.getType())
    return op->emitOpError("compares values of one type, found ") << found.getType() << " and " << expected;
  if (written && !isa<DenseElementsAttr>(written))
    return op->emitOpError("takes written values as dense<...>, found ") << written;
  if (found == other)
    return op->emitOpError("compares a value with itself, which cannot fail");
  if (isWritten(found))
    return op->emitOpError("looks at a value that stands in the file, which cannot fail; the first operand is what "
                           "an op computes");
  return success();
}

static bool isNan(double value) { return std::isnan(value); }

LogicalResult EqualOp::verify() { return verifyCompare(*this); }

bool EqualOp::agrees(double found, double expected) {
  if (isNan(found) || isNan(expected))
    return isNan(found) && isNan(expected);
  return found == expected && std::signbit(found) == std::signbit(expected);
}

double EqualOp::getDistance(double, double) { return 0; }

std::string EqualOp::getTolerance() { return ""; }

LogicalResult NearOp::verify() {
  double absolute = getAbsolute().convertToDouble(), relative = getRelative().convertToDouble();
  for (double tolerance : {absolute, relative})
    if (!(tolerance >= 0) || std::isinf(tolerance))
      return emitOpError("takes tolerances that are finite and not negative, found ") << tolerance;
  if (absolute == 0 && relative == 0)
    return emitOpError("allows nothing; check.equal compares bits");
  return verifyCompare(*this);
}

bool NearOp::agrees(double found, double expected) {
  if (isNan(found) || isNan(expected))
    return isNan(found) && isNan(expected);
  if (std::isinf(found) || std::isinf(expected))
    return found == expected;
  return std::abs(found - expected) <=
         getAbsolute().convertToDouble() + getRelative().convertToDouble() * std::abs(expected);
}

double NearOp::getDistance(double found, double expected) {
  double distance = std::abs(found - expected);
  return isNan(distance) ? INFINITY : distance;
}

std::string NearOp::getTolerance() {
  std::string text;
  llvm::raw_string_ostream os(text);
  if (!getAbsolute().isZero())
    os << "absolute " << getAbsolute().convertToDouble();
  if (!getRelative().isZero())
    os << (text.empty() ? "" : " + ") << "relative " << getRelative().convertToDouble();
  return text;
}

//===--------------------------------------------------------------------------------------------------------------===//
// RandomOp
//===--------------------------------------------------------------------------------------------------------------===//

LogicalResult RandomOp::verify() {
  double from = getFrom().convertToDouble(), to = getTo().convertToDouble();
  if (!std::isfinite(from) || !std::isfinite(to) || !(from < to))
    return emitOpError("takes finite bounds, the lower one first, found ") << from << " to " << to;
  bool isInteger = getType().getElementType().isInteger();
  if (isInteger && (from != std::floor(from) || to != std::floor(to) || from < INT32_MIN || to > 0x1p31))
    return emitOpError("of i32 takes whole bounds of 32 bits, found ") << from << " to " << to;
  return success();
}

/// SplitMix64: written down here, since a library's distributions differ from system to system.
std::vector<double> RandomOp::getValues() {
  double from = getFrom().convertToDouble(), width = getTo().convertToDouble() - from;
  Type element = getType().getElementType();
  uint64_t state = getSeed();
  std::vector<double> values(getType().getNumElements());
  for (double &value : values) {
    uint64_t bits = state += 0x9e3779b97f4a7c15;
    bits = (bits ^ bits >> 30) * 0xbf58476d1ce4e5b9;
    bits = (bits ^ bits >> 27) * 0x94d049bb133111eb;
    bits ^= bits >> 31;
    value = from + width * std::ldexp(static_cast<double>(bits >> 11), -53);
    value = element.isInteger() ? std::floor(value) : roundTo(element, value);
  }
  return values;
}

#define GET_OP_CLASSES
#include "tx/Dialect/Check/IR/CheckOps.cpp.inc"
