// What is refused for GPUs; what kernels may not hold on any backend is in Host/kernels-invalid.mlir.
// RUN: tx-opt --tx-lower-kernels-to-gpu --split-input-file --verify-diagnostics %s

step.program @p arena(persistent 0, argument 0, saved 0, transient 0) {
  // expected-error @+1 {{has a buffer of 'tensor<2x16xf64>'; GPU kernels compute on f32, bf16, i32 and i1}}
  step.kernel @k row [2, 16] (%a: tensor<2x16xf64>) {
    %y = tx.gelu %a in <"mlp"> : tensor<2x16xf64>
    step.yield %y : tensor<2x16xf64>
  }
}

// -----

step.program @p arena(persistent 0, argument 0, saved 0, transient 0) {
  step.kernel @k row [8, 6] (%t: tensor<2x4xi32>, %a: tensor<8x6xf32>) {
    %table = tx.gelu %a in <"embedding"> : tensor<8x6xf32>
    // expected-error @+1 {{cannot share a kernel with the op that computes its table}}
    %x = tx.embedding %t, %table in <"embedding"> : tensor<2x4xi32>, tensor<8x6xf32>
    step.yield %x : tensor<2x4x6xf32>
  }
}
