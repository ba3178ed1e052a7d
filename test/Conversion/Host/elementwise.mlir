// RUN: tx-opt --tx-lower-kernels-to-vector %s | FileCheck %s

// The last columns of a row are masked; loads come before stores.
step.program @p arena(persistent 0, argument 0, saved 0, transient 0) {
  // CHECK-LABEL: func.func @tail(
  // CHECK-SAME: %[[A:.*]]: memref<120xf32>, %[[B:.*]]: memref<120xf32>, %[[SUM:.*]]: memref<120xf32>, %[[BEGIN:.*]]: index, %[[END:.*]]: index)
  // CHECK: %[[MASK:.*]] = arith.constant dense<[true, true, true, true, false, {{.*}}false]> : vector<16xi1>
  // CHECK: scf.for %[[ROW:.*]] = %[[BEGIN]] to %[[END]]
  // CHECK: %[[START:.*]] = arith.muli %[[ROW]], %c20
  // CHECK: vector.load %[[A]][%[[START]]] : memref<120xf32>, vector<16xf32>
  // CHECK: vector.maskedload %[[A]][%{{.*}}], %[[MASK]]
  // CHECK: vector.load %[[B]]
  // CHECK: vector.maskedload %[[B]]
  // CHECK-COUNT-2: arith.addf
  // CHECK-NOT: load
  // CHECK: vector.store %{{.*}}, %[[SUM]]
  // CHECK: vector.maskedstore %[[SUM]][%{{.*}}], %[[MASK]]
  step.kernel @tail row [6, 20] (%a: tensor<2x3x20xf32>, %b: tensor<2x3x20xf32>) {
    %sum = tx.add %a, %b in <"residual"> : tensor<2x3x20xf32>
    step.yield %sum : tensor<2x3x20xf32>
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
