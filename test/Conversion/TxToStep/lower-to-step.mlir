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
  // CHECK: step.entry @layers (x<argument, 0x0, tensor<2x4x6xf32>>, key<argument, 0xc0, tensor<4xi32>>) -> (y<transient
  // CHECK-NEXT: step.launch 0 @[[GELU]] in <layer 0, "a">
  %0 = tx.gelu %x in <layer 0, "a"> : tensor<2x4x6xf32>
  // CHECK-NEXT: step.launch 1 @[[BIAS]] in <layer 0, "b">
  // CHECK-NEXT: step.gemm 2 in <layer 0, "b"> m 8 n 6 k 6 alpha 1.000000e+00 beta 1.000000e+00 (a <transient, {{.*}}> lda 6, b <persistent, {{0x[0-9a-f]+}}, tensor<6x6xf32>, "w"> ldb 6) -> (c <transient, {{.*}}> ldc 6)
  %1 = tx.linear %0, %w bias %b in <layer 0, "b"> : tensor<2x4x6xf32>, tensor<6x6xf32>, tensor<6xf32> -> tensor<2x4x6xf32>
  // CHECK-NEXT: step.launch 3 @[[GELU]] in <layer 1, "a">
  %2 = tx.gelu %1 in <layer 1, "a"> : tensor<2x4x6xf32>
  // CHECK-NEXT: step.gemm 4 in <layer 1, "b">{{.*}} beta 0.000000e+00
  %3 = tx.linear %2, %w in <layer 1, "b"> : tensor<2x4x6xf32>, tensor<6x6xf32> -> tensor<2x4x6xf32>
  // Two sites share one kernel: what differs is an immediate.
  // CHECK-NEXT: step.launch 5 @[[DROP]] in <layer 0, "d"> flops {{[0-9]+}} immediates [[A:.*]] (<
  %4 = tx.dropout %3, %key p 0.1 in <layer 0, "d"> : tensor<2x4x6xf32>, tensor<4xi32>
  // CHECK-NEXT: step.gemm 6
  %5 = tx.linear %4, %w in <layer 1, "b"> : tensor<2x4x6xf32>, tensor<6x6xf32> -> tensor<2x4x6xf32>
  // CHECK-NOT: immediates [[A]] (<
  // CHECK: step.launch 7 @[[DROP]] in <layer 1, "d">
  %6 = tx.dropout %5, %key p 0.1 in <layer 1, "d"> : tensor<2x4x6xf32>, tensor<4xi32>
  return %6 : tensor<2x4x6xf32>
}

// Heads are columns of q and k: strides of the inner batch index.
// CHECK: step.entry @scores
// CHECK-NEXT: step.gemm 8 in <"core_attn"> m 4 n 4 k 3 transpose_b batch 2 x 2 alpha 5.000000e-01 beta 0.000000e+00 (a {{.*}} lda 18 strides [72, 3], b {{.*}} ldb 18 strides [72, 3]) -> (c {{.*}} ldc 4 strides [32, 16])
func.func @scores(%qkv: tensor<2x4x18xf32>) -> tensor<2x2x4x4xf32> {
  %q = tx.slice %qkv 0 size 6 in <"qkv"> : tensor<2x4x18xf32>
  %k = tx.slice %qkv 6 size 6 in <"qkv"> : tensor<2x4x18xf32>
  %0 = tx.attention_scores %q, %k heads 2 scale 0.5 in <"core_attn"> : tensor<2x4x6xf32>, tensor<2x4x6xf32>
  return %0 : tensor<2x2x4x4xf32>
}

// Whether the reset bit is set decides if C is read.
// CHECK: step.entry @accumulate
// CHECK-NEXT: step.gemm 9 in <backward, "b"> m 6 n 6 k 8 transpose_a alpha 1.000000e+00 beta 1.000000e+00 (a {{.*}}, b {{.*}}, reset <argument, {{0x[0-9a-f]+}}, tensor<i1>, "first">) -> (c <persistent, {{0x[0-9a-f]+}}, tensor<6x6xf32>, "w.grad"> ldc 6)
func.func @accumulate(%x: tensor<2x4x6xf32>, %dy: tensor<2x4x6xf32>, %first: tensor<i1> {tx.name = "first"}) {
  %g = tx.load @w.grad : tensor<6x6xf32>
  %0 = tx.linear_weight_grad %x, %dy into %g reset %first in <backward, "b"> : tensor<2x4x6xf32>, tensor<2x4x6xf32>, tensor<6x6xf32>, tensor<i1>
  tx.store %0, @w.grad : tensor<6x6xf32>
  return
}
