// Launches on addresses: equal kernels once, biases written first, batches as strides.
// RUN: tx-opt %s --tx-fuse-kernels --tx-place-memory --tx-lower-to-step | FileCheck %s

tx.global @w parameter : tensor<6x6xf32>
tx.global @b parameter : tensor<6xf32>
tx.global @w.grad gradient of @w : tensor<6x6xf32>

// CHECK: step.program @step arena(persistent 448, argument
// CHECK-NEXT: step.kernel @[[GELU:row[0-9]+_gelu]] row [8, 6]
// CHECK: step.kernel @[[BIAS:row[0-9]+_broadcast_rows]] row [8, 6]
// CHECK: step.kernel @[[DROP:row[0-9]+_dropout]] row [8, 6] immediates 1
// CHECK-NOT: step.kernel
func.func @layers(%x: tensor<2x4x6xf32> {tx.name = "x"}, %key: tensor<4xi32> {tx.name = "key"}) -> (tensor<2x4x6xf32> {tx.name = "y"}) {
  %w = tx.load @w : tensor<6x6xf32>
  %b = tx.load @b : tensor<6xf32>
  // CHECK: step.entry @layers (x<argument, 0, tensor<2x4x6xf32>>, key<argument, 192, tensor<4xi32>>) -> (y<transient
  // CHECK-NEXT: step.launch @[[GELU]] in <layer 0, "a">
  %0 = tx.gelu %x in <layer 0, "a"> : tensor<2x4x6xf32>
  // CHECK-NEXT: step.launch @[[BIAS]] in <layer 0, "b">
  // CHECK-NEXT: step.gemm in <layer 0, "b">[8, 6, 6] batch [1, 1] ld [6, 6, 6] strides [0, 0, 0, 0, 0, 0] transpose false, false alpha 1.000000e+00 beta 1.000000e+00
  %1 = tx.linear %0, %w bias %b in <layer 0, "b"> : tensor<2x4x6xf32>, tensor<6x6xf32>, tensor<6xf32> -> tensor<2x4x6xf32>
  // CHECK-NEXT: step.launch @[[GELU]] in <layer 1, "a">
  %2 = tx.gelu %1 in <layer 1, "a"> : tensor<2x4x6xf32>
  // CHECK-NEXT: step.gemm in <layer 1, "b">{{.*}} beta 0.000000e+00
  %3 = tx.linear %2, %w in <layer 1, "b"> : tensor<2x4x6xf32>, tensor<6x6xf32> -> tensor<2x4x6xf32>
  // Two sites share one kernel: what differs is an immediate.
  // CHECK-NEXT: step.launch @[[DROP]] in <layer 0, "d"> flops {{[0-9]+}} immediates [[A:.*]] [#
  %4 = tx.dropout %3, %key p 0.1 in <layer 0, "d"> : tensor<2x4x6xf32>, tensor<4xi32>
  // CHECK-NEXT: step.gemm
  %5 = tx.linear %4, %w in <layer 1, "b"> : tensor<2x4x6xf32>, tensor<6x6xf32> -> tensor<2x4x6xf32>
  // CHECK-NOT: immediates [[A]] [#
  // CHECK: step.launch @[[DROP]] in <layer 1, "d">
  %6 = tx.dropout %5, %key p 0.1 in <layer 1, "d"> : tensor<2x4x6xf32>, tensor<4xi32>
  return %6 : tensor<2x4x6xf32>
}

// Heads are columns of q and k: strides of the inner batch index.
// CHECK: step.entry @scores
// CHECK-NEXT: step.gemm in <"core_attn">[4, 4, 3] batch [2, 2] ld [18, 18, 4] strides [72, 72, 32, 3, 3, 16] transpose false, true alpha 5.000000e-01
func.func @scores(%qkv: tensor<2x4x18xf32>) -> tensor<2x2x4x4xf32> {
  %q = tx.slice %qkv 0 size 6 in <"qkv"> : tensor<2x4x18xf32>
  %k = tx.slice %qkv 6 size 6 in <"qkv"> : tensor<2x4x18xf32>
  %0 = tx.attention_scores %q, %k heads 2 scale 0.5 in <"core_attn"> : tensor<2x4x6xf32>, tensor<2x4x6xf32>
  return %0 : tensor<2x2x4x4xf32>
}

// The reset bit is the product's fourth buffer.
// CHECK: step.entry @accumulate
// CHECK-NEXT: step.gemm in <backward, "b">[6, 6, 8]{{.*}} transpose true, false alpha 1.000000e+00 beta 1.000000e+00 [{{.*}}, #step.buffer<persistent, {{[0-9]+}}, tensor<6x6xf32>>, #step.buffer<argument, {{[0-9]+}}, tensor<i1>>]
func.func @accumulate(%x: tensor<2x4x6xf32>, %dy: tensor<2x4x6xf32>, %first: tensor<i1>) {
  %g = tx.load @w.grad : tensor<6x6xf32>
  %0 = tx.linear_weight_grad %x, %dy into %g reset %first in <backward, "b"> : tensor<2x4x6xf32>, tensor<2x4x6xf32>, tensor<6x6xf32>, tensor<i1>
  tx.store %0, @w.grad : tensor<6x6xf32>
  return
}
