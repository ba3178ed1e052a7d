// Rows in registers, sums by shuffles in one order.
// RUN: tx-opt %s --tx-lower-kernels-to-gpu=arch=sm_90 | FileCheck %s
// RUN: not tx-opt %s --tx-lower-kernels-to-gpu=arch=sm_75 2>&1 | FileCheck %s --check-prefix=ARCH
// ARCH: cannot be compiled for the GPU architecture 'sm_75'; known: sm_80, {{.*}}sm_90

// Two warps have a row of 768, 16 blocks of 64 columns with four threads for each. A thread that keeps what it read has
// vectors of four, also of bf16: more of them would leave room for fewer threads. All is read before anything is added.
// CHECK-LABEL: gpu.func @norm
// CHECK-SAME: %[[X:.*]]: memref<3145728xbf16>, %[[W:[^:]*]]: memref<768xbf16>
// CHECK-SAME: known_block_size = array<i32: 64, 1, 1>, step.units = 4096 : i64, step.units_per_block = 1 : i64
// CHECK-COUNT-4: vector.load %[[X]][{{.*}}] {alignment = 8 : i64} : memref<3145728xbf16>, vector<4xbf16>
// CHECK-NOT: vector.load %[[X]]
// CHECK-COUNT-5: gpu.shuffle xor
// CHECK: math.fma
// CHECK-COUNT-5: gpu.shuffle xor
// CHECK: math.sqrt
// CHECK-NOT: vector.load %[[X]]
// CHECK-COUNT-4: vector.store {{.*}} {alignment = 8 : i64} : memref<3145728xbf16>, vector<4xbf16>
// CHECK: memref.store
// CHECK: memref.store
// CHECK: gpu.return
step.program @p arena(persistent 0, argument 0, saved 0, transient 0) {
  step.kernel @norm row [4096, 768] (%x: tensor<4x1024x768xbf16>, %w: tensor<768xbf16>, %b: tensor<768xbf16>) {
    %y, %m, %r = tx.layer_norm %x, %w, %b eps 1.0e-5 in <"norm"> : tensor<4x1024x768xbf16>, tensor<768xbf16>
    step.yield %y, %m, %r : tensor<4x1024x768xbf16>, tensor<4x1024xf32>, tensor<4x1024xf32>
  }

  // Two warps for a row of f32: they meet in shared memory.
  // CHECK-LABEL: gpu.func @softmax
  // CHECK-SAME: workgroup(%{{.*}} : memref<2xf32, #gpu.address_space<workgroup>>
  // CHECK-SAME: known_block_size = array<i32: 64, 1, 1>, step.units = 2048 : i64, step.units_per_block = 1 : i64
  // CHECK-COUNT-5: gpu.shuffle xor
  // CHECK: gpu.barrier
  // CHECK-COUNT-5: gpu.shuffle xor
  // CHECK: gpu.barrier
  step.kernel @softmax row [2048, 1024] (%x: tensor<1x2x1024x1024xf32>) {
    %y = tx.softmax %x causal in <"attn"> : tensor<1x2x1024x1024xf32>
    step.yield %y : tensor<1x2x1024x1024xf32>
  }

  // A row of the vocabulary does not fit into registers: each pass is a loop over it,
  // by many threads, so that few rows are under way and
  // the next passes find it in the cache. The launch has
  // loss and gradient.
  // CHECK-LABEL: gpu.func @classifier
  // CHECK-SAME: known_block_size = array<i32: 512, 1, 1>
  // CHECK: scf.for {{.*}} iter_args
  // CHECK: gpu.barrier
  // CHECK: scf.for {{.*}} iter_args
  // CHECK: gpu.barrier
  // CHECK: scf.for
  // CHECK: vector.store
  step.kernel @classifier row [4096, 50304] (%x: tensor<4x1024x50304xf32>, %t: tensor<4x1024xi32>, %d: tensor<4x1024xf32>) {
    %losses, %lse = tx.cross_entropy %x, %t ignore -100 in <"loss"> : tensor<4x1024x50304xf32>, tensor<4x1024xi32>
    %dx = tx.cross_entropy_grad %d, %x, %t, %lse ignore -100 in <backward, "loss"> : tensor<4x1024xf32>, tensor<4x1024x50304xf32>, tensor<4x1024xi32>
    step.yield %losses, %dx : tensor<4x1024xf32>, tensor<4x1024x50304xf32>
  }
}
