// The entries of a step: AdamW, decay where a global asks for it, evaluation without dropout.
// RUN: tx-opt %s --tx-autodiff --tx-verify-joint --tx-make-entries --tx-verify-joint | FileCheck %s

// CHECK: tx.global @w parameter decay : tensor<7x6xf32>
// CHECK-NEXT: tx.global @b parameter : tensor<7xf32>
// CHECK-NEXT: tx.global @w.grad gradient of @w : tensor<7x6xf32>
// CHECK-NEXT: tx.global @b.grad gradient of @b : tensor<7xf32>
// CHECK-NEXT: tx.global @w.exp_avg moment1 of @w : tensor<7x6xf32>
// CHECK-NEXT: tx.global @b.exp_avg moment1 of @b : tensor<7xf32>
// CHECK-NEXT: tx.global @w.exp_avg_sq moment2 of @w : tensor<7x6xf32>
// CHECK-NEXT: tx.global @b.exp_avg_sq moment2 of @b : tensor<7xf32>
// CHECK-NOT: tx.global
// CHECK-NOT: @loss
tx.global @w parameter decay : tensor<7x6xf32>
tx.global @b parameter : tensor<7xf32>

func.func @loss(%tokens: tensor<2x4xi32> {tx.name = "tokens"}, %targets: tensor<2x4xi32> {tx.name = "targets"},
                %key: tensor<4xi32> {tx.name = "key"})
    -> (tensor<f32>, tensor<f32>) attributes {tx.train} {
  %w = tx.load @w : tensor<7x6xf32>
  %b = tx.load @b : tensor<7xf32>
  %x = tx.embedding %tokens, %w in <"embedding"> : tensor<2x4xi32>, tensor<7x6xf32>
  %d = tx.dropout %x, %key p 0.1 in <"embedding"> : tensor<2x4x6xf32>, tensor<4xi32>
  %l = tx.linear %d, %w transposed bias %b in <"output_layer"> : tensor<2x4x6xf32>, tensor<7x6xf32>, tensor<7xf32> -> tensor<2x4x7xf32>
  %losses, %lse = tx.cross_entropy %l, %targets ignore -100 in <"loss"> : tensor<2x4x7xf32>, tensor<2x4xi32>
  %sum, %count = tx.reduce_loss %losses, %targets ignore -100 in <"loss"> : tensor<2x4xf32>, tensor<2x4xi32>
  return %sum, %count : tensor<f32>, tensor<f32>
}

// CHECK-LABEL: func.func @microbatch

// CHECK-LABEL: func.func @apply(
// CHECK-SAME: %[[LR:.*]]: tensor<f32> {tx.name = "lr"}, %[[STEP:.*]]: tensor<i32> {tx.name = "step"}) -> (tensor<f32> {tx.name = "grad_norm"}) {
// CHECK-NEXT: %[[GW:.*]] = tx.load @w.grad :
// CHECK-NEXT: %[[GB:.*]] = tx.load @b.grad :
// CHECK-NEXT: %[[W:.*]] = tx.load @w :
// CHECK-NEXT: %[[MW:.*]] = tx.load @w.exp_avg :
// CHECK-NEXT: %[[VW:.*]] = tx.load @w.exp_avg_sq :
// CHECK-NEXT: %[[B:.*]] = tx.load @b :
// CHECK-NEXT: %[[MB:.*]] = tx.load @b.exp_avg :
// CHECK-NEXT: %[[VB:.*]] = tx.load @b.exp_avg_sq :
// CHECK-NEXT: %[[GW1:.*]] = tx.pack %[[GW]] in <optimizer, "grad_norm"> : tensor<7x6xf32> -> tensor<64xf32>
// CHECK-NEXT: %[[SW:.*]] = tx.sum_of_squares %[[GW1]] in <optimizer, "grad_norm">
// CHECK-NEXT: %[[GB1:.*]] = tx.pack %[[GB]] in <optimizer, "grad_norm"> : tensor<7xf32> -> tensor<64xf32>
// CHECK-NEXT: %[[SB:.*]] = tx.sum_of_squares %[[GB1]] in <optimizer, "grad_norm">
// CHECK-NEXT: %[[ALL:.*]] = tx.concat %[[SW]], %[[SB]] in
// CHECK-NEXT: %[[NORM:.*]], %[[CLIP:.*]] = tx.clip_coefficient %[[ALL]] max 1.0
// CHECK-NEXT: %[[PW:.*]] = tx.pack %[[W]] in <optimizer, "adamw">
// CHECK-NEXT: %[[PMW:.*]] = tx.pack %[[MW]] in <optimizer, "adamw">
// CHECK-NEXT: %[[PVW:.*]] = tx.pack %[[VW]] in <optimizer, "adamw">
// CHECK-NEXT: %[[NW:.*]], %[[NMW:.*]], %[[NVW:.*]] = tx.adamw %[[PW]], %[[GW1]], %[[PMW]], %[[PVW]] clip %[[CLIP]] lr %[[LR]] step %[[STEP]] betas 9.000000e-01, 0.99{{.*}} eps {{.*}} decay 1.000000e-02 in <optimizer, "adamw">
// CHECK-NEXT: %[[W1:.*]] = tx.unpack %[[NW]] in <optimizer, "adamw"> : tensor<64xf32> -> tensor<7x6xf32>
// CHECK-NEXT: %[[MW1:.*]] = tx.unpack %[[NMW]] in
// CHECK-NEXT: %[[VW1:.*]] = tx.unpack %[[NVW]] in
// CHECK-NEXT: %[[PB:.*]] = tx.pack %[[B]] in
// CHECK-NEXT: tx.pack %[[MB]] in
// CHECK-NEXT: tx.pack %[[VB]] in
// CHECK-NEXT: %[[NB:.*]], %{{.*}}, %{{.*}} = tx.adamw %[[PB]], %[[GB1]], {{.*}} decay 0.000000e+00 in
// CHECK-NEXT: %[[B1:.*]] = tx.unpack %[[NB]] in
// CHECK-NEXT: %[[MB1:.*]] = tx.unpack
// CHECK-NEXT: %[[VB1:.*]] = tx.unpack
// CHECK-NEXT: tx.store %[[W1]], @w :
// CHECK-NEXT: tx.store %[[MW1]], @w.exp_avg :
// CHECK-NEXT: tx.store %[[VW1]], @w.exp_avg_sq :
// CHECK-NEXT: tx.store %[[B1]], @b :
// CHECK-NEXT: tx.store %[[MB1]], @b.exp_avg :
// CHECK-NEXT: tx.store %[[VB1]], @b.exp_avg_sq :
// CHECK-NEXT: return %[[NORM]]

// `step` goes on with the sums themselves, and stores them too.
// CHECK-LABEL: func.func @step(
// CHECK-SAME: {tx.name = "tokens"}, {{.*}} {tx.name = "targets"}, {{.*}} {tx.name = "key"}, {{.*}} {tx.name = "loss_scale"}, {{.*}} {tx.name = "first"},
// CHECK-SAME: {tx.name = "lr"}, {{.*}} {tx.name = "step"}) -> ({{.*}} {tx.name = "loss_sum"}, {{.*}} {tx.name = "valid_count"}, {{.*}} {tx.name = "grad_norm"}) {
// CHECK: %[[SUM:.*]], %[[COUNT:.*]] = tx.reduce_loss
// CHECK: %[[GW:.*]] = tx.embedding_weight_grad
// CHECK: %[[GW1:.*]] = tx.pack %[[GW]] in <optimizer,
// CHECK: tx.sum_of_squares %[[GW1]]
// CHECK: %[[NORM:.*]], %{{.*}} = tx.clip_coefficient
// CHECK: tx.adamw %{{.*}}, %[[GW1]],
// CHECK: tx.store %[[GW]], @w.grad
// CHECK: return %[[SUM]], %[[COUNT]], %[[NORM]]

// CHECK-LABEL: func.func @evaluate(
// CHECK-SAME: %[[TOKENS:[^:]*]]: tensor<2x4xi32> {tx.name = "tokens"}, %[[TARGETS:[^:]*]]: tensor<2x4xi32> {tx.name = "targets"})
// CHECK-SAME: -> (tensor<f32> {tx.name = "loss_sum"}, tensor<f32> {tx.name = "valid_count"}) {
// CHECK: %[[X:.*]] = tx.embedding %[[TOKENS]]
// CHECK-NEXT: %[[L:.*]] = tx.linear %[[X]],
// CHECK-NEXT: tx.cross_entropy %[[L]], %[[TARGETS]]
// CHECK-NEXT: %[[SUM:.*]], %[[COUNT:.*]] = tx.reduce_loss
// CHECK-NEXT: return %[[SUM]], %[[COUNT]]

// CHECK-LABEL: func.func @predict(
// CHECK-SAME: %[[TOKENS:[^:]*]]: tensor<2x4xi32> {tx.name = "tokens"}, %[[ROW:[^:]*]]: tensor<2xi32> {tx.name = "row"})
// CHECK-SAME: -> (tensor<2x7xf32> {tx.name = "logits"}) {
// CHECK: %[[X:.*]] = tx.embedding %[[TOKENS]]
// CHECK-NEXT: %[[LAST:.*]] = tx.select_rows %[[X]], %[[ROW]] in <"output_layer">
// CHECK-NEXT: %[[L:.*]] = tx.linear %[[LAST]],
// CHECK-NEXT: return %[[L]]
