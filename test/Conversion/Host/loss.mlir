// RUN: tx-opt --tx-lower-kernels-to-vector %s | FileCheck %s

step.program @p arena(persistent 0, argument 0, saved 0, transient 0) {
  // The target's logit is a sum beside the maximum, of one term: no column is read elsewhere.
  // CHECK-LABEL: func.func @cross_entropy(
  // CHECK-SAME: %[[LOGITS:[^:]*]]: memref<2432xf32>, %[[TARGETS:[^:]*]]: memref<8xi32>, %[[LOSSES:[^:]*]]: memref<8xf32>, %[[STATISTICS:[^:]*]]: memref<16xf32>
  // CHECK: %[[TARGET:.*]] = memref.load %[[TARGETS]]
  // CHECK: scf.for {{.*}} iter_args
  // CHECK-NOT: memref.load %[[LOGITS]]
  // CHECK: arith.cmpi eq
  // CHECK: arith.cmpf ogt
  // CHECK: scf.for {{.*}} iter_args
  // CHECK: math.fma
  // CHECK: memref.store %{{.*}}, %[[LOSSES]]
  // CHECK: memref.store %{{.*}}, %[[STATISTICS]]
  // CHECK: memref.store %{{.*}}, %[[STATISTICS]]
  step.kernel @cross_entropy row [8, 304] (%x: tensor<2x4x304xf32>, %t: tensor<2x4xi32>) {
    %losses, %stats = tx.cross_entropy %x, %t ignore -100 in <"loss"> : tensor<2x4x304xf32>, tensor<2x4xi32>
    step.yield %losses, %stats : tensor<2x4xf32>, tensor<2x4x2xf32>
  }
}
