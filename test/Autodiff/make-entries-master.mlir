// A parameter narrower than its gradient gets an exact copy.
// RUN: tx-opt %s --tx-make-entries | FileCheck %s

tx.global @w parameter decay : tensor<7x6xbf16>
tx.global @n parameter : tensor<6xf32>
tx.global @w.grad gradient of @w : tensor<7x6xf32>
tx.global @n.grad gradient of @n : tensor<6xf32>
// CHECK: tx.global @w.master master of @w : tensor<7x6xf32>
// CHECK-NOT: @n.master

func.func @microbatch() {
  %g = tx.load @w.grad : tensor<7x6xf32>
  %h = tx.load @n.grad : tensor<6xf32>
  tx.store %g, @w.grad : tensor<7x6xf32>
  tx.store %h, @n.grad : tensor<6xf32>
  return
}

// CHECK-LABEL: func.func @apply
// CHECK: %[[MASTER:.*]] = tx.load @w.master
// CHECK: %[[PACK:.*]] = tx.pack %[[MASTER]] in
// CHECK: %[[W:.*]], %{{.*}}, %{{.*}}, %[[NEW:.*]] = tx.adamw {{.*}} master %[[PACK]] clip
// CHECK: %[[W1:.*]] = tx.unpack %[[W]] in
// CHECK: %[[MASTER1:.*]] = tx.unpack %[[NEW]] in
// CHECK: tx.store %[[W1]], @w : tensor<7x6xbf16>
// CHECK: tx.store %[[MASTER1]], @w.master
