// RUN: tx-opt --tx-lower-kernels-to-vector %s | FileCheck %s

step.program @p arena(persistent 0, argument 0, saved 0, transient 0) {
  // A token chooses the row; none outside of the table.
  // CHECK-LABEL: func.func @embedding(
  // CHECK-SAME: %[[TOKENS:[^:]*]]: memref<8xi32>, %[[TABLE:[^:]*]]: memref<112xf32>
  // CHECK: scf.for %[[ROW:.*]] =
  // CHECK: %[[TOKEN:.*]] = memref.load %[[TOKENS]][%[[ROW]]]
  // CHECK: arith.cmpi ult, %[[TOKEN]], %c6
  // CHECK: vector.load %[[TABLE]]
  step.kernel @embedding row [8, 16] (%t: tensor<2x4xi32>, %w: tensor<7x16xf32>) {
    %x = tx.embedding %t, %w in <"embedding"> : tensor<2x4xi32>, tensor<7x16xf32>
    step.yield %x : tensor<2x4x16xf32>
  }

  // In place nothing is copied; otherwise the table is, before rows are added to it.
  // CHECK-LABEL: func.func @gradient(
  // CHECK: memref.extract_aligned_pointer_as_index
  // CHECK: arith.cmpi ne
  // CHECK: scf.if
  // CHECK: scf.for %{{.*}} = %c0 to %c8
  // CHECK: arith.addf
  step.kernel @gradient column [8, 16] (%t: tensor<2x4xi32>, %dy: tensor<2x4x16xf32>, %acc: tensor<7x16xf32>) {
    %g = tx.embedding_weight_grad %t, %dy into %acc in <backward, "embedding"> : tensor<2x4xi32>, tensor<2x4x16xf32>, tensor<7x16xf32>
    step.yield %g : tensor<7x16xf32>
  }
}
