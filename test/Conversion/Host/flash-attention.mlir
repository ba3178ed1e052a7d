// A unit holds 64 queries or keys of a head. Its tiles are on the stack; its loop over the other side's tiles ends, or
// begins, at the diagonal.
// RUN: tx-opt --tx-lower-kernels-to-vector %s | FileCheck %s

step.program @p arena(persistent 0, argument 0, saved 0, transient 0) {
  // CHECK-LABEL: func.func @forward(
  // CHECK-SAME: %[[Q:.*]]: memref<24576xf32>, %{{.*}}: memref<24576xf32>, %{{.*}}: memref<24576xf32>, %[[O:.*]]: memref<24576xf32>, %[[LSE:.*]]: memref<384xf32>, %[[BEGIN:.*]]: index, %[[END:.*]]: index
  // CHECK-NOT: memref.alloc(
  // CHECK-COUNT-5: memref.alloca() {alignment = 64 : i64} : memref<4096xf32>
  // CHECK: scf.for %[[UNIT:.*]] = %[[BEGIN]] to %[[END]]
  // CHECK: %[[TILE:.*]] = arith.remui %[[UNIT]], %c3
  // CHECK: vector.load %[[Q]]
  // CHECK: %[[NEXT:.*]] = arith.addi %[[TILE]], %c1
  // CHECK: %[[DIAGONAL:.*]] = arith.minsi %[[NEXT]], %c3
  // CHECK: scf.for %{{.*}} = %c0 to %[[DIAGONAL]] step %c1
  // Six rows of sums, four vectors each, stay in registers.
  // CHECK: scf.for %{{.*}} = %c0 to %c60 step %c6
  // CHECK: scf.for %{{.*}} = %c0 to %c64 step %c1
  // CHECK-COUNT-24: math.fma
  // CHECK: scf.yield
  // CHECK: vector.store %{{.*}}, %[[O]]
  // CHECK: vector.store %{{.*}}, %[[LSE]]
  step.kernel @forward tile [6, 12288] (%q: tensor<1x192x128xf32>, %k: tensor<1x192x128xf32>, %v: tensor<1x192x128xf32>) {
    %o, %lse = tx.flash_attention %q, %k, %v heads 2 scale 0.125 causal in <"core_attn"> : tensor<1x192x128xf32>, tensor<1x192x128xf32>
    step.yield %o, %lse : tensor<1x192x128xf32>, tensor<1x2x192xf32>
  }

  // Units of keys, then of queries.
  // CHECK-LABEL: func.func @backward(
  // CHECK-SAME: %[[BEGIN:[^:]*]]: index, %[[END:[^:]*]]: index)
  // CHECK: %[[KEYS:.*]] = arith.minsi %[[END]], %c6
  // CHECK: scf.for %[[UNIT:.*]] = %[[BEGIN]] to %[[KEYS]]
  // CHECK: %[[TILE:.*]] = arith.remui %[[UNIT]], %c3
  // CHECK: scf.for %{{.*}} = %[[TILE]] to %c3 step %c1
  // CHECK: %[[FIRST:.*]] = arith.select %{{.*}}, %c6, %[[BEGIN]]
  // CHECK: scf.for %[[UNIT:.*]] = %[[FIRST]] to %[[END]]
  step.kernel @backward tile [12, 12288] (%dy: tensor<1x192x128xf32>, %q: tensor<1x192x128xf32>, %k: tensor<1x192x128xf32>, %v: tensor<1x192x128xf32>, %y: tensor<1x192x128xf32>, %lse: tensor<1x2x192xf32>) {
    %dq, %dk, %dv = tx.flash_attention_grad %dy, %q, %k, %v, %y, %lse heads 2 scale 0.125 causal in <"core_attn"> : tensor<1x192x128xf32>, tensor<1x192x128xf32>, tensor<1x2x192xf32>
    step.yield %dq, %dk, %dv : tensor<1x192x128xf32>, tensor<1x192x128xf32>, tensor<1x192x128xf32>
  }
}
