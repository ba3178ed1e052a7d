//===- Passes.td - Fusion and schedule -------------------------------------------------------------*- tablegen -*-===//

#ifndef TX_SCHEDULE_PASSES_TD
#define TX_SCHEDULE_PASSES_TD

include "mlir/Pass/PassBase.td"

def ExpandOpsPass : Pass<"tx-expand-ops", "::mlir::func::FuncOp"> {
  let summary = "replace ops that are no kernels by ops that are";
  let description = [{
    Asks each op by ExpandableOpInterface. The head with its loss becomes chunks of rows: of each, the product, the
    losses, in training the gradient of the logits in their place and the products that use it. All chunks have the same
    shapes but the last, so they share kernels, and by their lifetimes the memory of logits. The ops stay in the segment
    of the op that they replace.

    It comes before tx-rematerialize, so that plans know how many bytes each chunk needs.

    Example (v is not larger than h, so one chunk has all rows):

    ```mlir
    func.func @f(%x: tensor<2x4x6xf32>, %w: tensor<5x6xf32>, %t: tensor<2x4xi32>) -> tensor<f32> {
      %sum, %count = tx.linear_cross_entropy %x, %w, %t transposed ignore -100 head "output_layer" in <"loss"> : tensor<2x4x6xf32>, tensor<5x6xf32>, tensor<2x4xi32>
      return %sum : tensor<f32>
    }
    ```

    becomes

    ```mlir
    func.func @f(%x: tensor<2x4x6xf32>, %w: tensor<5x6xf32>, %t: tensor<2x4xi32>) -> tensor<f32> {
      %rows = tx.slice_rows %x 0 in <"output_layer"> : tensor<2x4x6xf32> -> tensor<8x6xf32>
      %targets = tx.slice_rows %t 0 in <"loss"> : tensor<2x4xi32> -> tensor<8xi32>
      %logits = tx.linear %rows, %w transposed in <"output_layer"> : tensor<8x6xf32>, tensor<5x6xf32> -> tensor<8x5xf32>
      %part, %statistics = tx.cross_entropy %logits, %targets ignore -100 in <"loss"> : tensor<8x5xf32>, tensor<8xi32>
      %losses = tx.concat_rows %part in <"loss"> : tensor<8xf32> -> tensor<2x4xf32>
      %sum, %count = tx.reduce_loss %losses, %t ignore -100 in <"loss"> : tensor<2x4xf32>, tensor<2x4xi32>
      return %sum : tensor<f32>
    }
    ```
  }];
  let dependentDialects = ["::tx::TxDialect"];
}

def CopyViewsPass : Pass<"tx-copy-views", "::mlir::func::FuncOp"> {
  let summary = "copy where a view can not be used";
  let description = [{
    Slices and parts of a concat are columns of a wider tensor. An op whose kernel takes no rows that lie apart
    (KernelOpInterface) gets a copy of a slice; a concat gets a copy of a part that is a slice, an argument or state,
    that is a part of another tensor too, or that is written or read by such an op. A copy is a tx.cast to the same
    type: tx-fuse-kernels puts it into the kernel that has the numbers, where it can. A copy belongs to the op that
    needs it: it is recomputed with this op.

    After the pass every view is one that tx-place-memory can place.

    Example:

    ```mlir
    func.func @f(%x: tensor<2x4x6xf32>) -> tensor<2x4x12xf32> {
      %0 = tx.gelu %x in <"a"> : tensor<2x4x6xf32>
      %1 = tx.concat %0, %0 in <"b"> : tensor<2x4x6xf32>, tensor<2x4x6xf32>
      return %1 : tensor<2x4x12xf32>
    }
    ```

    becomes

    ```mlir
    func.func @f(%x: tensor<2x4x6xf32>) -> tensor<2x4x12xf32> {
      %0 = tx.gelu %x in <"a"> : tensor<2x4x6xf32>
      %1 = tx.cast %0 in <"b"> : tensor<2x4x6xf32> to tensor<2x4x6xf32>
      %2 = tx.concat %0, %1 in <"b"> : tensor<2x4x6xf32>, tensor<2x4x6xf32>
      return %2 : tensor<2x4x12xf32>
    }
    ```
  }];
}

def FuseKernelsPass : Pass<"tx-fuse-kernels", "::mlir::func::FuncOp"> {
  let summary = "join ops of one loop nest into groups, each to become one kernel";
  let description = [{
    Ops of one kernel kind and one space that feed each other (or, for column reductions, read the same gradient) become
    one `step.group`. What is used inside of the group only never reaches memory. Values do not change: each op's result
    is rounded to its own type, fused or not. Forward, backward (with recompute) and optimizer never mix, but for the
    gradient of the loss, which needs nothing of backward: one kernel reads the logits for both.

    An elementwise replay moves to the backward op of its layer that reads the same value, so that a discarded
    activation costs no pass over memory; its weight's gradient follows.

    After the pass every row, column and flat op is in a group, loads come first and stores last. A function that has
    groups stays as it is. What becomes one group is decided on plain data: include/tx/Plan/Schedule.h.

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

def FuseEpiloguesPass : Pass<"tx-fuse-epilogues", "::mlir::func::FuncOp"> {
  let summary = "let the library that multiplies do what belongs to a product";
  let description = [{
    For targets whose library can; it comes before tx-fuse-kernels, whose kernels do the rest. Without `marks` it
    only gives products their sums: that comes before tx-rematerialize, which then decides about the ops that will run.
    An op asks for what it can have by GemmOpInterface:

    - `bias`: a bias of C's type is added to its rows.
    - `sums`: the sums of a gradient's rows, which a bias's gradient takes
      (RowSumOpInterface), come from the product that reads the same gradient; what
      is left is to add one row to the accumulator.

    Neither makes numbers depend on what is recomputed: a bias belongs to its op, whose recomputations have it too, and
    gradients of parameters are computed once. What would make another function of an op that is recomputed alone, as an
    activation, is no epilogue (docs/Rationale/gpu-backend.md).

    Example:

    ```mlir
    func.func @f(%x: tensor<2x4x6xbf16>, %dy: tensor<2x4x8xbf16>, %w: tensor<6x8xf32>, %b: tensor<8xf32>) -> (tensor<8xf32>, tensor<6x8xf32>) {
      %db = tx.bias_grad %dy into %b in <backward, "fc"> : tensor<2x4x8xbf16>, tensor<8xf32>
      %dw = tx.linear_weight_grad %x, %dy into %w in <backward, "fc"> : tensor<2x4x6xbf16>, tensor<2x4x8xbf16>, tensor<6x8xf32>
      return %db, %dw : tensor<8xf32>, tensor<6x8xf32>
    }
    ```

    becomes

    ```mlir
    func.func @f(%x: tensor<2x4x6xbf16>, %dy: tensor<2x4x8xbf16>, %w: tensor<6x8xf32>, %b: tensor<8xf32>) -> (tensor<8xf32>, tensor<6x8xf32>) {
      %dw, %sums = tx.linear_weight_grad %x, %dy into %w in <backward, "fc"> {step.epilogue = #step<epilogue sums_b>} : tensor<2x4x6xbf16>, tensor<2x4x8xbf16>, tensor<6x8xf32> sums tensor<8xf32>
      %db = tx.bias_grad %sums into %b in <backward, "fc"> : tensor<8xf32>, tensor<8xf32>
      return %db, %dw : tensor<8xf32>, tensor<6x8xf32>
    }
    ```
  }];
  let options = [
    Option<"bias", "bias", "bool", "true", "the library adds a bias">,
    Option<"sums", "sums", "bool", "true", "the library gives the sums of a gradient's rows">,
    Option<"marks", "marks", "bool", "true", "say of each product what the library does beside it">,
  ];
  let dependentDialects = ["::tx::step::StepDialect"];
}

#endif // TX_SCHEDULE_PASSES_TD
