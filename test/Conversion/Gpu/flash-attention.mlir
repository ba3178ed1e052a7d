// A block has 64 queries of a head: copies to shared memory go on beside products by tensor cores, which take them by
// ldmatrix. In f32 the products are fused multiply-adds. No product's form depends on anything but type and width.
// RUN: tx-opt --tx-lower-kernels-to-gpu %s | FileCheck %s

step.program @p arena(persistent 0, argument 0, saved 0, transient 0) {
  // CHECK-LABEL: gpu.func @forward(
  // CHECK-SAME: known_block_size = array<i32: 128, 1, 1>, nvvm.minctasm = 2 : i32, step.shared_bytes = 24576 : i64, step.units = 6 : i64
  // CHECK: gpu.dynamic_shared_memory
  // Keys up to the diagonal; four chunks of a tile for each thread.
  // CHECK-COUNT-4: nvvm.cp.async.shared.global %{{.*}}, %{{.*}}, 16, cache = cg
  // CHECK: scf.for
  // CHECK: nvvm.cp.async.wait.group 0
  // CHECK-NEXT: gpu.barrier
  // CHECK: nvvm.ldmatrix %{{.*}} {eltType = #nvvm.ld_st_matrix_elt_type<b16>, layout = #nvvm.mma_layout<row>, num = 4
  // CHECK: nvvm.mma.sync {{.*}} shape = #nvvm.shape<m = 16, n = 8, k = 16>
  // CHECK: llvm.nvvm.ex2.approx.ftz
  // CHECK: nvvm.ldmatrix %{{.*}} layout = #nvvm.mma_layout<col>
  // CHECK: vector.store {{.*}} {alignment = 16 : i64} : memref<24576xbf16>, vector<8xbf16>
  step.kernel @forward tile [6, 12288] (%q: tensor<1x192x128xbf16>, %k: tensor<1x192x128xbf16>, %v: tensor<1x192x128xbf16>) {
    %o, %lse = tx.flash_attention %q, %k, %v heads 2 scale 0.125 causal in <"core_attn"> : tensor<1x192x128xbf16>, tensor<1x192x128xbf16>
    step.yield %o, %lse : tensor<1x192x128xbf16>, tensor<1x2x192xf32>
  }

  // Blocks of keys, then of queries; no atomics.
  // CHECK-LABEL: gpu.func @backward(
  // CHECK-SAME: step.units = 12 : i64
  // CHECK-NOT: atomic
  // CHECK: %[[KEYS:.*]] = arith.cmpi slt, %block_id_x, %c6
  // CHECK: scf.if %[[KEYS]]
  // CHECK: %[[QUERIES:.*]] = arith.cmpi sle, %c6, %block_id_x
  // CHECK: scf.if %[[QUERIES]]
  step.kernel @backward tile [12, 12288] (%dy: tensor<1x192x128xbf16>, %q: tensor<1x192x128xbf16>, %k: tensor<1x192x128xbf16>, %v: tensor<1x192x128xbf16>, %y: tensor<1x192x128xbf16>, %lse: tensor<1x2x192xf32>) {
    %dq, %dk, %dv = tx.flash_attention_grad %dy, %q, %k, %v, %y, %lse heads 2 scale 0.125 causal in <"core_attn"> : tensor<1x192x128xbf16>, tensor<1x192x128xbf16>, tensor<1x2x192xf32>
    step.yield %dq, %dk, %dv : tensor<1x192x128xbf16>, tensor<1x192x128xbf16>, tensor<1x192x128xbf16>
  }

  // CHECK-LABEL: gpu.func @f32(
  // CHECK-NOT: nvvm.mma.sync
  // CHECK: math.fma
  step.kernel @f32 tile [6, 12288] (%q: tensor<1x192x128xf32>, %k: tensor<1x192x128xf32>, %v: tensor<1x192x128xf32>) {
    %o, %lse = tx.flash_attention %q, %k, %v heads 2 scale 0.125 causal in <"core_attn"> : tensor<1x192x128xf32>, tensor<1x192x128xf32>
    step.yield %o, %lse : tensor<1x192x128xf32>, tensor<1x2x192xf32>
  }
}
