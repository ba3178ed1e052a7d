// The example of tx-autodiff's description: backward follows forward, gradients are added into globals.
// RUN: tx-opt %s --tx-autodiff | FileCheck %s

// CHECK: tx.global @w parameter normal(2.000000e-02) decay : tensor<7x6xf32>
// CHECK-NEXT: tx.global @w.grad gradient of @w : tensor<7x6xf32>
tx.global @w parameter normal(0.02) decay : tensor<7x6xf32>

// CHECK: func.func @loss({{.*}} attributes {tx.train}
func.func @loss(%tokens: tensor<2x4xi32> {tx.name = "tokens"}, %targets: tensor<2x4xi32> {tx.name = "targets"})
    -> (tensor<f32>, tensor<f32>) attributes {tx.train} {
  %w = tx.load @w : tensor<7x6xf32>
  %x = tx.embedding %tokens, %w in <"embedding"> : tensor<2x4xi32>, tensor<7x6xf32>
  %losses, %lse = tx.cross_entropy %x, %targets ignore -100 in <"loss"> : tensor<2x4x6xf32>, tensor<2x4xi32>
  %sum, %count = tx.reduce_loss %losses, %targets ignore -100 in <"loss"> : tensor<2x4xf32>, tensor<2x4xi32>
  return %sum, %count : tensor<f32>, tensor<f32>
}

// CHECK: func.func @microbatch(
// CHECK-SAME: %[[TOKENS:.*]]: tensor<2x4xi32> {tx.name = "tokens"}, %[[TARGETS:.*]]: tensor<2x4xi32> {tx.name = "targets"}
// CHECK-SAME: %[[SCALE:.*]]: tensor<f32> {tx.name = "loss_scale"}, %[[FIRST:.*]]: tensor<i1> {tx.name = "first"})
// CHECK-SAME: -> (tensor<f32> {tx.name = "loss_sum"}, tensor<f32> {tx.name = "valid_count"}) {
// CHECK-NEXT: %[[W:.*]] = tx.load @w :
// CHECK-NEXT: %[[ACC:.*]] = tx.load @w.grad :
// CHECK-NEXT: %[[X:.*]] = tx.embedding %[[TOKENS]], %[[W]] in <"embedding">
// CHECK-NEXT: %[[LOSSES:.*]], %[[LSE:.*]] = tx.cross_entropy %[[X]], %[[TARGETS]] ignore -100 in <"loss">
// CHECK-NEXT: %[[SUM:.*]], %[[COUNT:.*]] = tx.reduce_loss %[[LOSSES]], %[[TARGETS]] ignore -100 in <"loss">
// CHECK-NEXT: %[[DL:.*]] = tx.reduce_loss_grad %[[SCALE]], %[[TARGETS]] ignore -100 in <backward, "loss">
// CHECK-NEXT: %[[DX:.*]] = tx.cross_entropy_grad %[[DL]], %[[X]], %[[TARGETS]], %[[LSE]] ignore -100 in <backward, "loss">
// CHECK-NEXT: %[[G:.*]] = tx.embedding_weight_grad %[[TOKENS]], %[[DX]] into %[[ACC]] reset %[[FIRST]] in <backward, "embedding">
// CHECK-NEXT: tx.store %[[G]], @w.grad
// CHECK-NEXT: return %[[SUM]], %[[COUNT]]
