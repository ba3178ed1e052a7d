//===- Signature.cpp - What a function of a step takes and gives --------------------------------------------------===//

#include "tx/Dialect/Tx/IR/Signature.h"
#include "tx/Dialect/Tx/IR/TxInterfaces.h"

#include "mlir/IR/SymbolTable.h"
#include "llvm/ADT/StringMap.h"

using namespace mlir;
using namespace tx;

namespace {

/// A function's arguments, or its results.
struct Side {
  const char *what, *prefix;
  TypeRange types;
  llvm::function_ref<Attribute(unsigned)> getName;
};

} // namespace

static std::string nameOf(Attribute given, const char *prefix, unsigned number) {
  auto name = dyn_cast_or_null<StringAttr>(given);
  return name ? name.getValue().str() : prefix + std::to_string(number);
}

std::string tx::getArgumentName(FunctionOpInterface function, unsigned number) {
  return nameOf(function.getArgAttr(number, kNameAttr), "arg", number);
}
std::string tx::getResultName(FunctionOpInterface function, unsigned number) {
  return nameOf(function.getResultAttr(number, kNameAttr), "result", number);
}

static StringRef getSymbol(FunctionOpInterface function) { return SymbolTable::getSymbolName(function).getValue(); }

/// Why a value of this type cannot lie in a step's arena; empty if it can.
static std::string findFault(Type type) {
  constexpr const char *takes = "; a step takes tensors of f32, bf16, i32 and i1, of static shape, as tensor<2x4xf32>";
  auto tensor = dyn_cast<RankedTensorType>(type);
  if (!tensor)
    return std::string("which is no ranked tensor") + takes;
  if (!tensor.hasStaticShape())
    return std::string("whose shape is not static") + takes;
  Type element = tensor.getElementType();
  if (!element.isF32() && !element.isBF16() && !element.isF64() && !element.isSignlessInteger(32) &&
      !element.isSignlessInteger(1))
    return std::string("whose elements have no place in a step") + takes;
  if (tensor.getEncoding())
    return std::string("which has an encoding") + takes;
  for (int64_t size : tensor.getShape())
    if (size < 1)
      return "which has no elements; every dimension is at least 1";
  if (!tx::detail::countElements(tensor.getShape()))
    return "which has more than 2^56 elements";
  return "";
}

static LogicalResult verifyTypes(FunctionOpInterface function, const Side &side) {
  for (auto [number, type] : llvm::enumerate(side.types))
    if (std::string fault = findFault(type); !fault.empty())
      return function->emitError("@") << getSymbol(function) << " has the " << side.what << ' ' << number << " of type "
                                      << type << ", " << fault;
  return success();
}

/// Checks the names of one side: they are typed on command lines as NAME=FILE and written into the manifest.
static LogicalResult verifyNames(FunctionOpInterface function, const Side &side) {
  llvm::StringMap<unsigned> known;
  for (unsigned number = 0; number < side.types.size(); ++number) {
    Attribute given = side.getName(number);
    auto refuse = [&] {
      return function->emitError("@") << getSymbol(function) << " has the " << side.what << ' ' << number << " with "
                                      << kNameAttr << " = " << given << ", ";
    };
    if (given && !isa<StringAttr>(given))
      return refuse() << "which is no text; write " << kNameAttr << " = \"x\" or the like";
    std::string name = nameOf(given, side.prefix, number);
    if (name.empty())
      return refuse() << "which is empty; give it a name, or leave it out for '" << side.prefix << number << "'";
    if (name.find('=') != std::string::npos)
      return refuse() << "which has a '='; callers give NAME=FILE";
    if (failed(tx::detail::verifyName(function, name)))
      return failure();
    if (auto [other, isNew] = known.try_emplace(name, number); !isNew)
      return function->emitError(side.what)
             << "s " << other->second << " and " << number << " of @" << getSymbol(function) << " have one name, '"
             << name << "'; callers give and take them by name";
  }
  return success();
}

/// Calls `verify` on both sides.
static LogicalResult verifyBoth(FunctionOpInterface function,
                                LogicalResult (*verify)(FunctionOpInterface, const Side &)) {
  auto argumentName = [&](unsigned number) { return function.getArgAttr(number, kNameAttr); };
  auto resultName = [&](unsigned number) { return function.getResultAttr(number, kNameAttr); };
  return success(succeeded(verify(function, {"argument", "arg", function.getArgumentTypes(), argumentName})) &&
                 succeeded(verify(function, {"result", "result", function.getResultTypes(), resultName})));
}

LogicalResult tx::verifySignature(FunctionOpInterface function) {
  if (getSymbol(function).empty())
    return function->emitError("the name of a function is empty; callers give it, as --function NAME");
  if (failed(tx::detail::verifyName(function, getSymbol(function))))
    return failure();
  return success(succeeded(verifyBoth(function, verifyTypes)) && succeeded(verifyBoth(function, verifyNames)));
}

LogicalResult tx::verifyOneBlock(FunctionOpInterface function) {
  Region &body = function.getFunctionBody();
  if (!body.hasOneBlock())
    return function->emitError("@") << getSymbol(function) << " must have one block, has " << body.getBlocks().size();
  return success();
}

LogicalResult tx::verifyFlat(FunctionOpInterface function) {
  if (failed(verifyOneBlock(function)) || failed(verifyBoth(function, verifyTypes)))
    return failure();
  auto result = function->walk([&](Operation *op) {
    for (Type type : op->getResultTypes())
      if (std::string fault = findFault(type); !fault.empty()) {
        op->emitOpError("gives ") << type << ", " << fault;
        return WalkResult::interrupt();
      }
    return WalkResult::advance();
  });
  return failure(result.wasInterrupted());
}
