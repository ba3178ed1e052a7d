//===- FuseKernels.cpp - Brings a function into the order of its schedule, and outlines its kernels ---------------===//
//
// What becomes one kernel, and why, is in lib/Plan/Schedule.cpp.
//
//===--------------------------------------------------------------------------------------------------------------===//

#include "tx/Dialect/Tx/IR/TxOps.h"
#include "tx/Plan/ReadStep.h"
#include "tx/Plan/Schedule.h"
#include "tx/Schedule/Passes.h"

#include "mlir/IR/IRMapping.h"

using namespace mlir;
using namespace tx;

namespace tx {
#define GEN_PASS_DEF_FUSEKERNELSPASS
#include "tx/Schedule/Passes.h.inc"
} // namespace tx

namespace {

class ScheduleApplier {
public:
  explicit ScheduleApplier(EntryIR &ir) : ir(ir), block(ir.function.front()) {}

  void apply(const plan::Schedule &schedule) {
    moveInOrder(schedule);
    for (const plan::Launch &launch : schedule.launches)
      if (auto kernel = dyn_cast<KernelOpInterface>(ir.ops[launch.ops.front()]); kernel && launch.isKernel())
        outline(kernel, launch);
  }

private:
  /// Loads stay in front of all ops; stores and the return come behind them.
  void moveInOrder(const plan::Schedule &schedule) {
    auto stores = llvm::to_vector(block.getOps<StoreOp>());
    for (const plan::Launch &launch : schedule.launches)
      for (int op : launch.ops)
        ir.ops[op]->moveBefore(block.getTerminator());
    for (StoreOp store : stores)
      store->moveBefore(block.getTerminator());
  }

  SmallVector<Value> getValues(ArrayRef<int> numbers) const {
    return llvm::map_to_vector(numbers, [&](int number) { return ir.values[number]; });
  }

  void outline(KernelOpInterface first, const plan::Launch &launch) {
    SmallVector<Value> inputs = getValues(launch.inputs), outputs = getValues(launch.outputs);
    auto [rows, columns] = first.getKernelSpace();
    OpBuilder builder(first);
    auto group = step::GroupOp::create(builder, first.getLoc(), TypeRange(ValueRange(outputs)), inputs,
                                       first.getKernelKind(), ArrayRef<int64_t>{rows, columns},
                                       cast<ScopedOpInterface>(ir.ops[launch.main]).getScope());
    Block &body = group.getBody().emplaceBlock();
    IRMapping arguments;
    for (Value input : inputs)
      arguments.map(input, body.addArgument(input.getType(), first.getLoc()));
    for (int number : launch.ops)
      moveInto(body, ir.ops[number], arguments);
    for (auto [number, output, result] : llvm::zip(launch.outputs, outputs, group.getOutputs())) {
      output.replaceUsesWithIf(result, [&](OpOperand &use) { return use.getOwner()->getBlock() != &body; });
      ir.values[number] = result;
    }
    builder.setInsertionPointToEnd(&body);
    step::YieldOp::create(builder, first.getLoc(), outputs);
  }

  static void moveInto(Block &body, Operation *op, const IRMapping &arguments) {
    op->moveBefore(&body, body.end());
    for (OpOperand &operand : op->getOpOperands())
      operand.set(arguments.lookupOrDefault(operand.get()));
  }

  EntryIR &ir;
  Block &block;
};

struct FuseKernels : tx::impl::FuseKernelsPassBase<FuseKernels> {
  using FuseKernelsPassBase::FuseKernelsPassBase;

  void runOnOperation() override {
    if (getOperation().isDeclaration())
      return;
    auto module = getOperation()->getParentOfType<ModuleOp>();
    FailureOr<StepIR> read = readStep(module, getOperation(), ReadNames::No);
    if (failed(read))
      return signalPassFailure();
    const plan::Entry &entry = read->step.entries.front();
    if (llvm::none_of(entry.ops, [](const plan::Op &op) { return op.group >= 0; }))
      ScheduleApplier(read->entries.front()).apply(plan::makeSchedule(entry, maxBuffers));
  }
};

} // namespace
