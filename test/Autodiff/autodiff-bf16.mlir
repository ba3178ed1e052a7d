// Gradients accumulate in f32 whatever the parameter's type.
// RUN: tx-opt %s --tx-autodiff --tx-verify-joint | FileCheck %s

// CHECK: tx.global @w.grad gradient of @w : tensor<7x6xf32>
tx.global @w parameter : tensor<7x6xbf16>

// CHECK-LABEL: func.func @microbatch
// CHECK: tx.load @w.grad : tensor<7x6xf32>
func.func @loss(%tokens: tensor<2x4xi32> {tx.name = "tokens"}, %targets: tensor<2x4xi32> {tx.name = "targets"})
    -> (tensor<f32>, tensor<f32>) attributes {tx.train} {
  %w = tx.load @w : tensor<7x6xbf16>
  %x = tx.embedding %tokens, %w in <"embedding"> : tensor<2x4xi32>, tensor<7x6xbf16>
  %losses, %lse = tx.cross_entropy %x, %targets ignore -100 in <"loss"> : tensor<2x4x6xbf16>, tensor<2x4xi32>
  %sum, %count = tx.reduce_loss %losses, %targets ignore -100 in <"loss"> : tensor<2x4xf32>, tensor<2x4xi32>
  return %sum, %count : tensor<f32>, tensor<f32>
}
