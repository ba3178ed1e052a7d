// RUN: tx-opt --tx-lower-kernels-to-vector %s | FileCheck %s

step.program @p arena(persistent 0, argument 0, saved 0, transient 0) {
  // A unit is a block of 64 columns; the last one has 2.
  // CHECK-LABEL: func.func @bias(
  // CHECK-SAME: %[[DY:.*]]: memref<1040xf32>, %[[ACC:.*]]: memref<130xf32>, %[[RESET:.*]]: memref<1xi8>, %[[OUT:.*]]: memref<130xf32>, %[[BEGIN:.*]]: index, %[[END:.*]]: index
  // CHECK: %[[WHOLE:.*]] = arith.minsi %[[END]], %c2
  // CHECK: scf.for %{{.*}} = %[[BEGIN]] to %[[WHOLE]]
  // CHECK: memref.load %[[RESET]]
  // CHECK: scf.for %{{.*}} = %c0 to %c8 {{.*}}iter_args
  // CHECK-COUNT-4: vector.load %[[DY]]
  // CHECK: vector.load %[[ACC]]
  // CHECK: arith.select
  // CHECK: vector.store %{{.*}}, %[[OUT]]
  // CHECK: scf.if
  // CHECK: vector.load %[[DY]]{{.*}}, vector<2xf32>
  // CHECK: vector.store %{{.*}}, %[[OUT]]{{.*}}, vector<2xf32>
  step.kernel @bias column [8, 130] (%x: tensor<2x4x130xf32>, %a: tensor<130xf32>, %r: tensor<i1>) {
    %y = tx.bias_grad %x into %a reset %r in <"fc1"> : tensor<2x4x130xf32>, tensor<130xf32>, tensor<i1>
    step.yield %y : tensor<130xf32>
  }
}
