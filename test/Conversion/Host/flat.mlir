// RUN: tx-opt --tx-lower-kernels-to-vector %s | FileCheck %s

step.program @p arena(persistent 0, argument 0, saved 0, transient 0) {
  // The last chunk has 904 elements: 14 blocks and 8.
  // CHECK-LABEL: func.func @squares(
  // CHECK-SAME: %[[X:.*]]: memref<5000xf32>, %[[OUT:.*]]: memref<2xf32>
  // CHECK: scf.for %[[CHUNK:.*]] =
  // CHECK: scf.for %{{.*}} = %c0 to %c4096 step %c64
  // CHECK-COUNT-4: math.fma
  // CHECK: memref.store %{{.*}}, %[[OUT]][%[[CHUNK]]]
  // CHECK: scf.if
  // CHECK: scf.for %{{.*}} = %c0 to %c896 step %c64
  // CHECK: vector.load %[[X]]{{.*}}, vector<8xf32>
  // CHECK: memref.store %{{.*}}, %[[OUT]][%c1]
  step.kernel @squares flat [2, 4096] (%x: tensor<5000xf32>) {
    %y = tx.sum_of_squares %x in <optimizer, "grad_norm"> : tensor<5000xf32>
    step.yield %y : tensor<2xf32>
  }

  // The bias corrections are computed once, before the chunks.
  // CHECK-LABEL: func.func @adamw(
  // CHECK: scf.for {{.*}} iter_args({{.*}}) -> (f64, f64, i32)
  // CHECK: scf.for {{.*}} iter_args({{.*}}) -> (f64, f64, i32)
  // CHECK: scf.for
  // CHECK-COUNT-2: vector.load
  // CHECK: math.sqrt %{{.*}} : vector<16xf32>
  // CHECK-COUNT-3: vector.store
  step.kernel @adamw flat [1, 32] (%p: tensor<32xf32>, %g: tensor<32xf32>, %m: tensor<32xf32>, %v: tensor<32xf32>, %c: tensor<f32>, %lr: tensor<f32>, %t: tensor<i32>) {
    %p1, %m1, %v1 = tx.adamw %p, %g, %m, %v clip %c lr %lr step %t betas 0.9, 0.999 eps 1.0e-8 decay 0.1 in <optimizer, "adamw"> : tensor<32xf32>, tensor<32xf32>
    step.yield %p1, %m1, %v1 : tensor<32xf32>, tensor<32xf32>, tensor<32xf32>
  }
}
