// RUN: tx-opt --tx-lower-kernels-to-vector %s | FileCheck %s

step.program @p arena(persistent 0, argument 0, saved 0, transient 0) {
  // The target's logit is one load, inside of the row whatever the target is.
  // CHECK-LABEL: func.func @cross_entropy(
  // CHECK-SAME: %[[LOGITS:[^:]*]]: memref<2432xf32>, %[[TARGETS:[^:]*]]: memref<8xi32>, %[[LOSSES:[^:]*]]: memref<8xf32>, %[[LSE:[^:]*]]: memref<8xf32>
  // CHECK: %[[TARGET:.*]] = memref.load %[[TARGETS]]
  // CHECK: arith.cmpi ult, %[[TARGET]], %c303
  // CHECK: memref.load %[[LOGITS]]
  // CHECK: scf.for {{.*}} iter_args
  // CHECK: arith.cmpf ogt
  // CHECK: scf.for {{.*}} iter_args
  // CHECK: math.fma
  // CHECK: memref.store %{{.*}}, %[[LOSSES]]
  // CHECK: memref.store %{{.*}}, %[[LSE]]
  step.kernel @cross_entropy row [8, 304] (%x: tensor<2x4x304xf32>, %t: tensor<2x4xi32>) {
    %losses, %lse = tx.cross_entropy %x, %t ignore -100 in <"loss"> : tensor<2x4x304xf32>, tensor<2x4xi32>
    step.yield %losses, %lse : tensor<2x4xf32>, tensor<2x4xf32>
  }
}
