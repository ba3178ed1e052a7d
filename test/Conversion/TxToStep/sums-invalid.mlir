// Sums beside a product, where no target's library was asked for them.
// RUN: not tx-opt %s --pass-pipeline='builtin.module(func.func(tx-fuse-kernels),tx-place-memory,tx-lower-to-step)' 2>&1 | FileCheck %s

// CHECK: error: 'tx.linear_weight_grad' op gives sums beside a product, which the library of this target does not; tx.bias_grad of the gradient itself would do
func.func @f(%x: tensor<2x4x6xf32>, %dy: tensor<2x4x8xf32>, %w: tensor<6x8xf32>) -> (tensor<6x8xf32>, tensor<8xf32>) {
  %dw, %sums = tx.linear_weight_grad %x, %dy into %w in <backward, "fc"> : tensor<2x4x6xf32>, tensor<2x4x8xf32>, tensor<6x8xf32> sums tensor<8xf32>
  return %dw, %sums : tensor<6x8xf32>, tensor<8xf32>
}
