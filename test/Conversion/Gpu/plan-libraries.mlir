// What cuBLASLt does and gets, and where it ends up in the step.
// RUN: tx-opt %s --pass-pipeline='builtin.module(func.func(tx-fuse-epilogues{sums=false}),tx-plan-gpu-libraries{arch=sm_90})' | FileCheck %s
// RUN: tx-opt %s --pass-pipeline='builtin.module(tx-plan-gpu-libraries{arch=sm_80})' | FileCheck %s --check-prefix=AMPERE
// RUN: tx-opt %s --pass-pipeline='builtin.module(func.func(tx-fuse-epilogues,tx-fuse-kernels),tx-plan-gpu-libraries,tx-place-memory,tx-verify-placement,tx-lower-to-step)' | FileCheck %s --check-prefix=STEP

// Segments before the transient one end at a multiple of 256: scratch is aligned in the arena.
// STEP: step.program @step arena(persistent 768, argument {{[0-9]+}}, saved 0, transient
tx.global @w parameter : tensor<6x8xf32>
tx.global @b parameter : tensor<8xf32>
tx.global @half parameter : tensor<8xbf16>
tx.global @w.grad gradient of @w : tensor<6x8xf32>
tx.global @b.grad gradient of @b : tensor<8xf32>

// The bias belongs to the op: no kernel writes it, and beta is 0.
// CHECK-LABEL: func.func @bias
// CHECK: tx.linear {{.*}} {step.epilogue = #step<epilogue bias>, step.scratch_bytes = 4096 : i64}
// STEP: step.entry @bias
// STEP-NEXT: step.gemm {{[0-9]+}} in <"fc">{{.*}} beta 0.000000e+00 ({{.*}}, bias <persistent, 0xc0, tensor<8xf32>, {{.*}}>) -> ({{.*}}, scratch <transient, 0x0, tensor<4096xi8>>)
// STEP-NEXT: }
func.func @bias(%x: tensor<2x4x6xf32>) -> tensor<2x4x8xf32> {
  %w = tx.load @w : tensor<6x8xf32>
  %b = tx.load @b : tensor<8xf32>
  %y = tx.linear %x, %w bias %b in <"fc"> : tensor<2x4x6xf32>, tensor<6x8xf32>, tensor<8xf32> -> tensor<2x4x8xf32>
  return %y : tensor<2x4x8xf32>
}

// A bias of another type than C is written first, as on the host.
// CHECK-LABEL: func.func @other_type
// CHECK: tx.linear {{.*}} {step.scratch_bytes
// STEP: step.entry @other_type
// STEP-NEXT: step.launch
// STEP-NEXT: step.gemm {{.*}} beta 1.0
func.func @other_type(%x: tensor<2x4x6xf32>) -> tensor<2x4x8xf32> {
  %w = tx.load @w : tensor<6x8xf32>
  %b = tx.load @half : tensor<8xbf16>
  %y = tx.linear %x, %w bias %b in <"fc"> : tensor<2x4x6xf32>, tensor<6x8xf32>, tensor<8xbf16> -> tensor<2x4x8xf32>
  return %y : tensor<2x4x8xf32>
}

// No more than what NVIDIA advises, which depends on the architecture.
// CHECK-LABEL: func.func @large
// CHECK: step.scratch_bytes = 33554432 : i64
// AMPERE-LABEL: func.func @large
// AMPERE: step.scratch_bytes = 4194304 : i64
func.func @large(%x: tensor<4096x8xf32>, %w: tensor<8x1024xf32>) -> tensor<4096x1024xf32> {
  %y = tx.linear %x, %w in <"fc"> : tensor<4096x8xf32>, tensor<8x1024xf32> -> tensor<4096x1024xf32>
  return %y : tensor<4096x1024xf32>
}

// The batch counts.
// CHECK-LABEL: func.func @scores
// CHECK: tx.attention_scores {{.*}} {step.scratch_bytes = 4096 : i64}
func.func @scores(%q: tensor<2x4x6xf32>, %k: tensor<2x4x6xf32>) -> tensor<2x2x4x4xf32> {
  %s = tx.attention_scores %q, %k heads 2 scale 0.5 in <"core_attn"> : tensor<2x4x6xf32>, tensor<2x4x6xf32>
  return %s : tensor<2x2x4x4xf32>
}

// An accumulator's product is one form; the scratch stands behind its reset bit.
// STEP: step.entry @accumulate
// STEP-NEXT: step.gemm {{.*}} beta 1.0{{.*}}, reset <argument, {{0x[0-9a-f]+}}, tensor<i1>, {{.*}}>) -> ({{.*}}, scratch <transient
func.func @accumulate(%x: tensor<2x4x6xf32>, %dy: tensor<2x4x8xf32>, %first: tensor<i1>) {
  %g = tx.load @w.grad : tensor<6x8xf32>
  %0 = tx.linear_weight_grad %x, %dy into %g reset %first in <backward, "fc"> : tensor<2x4x6xf32>, tensor<2x4x8xf32>, tensor<6x8xf32>, tensor<i1>
  tx.store %0, @w.grad : tensor<6x8xf32>
  return
}

// The sums of a gradient's rows lie in a vector that one row's kernel adds.
// STEP: step.entry @sums
// STEP-NEXT: step.gemm {{.*}} beta 1.0{{.*}}, sums_b <transient, [[SUMS:0x[0-9a-f]+]], tensor<8xf32>>, scratch <transient
// STEP-NEXT: step.launch {{.*}} (<transient, [[SUMS]], tensor<8xf32>>, <persistent, {{0x[0-9a-f]+}}, tensor<8xf32>, {{.*}}>, <argument, {{0x[0-9a-f]+}}, tensor<i1>, {{.*}}>) -> (<persistent
// STEP-NEXT: }
func.func @sums(%x: tensor<2x4x6xf32>, %dy: tensor<2x4x8xf32>, %first: tensor<i1>) {
  %g = tx.load @w.grad : tensor<6x8xf32>
  %d = tx.load @b.grad : tensor<8xf32>
  %1 = tx.bias_grad %dy into %d reset %first in <backward, "fc"> : tensor<2x4x8xf32>, tensor<8xf32>, tensor<i1>
  %0 = tx.linear_weight_grad %x, %dy into %g reset %first in <backward, "fc"> : tensor<2x4x6xf32>, tensor<2x4x8xf32>, tensor<6x8xf32>, tensor<i1>
  tx.store %0, @w.grad : tensor<6x8xf32>
  tx.store %1, @b.grad : tensor<8xf32>
  return
}
