// A layer whose activation the loss reads at once: the loss's kernel computes the activation's gradient too, which is
// then no layer's to recompute.
// RUN: tx-opt %s --tx-to-remat="granularity=selective modules=mlp_act" 2>&1 | FileCheck %s --check-prefixes=CHECK,MODULE
// RUN: tx-opt %s --tx-to-remat="granularity=full method=uniform num-layers=1" 2>&1 | FileCheck %s

// MODULE: warning: recompute module 'mlp_act' frees 0 bytes: 192 are saved with it, 192 without; leave it out
// CHECK-NOT: error
// CHECK: tx.gelu_grad {{.*}} in <backward, layer 0, "mlp.mlp_act">
// CHECK-NOT: in <recompute

tx.global @w parameter normal(0.02) decay : tensor<7x6xf32>
func.func @loss(%tokens: tensor<2x4xi32> {tx.name = "tokens"}, %targets: tensor<2x4xi32> {tx.name = "targets"})
    -> (tensor<f32>, tensor<f32>) attributes {tx.train} {
  %w = tx.load @w : tensor<7x6xf32>
  %x = tx.embedding %tokens, %w in <"embedding"> : tensor<2x4xi32>, tensor<7x6xf32>
  %y = tx.gelu %x in <layer 0, "mlp.mlp_act"> : tensor<2x4x6xf32>
  %losses, %lse = tx.cross_entropy %y, %targets ignore -100 in <"loss"> : tensor<2x4x6xf32>, tensor<2x4xi32>
  %sum, %count = tx.reduce_loss %losses, %targets ignore -100 in <"loss"> : tensor<2x4xf32>, tensor<2x4xi32>
  return %sum, %count : tensor<f32>, tensor<f32>
}
