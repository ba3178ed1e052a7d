// RUN: tx-opt --tx-lower-kernels-to-vector %s | FileCheck %s

// The last columns of a row are runs of 4, 2 and 1; loads come before stores.
step.program @p arena(persistent 0, argument 0, saved 0, transient 0) {
  // CHECK-LABEL: func.func @tail(
  // CHECK-SAME: %[[A:.*]]: memref<138xf32>, %[[B:.*]]: memref<138xf32>, %[[SUM:.*]]: memref<138xf32>, %[[BEGIN:.*]]: index, %[[END:.*]]: index)
  // CHECK: scf.for %[[ROW:.*]] = %[[BEGIN]] to %[[END]]
  // CHECK: %[[START:.*]] = arith.muli %[[ROW]], %c23
  // CHECK: vector.load %[[A]][%[[START]]] : memref<138xf32>, vector<16xf32>
  // CHECK: %[[LAST:.*]] = arith.addi %[[START]], %c16
  // CHECK: vector.load %[[A]][%[[LAST]]] : memref<138xf32>, vector<4xf32>
  // CHECK: vector.load %[[A]][%{{.*}}] : memref<138xf32>, vector<2xf32>
  // CHECK: memref.load %[[A]]
  // CHECK-COUNT-3: vector.load %[[B]]
  // CHECK: memref.load %[[B]]
  // CHECK-COUNT-2: arith.addf
  // CHECK-NOT: load
  // CHECK: vector.store %{{.*}}, %[[SUM]][%[[START]]] : memref<138xf32>, vector<16xf32>
  // CHECK: vector.store %{{.*}}, %[[SUM]][%{{.*}}] : memref<138xf32>, vector<4xf32>
  // CHECK: vector.store %{{.*}}, %[[SUM]][%{{.*}}] : memref<138xf32>, vector<2xf32>
  // CHECK: memref.store %{{.*}}, %[[SUM]]
  step.kernel @tail row [6, 23] (%a: tensor<2x3x23xf32>, %b: tensor<2x3x23xf32>) {
    %sum = tx.add %a, %b in <"residual"> : tensor<2x3x23xf32>
    step.yield %sum : tensor<2x3x23xf32>
  }

  // Long rows are a loop over blocks of 64 columns; a view has its own row stride.
  // CHECK-LABEL: func.func @strided(
  // CHECK-SAME: %[[A:.*]]: memref<2048xf32>
  // CHECK: scf.for %[[ROW:.*]] =
  // CHECK: %[[START:.*]] = arith.muli %[[ROW]], %c384
  // CHECK: scf.for %[[COLUMN:.*]] = %c0 to %c128 step %c64
  // CHECK: %[[AT:.*]] = arith.addi %[[START]], %[[COLUMN]]
  // CHECK-COUNT-4: vector.load %[[A]]
  // CHECK-COUNT-4: vector.store
  step.kernel @strided row [6, 128] strides [384, 0] (%a: tensor<2x3x128xf32>) {
    %y = tx.gelu %a in <"mlp"> : tensor<2x3x128xf32>
    step.yield %y : tensor<2x3x128xf32>
  }

  // What stays inside of the kernel is never stored.
  // CHECK-LABEL: func.func @fused(
  // CHECK-SAME: %[[X:[^:]*]]: memref<32xf32>, %[[Y:[^:]*]]: memref<32xf32>, %{{[^:]*}}: index
  // CHECK-COUNT-1: vector.store %{{.*}}, %[[Y]]
  // CHECK-NOT: vector.store
  step.kernel @fused row [2, 16] (%x: tensor<2x16xf32>) {
    %g = tx.gelu %x in <"mlp"> : tensor<2x16xf32>
    %y = tx.add %g, %x in <"residual"> : tensor<2x16xf32>
    step.yield %y : tensor<2x16xf32>
  }

  // bf16 is computed in f32, and each op's result is rounded to nearest even.
  // CHECK-LABEL: func.func @narrow(
  // CHECK-SAME: memref<32xi16>
  // CHECK: arith.extui %{{.*}} : vector<16xi16> to vector<16xi32>
  // CHECK: arith.addf %{{.*}} : vector<16xf32>
  // CHECK: arith.cmpf une
  // CHECK: arith.trunci %{{.*}} : vector<16xi32> to vector<16xi16>
  step.kernel @narrow row [2, 16] (%a: tensor<2x16xbf16>, %b: tensor<2x16xbf16>) {
    %s = tx.add %a, %b in <"residual"> : tensor<2x16xbf16>
    step.yield %s : tensor<2x16xbf16>
  }
}
