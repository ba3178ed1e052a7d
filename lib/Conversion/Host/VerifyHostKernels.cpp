//===- VerifyHostKernels.cpp - What reaches the host's code generator ---------------------------------------------===//

#include "tx/Conversion/Passes.h"

#include "mlir/Dialect/AMX/AMXDialect.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/Dialect/MemRef/IR/MemRef.h"
#include "mlir/Dialect/Vector/IR/VectorOps.h"
#include "mlir/Interfaces/SideEffectInterfaces.h"
#include "llvm/ADT/TypeSwitch.h"

namespace tx {
#define GEN_PASS_DEF_VERIFYHOSTKERNELS
#include "tx/Conversion/Passes.h.inc"
} // namespace tx

using namespace mlir;

static constexpr int64_t kMaxBytes = 64; // bytes of an AVX-512 register

static bool isElement(Type type) {
  return type.isInteger(8) || type.isInteger(16) || type.isInteger(32) || type.isBF16() || type.isF32();
}

static LogicalResult verifyRun(Operation *op, MemRefType memory, VectorType run) {
  Type element = memory.getElementType();
  if (!isElement(element))
    return op->emitOpError("accesses ") << element << " in memory; host kernels access i8, i16, bf16, i32 and f32";
  if (!memory.getLayout().isIdentity())
    return op->emitOpError("accesses memory whose elements are apart; host kernels access neighbours");
  if (!run)
    return success();
  if (run.getElementType() != element || run.getRank() != 1 || run.isScalable())
    return op->emitOpError("accesses ") << run << " in memory of " << element
                                        << "; host kernels access a vector of neighbours, of one dimension";
  int64_t lanes = run.getNumElements(), bytes = lanes * element.getIntOrFloatBitWidth() / 8;
  if (!llvm::isPowerOf2_64(lanes) || bytes > kMaxBytes)
    return op->emitOpError("accesses ") << lanes << " neighbours, " << bytes
                                        << " bytes; host kernels access a power of two, at most " << kMaxBytes
                                        << " bytes";
  return success();
}

static LogicalResult verifyTile(Operation *op, Value memory) {
  if (memory.getDefiningOp<memref::AllocaOp>())
    return success();
  return op->emitOpError("accesses a tile outside of the stack, where rows may be shorter");
}

static LogicalResult verifyRounding(arith::TruncFOp op) {
  if (!getElementTypeOrSelf(op.getType()).isBF16())
    return success();
  return op.emitOpError("leaves the rounding to bf16 to the CPU, which may take denormals for 0; host kernels round on "
                        "integers, as Emitter::roundToBf16 does");
}

static LogicalResult verifyOp(Operation *op) {
  return TypeSwitch<Operation *, LogicalResult>(op)
      .Case<memref::LoadOp, memref::StoreOp>([](auto access) { return verifyRun(access, access.getMemRefType(), {}); })
      .Case<vector::LoadOp, vector::StoreOp>(
          [](auto access) { return verifyRun(access, access.getMemRefType(), access.getVectorType()); })
      .Case<amx::TileLoadOp, amx::TileStoreOp>([](auto access) { return verifyTile(access, access.getBase()); })
      .Case<arith::TruncFOp>(verifyRounding)
      .Case<amx::TileZeroOp, memref::AllocaOp, func::FuncOp, ModuleOp>([](auto) { return success(); })
      .Default([](Operation *op) -> LogicalResult {
        if (op->hasTrait<OpTrait::HasRecursiveMemoryEffects>() || isMemoryEffectFree(op))
          return success();
        return op->emitOpError("may access memory; host kernels do it by memref.load and store, vector.load and store, "
                               "and amx.tile_load and store");
      });
}

LogicalResult tx::verifyHostKernels(ModuleOp module) {
  LogicalResult result = success();
  module.walk([&](Operation *op) {
    if (failed(verifyOp(op)))
      result = failure(); // go on, so that all ops are diagnosed
  });
  return result;
}

namespace {
struct VerifyHostKernels : tx::impl::VerifyHostKernelsBase<VerifyHostKernels> {
  void runOnOperation() override {
    if (failed(tx::verifyHostKernels(getOperation())))
      signalPassFailure();
  }
};
} // namespace
