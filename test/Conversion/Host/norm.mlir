// RUN: tx-opt --tx-lower-kernels-to-vector %s | FileCheck %s

// Each reduction takes a pass over the row; the result comes in the third.
step.program @p arena(persistent 0, argument 0, saved 0, transient 0) {
  // CHECK-LABEL: func.func @norm(
  // CHECK-SAME: %[[X:.*]]: memref<768xf32>, %{{.*}}: memref<128xf32>, %{{.*}}: memref<128xf32>, %[[Y:.*]]: memref<768xf32>, %[[MEAN:.*]]: memref<6xf32>, %[[RSTD:.*]]: memref<6xf32>
  // CHECK: scf.for %[[ROW:.*]] =
  // CHECK: %[[SUMS:.*]]:4 = scf.for {{.*}} iter_args
  // CHECK-COUNT-4: arith.addf
  // CHECK: scf.yield
  // CHECK: arith.addf %[[SUMS]]#0, %[[SUMS]]#1
  // CHECK: arith.addf %[[SUMS]]#2, %[[SUMS]]#3
  // CHECK: %[[M:.*]] = arith.divf
  // CHECK: scf.for {{.*}} iter_args
  // CHECK-COUNT-4: math.fma
  // CHECK: math.sqrt
  // CHECK: %[[R:.*]] = arith.divf
  // CHECK: scf.for
  // CHECK-COUNT-4: vector.store %{{.*}}, %[[Y]]
  // CHECK: memref.store %[[M]], %[[MEAN]][%[[ROW]]]
  // CHECK: memref.store %[[R]], %[[RSTD]][%[[ROW]]]
  step.kernel @norm row [6, 128] (%x: tensor<2x3x128xf32>, %w: tensor<128xf32>, %b: tensor<128xf32>) {
    %y, %m, %r = tx.layer_norm %x, %w, %b eps 1.0e-5 in <"norm"> : tensor<2x3x128xf32>, tensor<128xf32>
    step.yield %y, %m, %r : tensor<2x3x128xf32>, tensor<2x3xf32>, tensor<2x3xf32>
  }

  // The sum is stored in the first pass and loaded again in the later ones:
  // its operands may be gone.
  // CHECK-LABEL: func.func @residual_norm(
  // CHECK-SAME: %[[A:[^:]*]]: memref<768xf32>, %[[B:[^:]*]]: memref<768xf32>, %{{[^:]*}}: memref<128xf32>, %{{[^:]*}}: memref<128xf32>, %[[SUM:[^:]*]]: memref<768xf32>
  // CHECK: scf.for
  // CHECK: scf.for
  // CHECK: vector.load %[[A]]
  // CHECK: vector.load %[[B]]
  // CHECK: vector.store %{{.*}}, %[[SUM]]
  // CHECK: scf.for
  // CHECK-NOT: vector.load %[[A]]
  // CHECK: vector.load %[[SUM]]
  step.kernel @residual_norm row [6, 128] (%a: tensor<2x3x128xf32>, %b: tensor<2x3x128xf32>, %w: tensor<128xf32>, %c: tensor<128xf32>) {
    %x = tx.add %a, %b in <"residual"> : tensor<2x3x128xf32>
    %y, %m, %r = tx.layer_norm %x, %w, %c eps 1.0e-5 in <"norm"> : tensor<2x3x128xf32>, tensor<128xf32>
    step.yield %x, %y : tensor<2x3x128xf32>, tensor<2x3x128xf32>
  }
}
