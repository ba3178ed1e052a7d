// Sums of a gradient's rows beside a product, where no target's library was asked for them.
// RUN: not tx-opt %s --pass-pipeline='builtin.module(func.func(tx-fuse-kernels),tx-place-memory,tx-lower-to-step)' 2>&1 | FileCheck %s

// CHECK: error: 'tx.linear_gelu_input_grad' op gives sums beside a product, which the library of this target does not; tx.bias_grad of the gradient itself would do
func.func @f(%dy: tensor<2x4x6xf32>, %w: tensor<8x6xf32>, %pre: tensor<2x4x8xf32>) -> (tensor<2x4x8xf32>, tensor<8xf32>) {
  %d, %sums = tx.linear_gelu_input_grad %dy, %w, %pre in <backward, "fc2"> : tensor<2x4x6xf32>, tensor<8x6xf32> -> tensor<2x4x8xf32> sums tensor<8xf32>
  return %d, %sums : tensor<2x4x8xf32>, tensor<8xf32>
}
