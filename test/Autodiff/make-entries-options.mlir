// The optimizer's constants are the pass's options.
// RUN: tx-opt %s --tx-make-entries="clip-grad=0 weight-decay=0.5 adam-beta1=0.25 adam-beta2=0.75 adam-eps=0.125" | FileCheck %s

tx.global @w parameter decay : tensor<7x6xf32>
tx.global @w.grad gradient of @w : tensor<7x6xf32>

func.func @microbatch() {
  %g = tx.load @w.grad : tensor<7x6xf32>
  tx.store %g, @w.grad : tensor<7x6xf32>
  return
}

// CHECK-LABEL: func.func @apply
// CHECK: tx.clip_coefficient {{.*}} max 0.0
// CHECK: tx.adamw {{.*}} betas 2.500000e-01, 7.500000e-01 eps 1.250000e-01 decay 5.000000e-01
