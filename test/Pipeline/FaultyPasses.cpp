//===- FaultyPasses.cpp - A plug-in with passes that break promises -----------------------------------------------===//

#include "tx/Dialect/Step/IR/StepOps.h"
#include "tx/Dialect/Tx/IR/TxOps.h"

#include "mlir/Pass/Pass.h"
#include "mlir/Tools/Plugins/PassPlugin.h"

using namespace mlir;

namespace {

/// Says of the first op of backward that it is one of forward.
struct FaultSegment : PassWrapper<FaultSegment, OperationPass<>> {
  MLIR_DEFINE_EXPLICIT_INTERNAL_INLINE_TYPE_ID(FaultSegment)
  StringRef getArgument() const override { return "fault-segment"; }

  void runOnOperation() override {
    getOperation()->walk([](tx::ScopedOpInterface op) {
      if (op.getScope().getSegment() != tx::Segment::Backward)
        return WalkResult::advance();
      op.setScopeAttr(op.getScope().in(tx::Segment::Forward));
      return WalkResult::interrupt();
    });
  }
};

/// Gives all results of a type the first one's address.
struct FaultAddress : PassWrapper<FaultAddress, OperationPass<>> {
  MLIR_DEFINE_EXPLICIT_INTERNAL_INLINE_TYPE_ID(FaultAddress)
  StringRef getArgument() const override { return "fault-address"; }

  void runOnOperation() override {
    llvm::DenseMap<Type, Attribute> firstOf;
    getOperation()->walk([&](Operation *op) {
      if (Attribute address = op->getAttr(tx::kBuffersAttr); address && op->getNumResults() == 1)
        op->setAttr(tx::kBuffersAttr, firstOf.try_emplace(op->getResult(0).getType(), address).first->second);
    });
  }
};

} // namespace

extern "C" PassPluginLibraryInfo mlirGetPassPluginInfo() {
  return {MLIR_PLUGIN_API_VERSION, "faulty-passes", "0.1", [] {
            PassRegistration<FaultSegment>();
            PassRegistration<FaultAddress>();
          }};
}
