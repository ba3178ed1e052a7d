// The gradient of a value with two users is summed where backward meets the second, in its order.
// RUN: tx-opt %s --tx-autodiff --tx-verify-joint | FileCheck %s

tx.global @w parameter : tensor<7x6xf32>

// CHECK-LABEL: func.func @microbatch
// CHECK: %[[DY:.*]] = tx.cross_entropy_grad
// CHECK: %[[DG:.*]] = tx.gelu_grad %[[DY]], %{{.*}} in <backward, layer 0, "mlp.mlp_act">
// CHECK: %[[DX:.*]] = tx.add %[[DY]], %[[DG]] in <backward, layer 0, "mlp.mlp_act">
// CHECK: tx.embedding_weight_grad %{{.*}}, %[[DX]] into
func.func @loss(%tokens: tensor<2x4xi32> {tx.name = "tokens"}, %targets: tensor<2x4xi32> {tx.name = "targets"})
    -> (tensor<f32>, tensor<f32>) attributes {tx.train} {
  %w = tx.load @w : tensor<7x6xf32>
  %x = tx.embedding %tokens, %w in <"embedding"> : tensor<2x4xi32>, tensor<7x6xf32>
  %g = tx.gelu %x in <layer 0, "mlp.mlp_act"> : tensor<2x4x6xf32>
  %y = tx.add %x, %g in <layer 0, "residual"> : tensor<2x4x6xf32>
  %losses, %lse = tx.cross_entropy %y, %targets ignore -100 in <"loss"> : tensor<2x4x6xf32>, tensor<2x4xi32>
  %sum, %count = tx.reduce_loss %losses, %targets ignore -100 in <"loss"> : tensor<2x4xf32>, tensor<2x4xi32>
  return %sum, %count : tensor<f32>, tensor<f32>
}
