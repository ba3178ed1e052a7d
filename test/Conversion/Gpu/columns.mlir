// Sums over rows: groups of threads share the rows of a stripe of columns. No atomics.
// RUN: tx-opt %s --tx-lower-kernels-to-gpu=arch=sm_90 | FileCheck %s --implicit-check-not=atomic

step.program @p arena(persistent 0, argument 0, saved 0, transient 0) {
  // Four rows are on their way at once; a stripe is a sector of memory.
  // CHECK-LABEL: gpu.func @bias
  // CHECK-SAME: %[[DY:[^:]*]]: memref<25165824xbf16>
  // CHECK-SAME: known_block_size = array<i32: 512, 1, 1>, step.units = 192 : i64, step.units_per_block = 1 : i64
  // CHECK: scf.for {{.*}} iter_args
  // CHECK-COUNT-4: vector.load %[[DY]][{{.*}}] {alignment = 16 : i64} : memref<25165824xbf16>, vector<8xbf16>
  // CHECK: scf.yield
  // CHECK: gpu.shuffle xor
  // CHECK: gpu.barrier
  step.kernel @bias column [8192, 3072] (%dy: tensor<8x1024x3072xbf16>, %acc: tensor<3072xf32>) {
    %g = tx.bias_grad %dy into %acc in <backward, "fc1"> : tensor<8x1024x3072xbf16>, tensor<3072xf32>
    step.yield %g : tensor<3072xf32>
  }

  // A block has four rows of the table. Warps find their tokens, list them in order, and add up eight rows of dy at a
  // time.
  // CHECK-LABEL: gpu.func @table
  // CHECK-SAME: %[[TOKENS:[^:]*]]: memref<8192xi32>, %[[DY:[^:]*]]: memref<6291456xbf16>
  // CHECK-SAME: known_block_size = array<i32: 128, 1, 1>, step.units = 50257 : i64, step.units_per_block = 4 : i64
  // CHECK: memref.load %[[TOKENS]]
  // CHECK-COUNT-5: gpu.shuffle xor
  // CHECK: gpu.barrier
  // CHECK: memref.store {{.*}} : memref<4096xi32, #gpu.address_space<workgroup>>
  // CHECK: gpu.barrier
  // CHECK-COUNT-8: vector.load %[[DY]][{{.*}}] {alignment = 16 : i64} : memref<6291456xbf16>, vector<8xbf16>
  step.kernel @table column [8192, 768] (%tokens: tensor<8x1024xi32>, %dy: tensor<8x1024x768xbf16>, %acc: tensor<50257x768xf32>) {
    %g = tx.embedding_weight_grad %tokens, %dy into %acc in <backward, "embedding"> : tensor<8x1024xi32>, tensor<8x1024x768xbf16>, tensor<50257x768xf32>
    step.yield %g : tensor<50257x768xf32>
  }
}
