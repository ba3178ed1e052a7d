//===- Passes.td - Fusion and schedule ---------------------*- tablegen -*-===//

#ifndef TX_SCHEDULE_PASSES_TD
#define TX_SCHEDULE_PASSES_TD

include "mlir/Pass/PassBase.td"

def FuseKernelsPass : Pass<"tx-fuse-kernels", "::mlir::func::FuncOp"> {
  let summary = "join ops of one loop nest into groups, each to become one kernel";
  let description = [{
    Ops of one kernel kind and one space that feed each other (or, for column
    reductions, read the same gradient) become one `step.group`. What is used
    inside of the group only never reaches memory. Values do not change: each
    op's result is rounded to its own type, fused or not. Forward, backward
    (with recompute) and optimizer never mix, but for the gradient of the loss,
    which needs nothing of backward: one kernel reads the logits for both.

    An elementwise replay moves to the backward op that reads the same value, so
    that a discarded activation costs no pass over memory; its weight's gradient
    follows.

    After the pass every row, column and flat op is in a group.

    Example:

    ```mlir
    func.func @f(%x: tensor<2x4x6xf32>, %r: tensor<2x4x6xf32>) -> tensor<2x4x6xf32> {
      %0 = tx.gelu %x in <"a"> : tensor<2x4x6xf32>
      %1 = tx.add %0, %r in <"b"> : tensor<2x4x6xf32>
      return %1 : tensor<2x4x6xf32>
    }
    ```

    becomes

    ```mlir
    func.func @f(%x: tensor<2x4x6xf32>, %r: tensor<2x4x6xf32>) -> tensor<2x4x6xf32> {
      %0 = step.group row [8, 6] in <"a"> (%a = %x, %b = %r) : (tensor<2x4x6xf32>, tensor<2x4x6xf32>) -> tensor<2x4x6xf32> {
        %1 = tx.gelu %a in <"a"> : tensor<2x4x6xf32>
        %2 = tx.add %1, %b in <"b"> : tensor<2x4x6xf32>
        step.yield %2 : tensor<2x4x6xf32>
      }
      return %0 : tensor<2x4x6xf32>
    }
    ```
  }];
  let options = [
    Option<"maxBuffers", "max-buffers", "unsigned", "14", "the most tensors that one kernel reads and writes">,
  ];
  let dependentDialects = ["::tx::step::StepDialect"];
}

#endif // TX_SCHEDULE_PASSES_TD
