// Loss and optimizer keep their form through text.
// RUN: tx-opt %s | tx-opt | FileCheck %s
// RUN: tx-opt %s --mlir-print-op-generic | tx-opt | FileCheck %s

// Losses are f32 whatever the logits are.
// CHECK-LABEL: func.func @loss
func.func @loss(%logits: tensor<2x4x7xbf16>, %targets: tensor<2x4xi32>, %scale: tensor<f32>) -> (tensor<f32>, tensor<f32>) {
  // CHECK: %[[LOSSES:.*]], %[[LSE:.*]] = tx.cross_entropy %[[LOGITS:.*]], %[[TARGETS:.*]] ignore -100 in <"loss"> : tensor<2x4x7xbf16>, tensor<2x4xi32>
  %losses, %lse = tx.cross_entropy %logits, %targets ignore -100 in <"loss"> : tensor<2x4x7xbf16>, tensor<2x4xi32>
  // CHECK: %[[SUM:.*]], %[[COUNT:.*]] = tx.reduce_loss %[[LOSSES]], %[[TARGETS]] ignore -100 in <"loss"> : tensor<2x4xf32>, tensor<2x4xi32>
  %sum, %count = tx.reduce_loss %losses, %targets ignore -100 in <"loss"> : tensor<2x4xf32>, tensor<2x4xi32>
  // CHECK: %[[DL:.*]] = tx.reduce_loss_grad %{{.*}}, %{{.*}} ignore -100 in <backward, "loss"> : tensor<f32>, tensor<2x4xi32>
  %dl = tx.reduce_loss_grad %scale, %targets ignore -100 in <backward, "loss"> : tensor<f32>, tensor<2x4xi32>
  // CHECK: tx.cross_entropy_grad %[[DL]], %[[LOGITS]], %[[TARGETS]], %[[LSE]] ignore -100 in <backward, "loss"> : tensor<2x4xf32>, tensor<2x4x7xbf16>, tensor<2x4xi32>
  %dlogits = tx.cross_entropy_grad %dl, %logits, %targets, %lse ignore -100 in <backward, "loss"> : tensor<2x4xf32>, tensor<2x4x7xbf16>, tensor<2x4xi32>
  return %sum, %count : tensor<f32>, tensor<f32>
}

// CHECK-LABEL: func.func @optimizer
func.func @optimizer(%p: tensor<64x65xf32>, %n: tensor<64x65xbf16>, %g: tensor<64x65xf32>, %m: tensor<64x65xf32>, %v: tensor<64x65xf32>, %lr: tensor<f32>, %t: tensor<i32>) -> tensor<2xf32> {
  // 4160 elements are two chunks of 4096.
  // CHECK: %[[PARTIALS:.*]] = tx.sum_of_squares %[[G:.*]] in <optimizer, "grad_norm"> : tensor<64x65xf32>
  %partials = tx.sum_of_squares %g in <optimizer, "grad_norm"> : tensor<64x65xf32>
  // CHECK: %{{.*}}, %[[C:.*]] = tx.clip_coefficient %[[PARTIALS]] max 1.000000e+00 in <optimizer, "grad_norm"> : tensor<2xf32>
  %norm, %c = tx.clip_coefficient %partials max 1.0 in <optimizer, "grad_norm"> : tensor<2xf32>
  // CHECK: %{{.*}}, %[[M:.*]], %[[V:.*]] = tx.adamw %[[P:.*]], %[[G]], %{{.*}}, %{{.*}} clip %[[C]] lr %[[LR:.*]] step %[[T:.*]] betas 9.000000e-01, 7.500000e-01 eps 1.000000e-08 decay 1.000000e-01 in <optimizer, "adamw"> : tensor<64x65xf32>, tensor<64x65xf32>
  %p1, %m1, %v1 = tx.adamw %p, %g, %m, %v clip %c lr %lr step %t betas 0.9, 0.75 eps 1.0e-8 decay 0.1 in <optimizer, "adamw"> : tensor<64x65xf32>, tensor<64x65xf32>
  // A narrow parameter has a master copy.
  // CHECK: %{{.*}}, %{{.*}}, %{{.*}}, %{{.*}} = tx.adamw %{{.*}}, %[[G]], %[[M]], %[[V]] master %[[P]] clip %[[C]] lr %[[LR]] step %[[T]] betas 0.000000e+00, 0.000000e+00 eps 0.000000e+00 decay 0.000000e+00 in <optimizer, "adamw"> : tensor<64x65xbf16>, tensor<64x65xf32>, tensor<64x65xf32>
  %n1, %m2, %v2, %master = tx.adamw %n, %g, %m1, %v1 master %p clip %c lr %lr step %t betas 0.0, 0.0 eps 0.0 decay 0.0 in <optimizer, "adamw"> : tensor<64x65xbf16>, tensor<64x65xf32>, tensor<64x65xf32>
  return %partials : tensor<2xf32>
}
