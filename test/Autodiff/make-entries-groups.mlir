// Parameters of one decay and one type are updated together, whatever stands between them.
// RUN: tx-opt %s --tx-make-entries --tx-verify-joint | FileCheck %s

tx.global @w parameter decay : tensor<7x6xbf16>
tx.global @n parameter : tensor<6xbf16>
tx.global @t parameter decay : tensor<9x9xf32>
tx.global @x parameter decay : tensor<6x7xbf16>
tx.global @w.grad gradient of @w : tensor<7x6xf32>
tx.global @n.grad gradient of @n : tensor<6xf32>
tx.global @t.grad gradient of @t : tensor<9x9xf32>
tx.global @x.grad gradient of @x : tensor<6x7xf32>

func.func @microbatch() {
  %g = tx.load @w.grad : tensor<7x6xf32>
  %h = tx.load @n.grad : tensor<6xf32>
  %i = tx.load @t.grad : tensor<9x9xf32>
  %j = tx.load @x.grad : tensor<6x7xf32>
  tx.store %g, @w.grad : tensor<7x6xf32>
  tx.store %h, @n.grad : tensor<6xf32>
  tx.store %i, @t.grad : tensor<9x9xf32>
  tx.store %j, @x.grad : tensor<6x7xf32>
  return
}

// CHECK-LABEL: func.func @apply
// CHECK: %[[WX:.*]] = tx.pack %{{.*}}, %{{.*}} in <optimizer, "grad_norm"> : tensor<7x6xf32>, tensor<6x7xf32> -> tensor<128xf32>
// CHECK-NEXT: %[[SWX:.*]] = tx.sum_of_squares %[[WX]]
// CHECK-NEXT: %[[N:.*]] = tx.pack {{.*}} : tensor<6xf32> -> tensor<64xf32>
// CHECK-NEXT: %[[SN:.*]] = tx.sum_of_squares %[[N]]
// CHECK-NEXT: %[[T:.*]] = tx.pack {{.*}} : tensor<9x9xf32> -> tensor<128xf32>
// CHECK-NEXT: %[[ST:.*]] = tx.sum_of_squares %[[T]]
// CHECK-NEXT: tx.concat %[[SWX]], %[[SN]], %[[ST]] in
// CHECK-NOT: tx.sum_of_squares
// CHECK: tx.pack {{.*}} in <optimizer, "adamw"> : tensor<7x6xbf16>, tensor<6x7xbf16> -> tensor<128xbf16>
// CHECK: tx.adamw %{{.*}}, %[[WX]], {{.*}} master {{.*}} decay 1.000000e-02
// CHECK-NEXT: %[[NEW:.*]]:2 = tx.unpack {{.*}} : tensor<128xbf16> -> tensor<7x6xbf16>, tensor<6x7xbf16>
// CHECK: tx.adamw %{{.*}}, %[[N]], {{.*}} master {{.*}} decay 0.0
// CHECK: tx.adamw %{{.*}}, %[[T]], {{.*}} decay 1.000000e-02
// CHECK-NOT: tx.adamw
// CHECK: tx.store %[[NEW]]#0, @w : tensor<7x6xbf16>
// CHECK: tx.store %[[NEW]]#1, @x : tensor<6x7xbf16>
// CHECK: return
