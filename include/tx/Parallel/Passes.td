//===- Passes.td - Passes of the parallel phase ----------------------------------------------------*- tablegen -*-===//

#ifndef TX_PARALLEL_PASSES_TD
#define TX_PARALLEL_PASSES_TD

include "mlir/Pass/PassBase.td"

def TxDataParallelPass : Pass<"tx-data-parallel", "::mlir::ModuleOp"> {
  let summary = "let each rank have its part of the batch";
  let description = [{
    Adds the mesh axis `@dp` and sums the results of the function marked `tx.train`, the loss and the count of valid
    tokens, over it: every rank knows those of all. Autodiff leaves the gradients of parameters as each rank's own;
    tx-make-entries sums them where an update needs them. A size of 1 changes nothing.

    With `size=4`, before:

    ```mlir
    tx.global @w parameter normal(0.02) decay : tensor<7x6xf32>
    func.func @loss(%tokens: tensor<2x4xi32> {tx.name = "tokens"}, %targets: tensor<2x4xi32> {tx.name = "targets"})
        -> (tensor<f32>, tensor<f32>) attributes {tx.train} {
      %w = tx.load @w : tensor<7x6xf32>
      %x = tx.embedding %tokens, %w in <"embedding"> : tensor<2x4xi32>, tensor<7x6xf32>
      %losses, %lse = tx.cross_entropy %x, %targets ignore -100 in <"loss"> : tensor<2x4x6xf32>, tensor<2x4xi32>
      %sum, %count = tx.reduce_loss %losses, %targets ignore -100 in <"loss"> : tensor<2x4xf32>, tensor<2x4xi32>
      return %sum, %count : tensor<f32>, tensor<f32>
    }
    ```

    After:

    ```mlir
    tx.mesh_axis @dp size 4 batch
    tx.global @w parameter normal(0.02) decay : tensor<7x6xf32>
    func.func @loss(%tokens: tensor<2x4xi32> {tx.name = "tokens"}, %targets: tensor<2x4xi32> {tx.name = "targets"})
        -> (tensor<f32>, tensor<f32>) attributes {tx.train} {
      %w = tx.load @w : tensor<7x6xf32>
      %x = tx.embedding %tokens, %w in <"embedding"> : tensor<2x4xi32>, tensor<7x6xf32>
      %losses, %lse = tx.cross_entropy %x, %targets ignore -100 in <"loss"> : tensor<2x4x6xf32>, tensor<2x4xi32>
      %sum, %count = tx.reduce_loss %losses, %targets ignore -100 in <"loss"> : tensor<2x4xf32>, tensor<2x4xi32>
      %all_sum = tx.all_reduce %sum on @dp in <"loss"> : tensor<f32>
      %all_count = tx.all_reduce %count on @dp in <"loss"> : tensor<f32>
      return %all_sum, %all_count : tensor<f32>, tensor<f32>
    }
    ```
  }];
  let options = [
    Option<"size", "size", "int64_t", "1", "ranks that share a global batch">,
  ];
  let dependentDialects = ["::tx::TxDialect", "::mlir::func::FuncDialect"];
}

#endif // TX_PARALLEL_PASSES_TD
