//===- StateOps.cpp - Globals, loads, stores ----------------------------------------------------------------------===//

#include "tx/Dialect/Tx/IR/TxOps.h"

using namespace mlir;
using namespace tx;

// tx.global @name role [init] [of @parameter] [decay] : type
ParseResult GlobalOp::parse(OpAsmParser &parser, OperationState &result) {
  auto &properties = result.getOrAddProperties<Properties>();
  Builder &builder = parser.getBuilder();
  StringAttr name;
  if (parser.parseSymbolName(name))
    return failure();
  properties.sym_name = name;

  StringRef keyword;
  SMLoc loc = parser.getCurrentLocation();
  if (parser.parseKeyword(&keyword))
    return failure();
  std::optional<GlobalRole> role = symbolizeGlobalRole(keyword);
  if (!role)
    return parser.emitError(loc, "unknown role '")
           << keyword << "'; known: " << listNames<GlobalRole>(0, getMaxEnumValForGlobalRole());
  properties.role = GlobalRoleAttr::get(parser.getContext(), *role);

  InitKind init = InitKind::Zeros;
  double stddev = 0.0;
  while (succeeded(parser.parseOptionalKeyword(&keyword))) {
    if (keyword == "of") {
      FlatSymbolRefAttr of;
      if (parser.parseAttribute(of))
        return failure();
      properties.of = of;
    } else if (keyword == "decay") {
      properties.decay = builder.getUnitAttr();
    } else if (std::optional<InitKind> known = symbolizeInitKind(keyword)) {
      init = *known;
      if (init == InitKind::Normal && (parser.parseLParen() || parser.parseFloat(stddev) || parser.parseRParen()))
        return failure();
    } else {
      return parser.emitError(loc, "expected zeros, ones, normal(stddev), of @parameter or decay, found '")
             << keyword << "'";
    }
  }
  properties.init = InitKindAttr::get(parser.getContext(), init);
  properties.stddev = builder.getF64FloatAttr(stddev);
  Type type;
  if (parser.parseOptionalAttrDict(result.attributes) || parser.parseColonType(type))
    return failure();
  properties.type = TypeAttr::get(type);
  return success();
}

void GlobalOp::print(OpAsmPrinter &printer) {
  printer << ' ';
  printer.printSymbolName(getSymName());
  printer << ' ' << stringifyGlobalRole(getRole());
  if (getInit() == InitKind::Normal)
    printer << " normal(" << getStddev().convertToDouble() << ')';
  else if (getInit() != InitKind::Zeros)
    printer << ' ' << stringifyInitKind(getInit());
  if (auto of = getOfAttr())
    printer << " of " << of;
  if (getDecay())
    printer << " decay";
  printer.printOptionalAttrDict(llvm::to_vector((*this)->getDiscardableAttrs()));
  printer << " : " << getType();
}

LogicalResult GlobalOp::verify() {
  if (failed(tx::detail::verifyBoundedShape([&] { return emitOpError(); }, getType())))
    return failure();
  if ((getRole() == GlobalRole::Parameter) != !getOf())
    return emitOpError(getOf() ? "is a parameter and cannot belong to another"
                               : "names no parameter that it belongs to; add 'of @parameter'");
  if (!(getStddev().convertToDouble() >= 0) || getStddev().isInfinity())
    return emitOpError("takes a standard deviation of at least 0, found ") << getStddev().convertToDouble();
  return tx::detail::verifyName(*this, getSymName());
}

LogicalResult GlobalOp::verifySymbolUses(SymbolTableCollection &symbols) {
  if (!getOfAttr())
    return success();
  auto parameter = symbols.lookupNearestSymbolFrom<GlobalOp>(*this, getOfAttr());
  if (!parameter || parameter.getRole() != GlobalRole::Parameter)
    return emitOpError("belongs to no parameter: ") << getOfAttr();
  if (parameter.getType().getShape() != getType().getShape())
    return emitOpError("has type ") << getType() << ", but " << getOfAttr() << " is " << parameter.getType();
  return success();
}

static LogicalResult verifyUse(Operation *op, FlatSymbolRefAttr symbol, Type type, SymbolTableCollection &symbols) {
  auto global = symbols.lookupNearestSymbolFrom<GlobalOp>(op, symbol);
  if (!global)
    return op->emitOpError("names no tx.global: ") << symbol;
  if (global.getType() != type)
    return op->emitOpError("has type ") << type << ", but " << symbol << " is " << global.getType();
  return success();
}

LogicalResult LoadOp::verifySymbolUses(SymbolTableCollection &symbols) {
  return verifyUse(*this, getGlobalAttr(), getResult().getType(), symbols);
}

LogicalResult StoreOp::verifySymbolUses(SymbolTableCollection &symbols) {
  return verifyUse(*this, getGlobalAttr(), getValue().getType(), symbols);
}
