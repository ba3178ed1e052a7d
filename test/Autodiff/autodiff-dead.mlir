// What the loss does not need is left out, loads too; equal ops stay apart; an idle parameter is named.
// RUN: tx-opt %s --tx-autodiff --split-input-file 2>%t | FileCheck %s
// RUN: FileCheck %s --check-prefix=WARNING < %t

tx.global @w parameter : tensor<7x6xf32>
// WARNING: warning: @idle has no influence on the loss and is not trained
tx.global @idle parameter : tensor<6xf32>

// CHECK-NOT: @idle.grad
// CHECK-LABEL: func.func @microbatch
// CHECK-NOT: @idle
// CHECK-NOT: layer_norm
// CHECK: tx.gelu %[[X:.*]] in <layer 0
// CHECK: tx.gelu %[[X]] in <layer 0
// CHECK-NOT: tx.gelu %
// CHECK: tx.reduce_loss
func.func @loss(%tokens: tensor<2x4xi32> {tx.name = "tokens"}, %targets: tensor<2x4xi32> {tx.name = "targets"})
    -> (tensor<f32>, tensor<f32>) attributes {tx.train} {
  %w = tx.load @w : tensor<7x6xf32>
  %idle = tx.load @idle : tensor<6xf32>
  %x = tx.embedding %tokens, %w in <"embedding"> : tensor<2x4xi32>, tensor<7x6xf32>
  %n, %mean, %rstd = tx.layer_norm %x, %idle, %idle eps 1.0e-5 in <layer 0, "layernorm"> : tensor<2x4x6xf32>, tensor<6xf32>
  %dead = tx.gelu %n in <layer 0, "mlp.mlp_act"> : tensor<2x4x6xf32>
  %a = tx.gelu %x in <layer 0, "mlp.mlp_act"> : tensor<2x4x6xf32>
  %b = tx.gelu %x in <layer 0, "mlp.mlp_act"> : tensor<2x4x6xf32>
  %y = tx.add %a, %b in <layer 0, "residual"> : tensor<2x4x6xf32>
  %losses, %lse = tx.cross_entropy %y, %targets ignore -100 in <"loss"> : tensor<2x4x6xf32>, tensor<2x4xi32>
  %sum, %count = tx.reduce_loss %losses, %targets ignore -100 in <"loss"> : tensor<2x4xf32>, tensor<2x4xi32>
  return %sum, %count : tensor<f32>, tensor<f32>
}
