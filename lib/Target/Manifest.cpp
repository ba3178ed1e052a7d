//===- Manifest.cpp - The JSON part of an artifact ----------------------------------------------------------------===//

#include "Manifest.h"
#include "TxVersion.inc"

#include "tx/Dialect/Step/IR/StepOps.h"
#include "tx/Dialect/Tx/IR/TxOps.h"

#include "mlir/IR/BuiltinOps.h"

using namespace mlir;
using namespace tx;
namespace json = llvm::json;

txrt_dtype tx::getDtype(Type elementType) {
  if (elementType.isF32())
    return TXRT_DTYPE_F32;
  if (elementType.isBF16())
    return TXRT_DTYPE_BF16;
  if (elementType.isInteger(32))
    return TXRT_DTYPE_I32;
  if (elementType.isInteger(8))
    return TXRT_DTYPE_BYTE;
  if (elementType.isInteger(1))
    return TXRT_DTYPE_I1;
  llvm_unreachable("tx-lower-to-step refuses other types");
}

static json::Object describe(StringRef name, step::BufferAttr buffer) {
  return json::Object{{"name", name},
                      {"dtype", txrt_dtype_name(getDtype(buffer.getType().getElementType()))},
                      {"shape", json::Array(buffer.getType().getShape())},
                      {"segment", step::stringifyArenaSegment(buffer.getSegment())},
                      {"offset", buffer.getOffset()},
                      {"bytes", buffer.getExtent()}};
}

static json::Array describeGlobals(Operation *module) {
  json::Array globals;
  for (Operation &op : module->getRegion(0).front()) {
    auto global = dyn_cast<GlobalOp>(op);
    if (!global)
      continue;
    json::Object object = describe(global.getSymName(), global->getAttrOfType<step::BufferAttr>(kBufferAttr));
    object["role"] = stringifyGlobalRole(global.getRole());
    if (auto of = global.getOf()) {
      object["of"] = *of;
    } else {
      json::Object init{{"kind", stringifyInitKind(global.getInit())}};
      if (global.getInit() == InitKind::Normal)
        init["stddev"] = global.getStddev().convertToDouble();
      object["init"] = std::move(init);
      object["decay"] = global.getDecay();
    }
    globals.push_back(std::move(object));
  }
  return globals;
}

static json::Array describeBuffers(ArrayAttr names, ArrayAttr buffers) {
  json::Array result;
  for (auto [name, buffer] : llvm::zip(names, buffers))
    result.push_back(describe(cast<StringAttr>(name).getValue(), cast<step::BufferAttr>(buffer)));
  return result;
}

/// Describes an entry's arguments, with the range of ids that each may hold.
static json::Array describeArguments(step::EntryOp entry) {
  json::Array result = describeBuffers(entry.getArgumentNames(), entry.getArgumentBuffers());
  for (auto [number, argument] : llvm::enumerate(result)) {
    IdsAttr ids = entry.getIds(number);
    if (!ids)
      continue;
    json::Object range;
    if (ids.getBelow())
      range["below"] = *ids.getBelow();
    if (ids.getIgnored())
      range["ignored"] = *ids.getIgnored();
    (*argument.getAsObject())["ids"] = std::move(range);
  }
  return result;
}

json::Object tx::buildManifest(step::ProgramOp program, const TargetCode &code, json::Object about) {
  json::Object manifest = std::move(about);
  manifest["format"] = "tx-artifact";
  manifest["abi_version"] = TXRT_ABI_VERSION;
  manifest["compiler"] = "tx " TX_VERSION;
  manifest["target"] =
      json::Object{{"backend", code.backend}, {"triple", code.triple}, {"features", json::Array(code.features)}};
  manifest["arena"] = json::Object{{"persistent_bytes", static_cast<int64_t>(program.getPersistentBytes())},
                                   {"argument_bytes", static_cast<int64_t>(program.getArgumentBytes())},
                                   {"saved_bytes", static_cast<int64_t>(program.getSavedBytes())},
                                   {"transient_bytes", static_cast<int64_t>(program.getTransientBytes())}};
  json::Array mesh;
  for (Operation &op : program->getParentOp()->getRegion(0).front())
    if (auto axis = dyn_cast<MeshAxisOp>(op)) {
      json::Object object{{"axis", axis.getSymName()}, {"size", static_cast<int64_t>(axis.getSize())}};
      if (std::optional<AxisKind> kind = axis.getKind())
        object["kind"] = stringifyAxisKind(*kind);
      mesh.push_back(std::move(object));
    }
  manifest["mesh"] = std::move(mesh);
  manifest["globals"] = describeGlobals(program->getParentOp());
  json::Array entries;
  for (auto entry : program.getOps<step::EntryOp>())
    entries.push_back(json::Object{{"name", entry.getSymName()},
                                   {"arguments", describeArguments(entry)},
                                   {"results", describeBuffers(entry.getResultNames(), entry.getResultBuffers())}});
  manifest["entries"] = std::move(entries);
  return manifest;
}
