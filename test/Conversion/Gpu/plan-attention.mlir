// Attention that cuDNN may compute: what is marked, what it gets, and what the step says of it.
// RUN: tx-opt %s --pass-pipeline='builtin.module(func.func(tx-fuse-kernels),tx-plan-gpu-libraries)' | FileCheck %s
// Before fusion ops are marked; what has been said can be taken away again.
// RUN: tx-opt %s --pass-pipeline='builtin.module(tx-plan-gpu-libraries)' | FileCheck %s --check-prefix=OPS
// RUN: tx-opt %s --pass-pipeline='builtin.module(func.func(tx-fuse-epilogues),tx-plan-gpu-libraries,tx-plan-gpu-libraries{forget=true})' > %t.forgotten
// RUN: tx-opt %s | cmp - %t.forgotten
// RUN: tx-opt %s --pass-pipeline='builtin.module(func.func(tx-fuse-kernels),tx-plan-gpu-libraries{deterministic=false arch=sm_90})' | FileCheck %s --check-prefix=ONE
// RUN: tx-opt %s --pass-pipeline='builtin.module(func.func(tx-fuse-kernels),tx-plan-gpu-libraries{deterministic=false arch=sm_80,sm_90})' | FileCheck %s --check-prefix=TWO
// RUN: tx-opt %s --pass-pipeline='builtin.module(func.func(tx-fuse-kernels),tx-plan-gpu-libraries{attention=flash})' | FileCheck %s --check-prefix=FLASH
// RUN: tx-opt %s --pass-pipeline='builtin.module(func.func(tx-fuse-kernels),tx-plan-gpu-libraries,tx-place-memory,tx-verify-placement,tx-lower-to-step)' | FileCheck %s --check-prefix=STEP

// OPS: tx.flash_attention {{.*}} {step.library_attention = true, step.scratch_bytes = 256 : i64}

// FLASH-NOT: step.scratch_bytes
// FLASH-NOT: step.library_attention

// Q, K and V are columns of one tensor, of which rows are at a stride.
// CHECK-LABEL: func.func @forward
// CHECK: step.group tile {{.*}} {step.library_attention = true, step.scratch_bytes = 256 : i64}
// STEP: step.entry @forward
// STEP: step.launch {{.*}} (<argument, 0x0, tensor<2x80x32xbf16>, stride 96, "[[QKV:.*]]">, <argument, 0x40, tensor<2x80x32xbf16>, stride 96, "[[QKV]]">, <argument, 0x80, tensor<2x80x32xbf16>, stride 96, "[[QKV]]">) -> (<{{.*}}, tensor<2x80x32xbf16>>, <{{.*}}, tensor<2x4x80xf32>>) attention <forward causal deterministic batch 2 queries 80 keys 80 heads 4/4 width 8 scale 3.500000e-01 operands [0, 1, 2, 3, 4]> scratch <transient, {{0x[0-9a-f]+}}, tensor<256xi8>>
func.func @forward(%qkv: tensor<2x80x96xbf16>) -> (tensor<2x80x32xbf16>, tensor<2x4x80xf32>) {
  %q = tx.slice %qkv 0 size 32 in <"qkv"> : tensor<2x80x96xbf16>
  %k = tx.slice %qkv 32 size 32 in <"qkv"> : tensor<2x80x96xbf16>
  %v = tx.slice %qkv 64 size 32 in <"qkv"> : tensor<2x80x96xbf16>
  %o, %lse = tx.flash_attention %q, %k, %v heads 4 scale 0.35 causal in <"core_attn"> : tensor<2x80x32xbf16>, tensor<2x80x32xbf16>
  return %o, %lse : tensor<2x80x32xbf16>, tensor<2x4x80xf32>
}

// A library writes all results: it is the same launch, whoever reads them.
// CHECK-LABEL: func.func @output_alone
// CHECK: %{{.*}}:2 = step.group tile {{.*}} {step.library_attention = true
// CHECK: step.yield %{{.*}}, %{{.*}} : tensor<2x80x32xbf16>, tensor<2x4x80xf32>
// STEP: step.entry @output_alone
// STEP: operands [0, 1, 2, 3, 4]
func.func @output_alone(%q: tensor<2x80x32xbf16>, %k: tensor<2x80x32xbf16>, %v: tensor<2x80x32xbf16>) -> tensor<2x80x32xbf16> {
  %o, %lse = tx.flash_attention %q, %k, %v heads 4 scale 0.35 causal in <"core_attn"> : tensor<2x80x32xbf16>, tensor<2x80x32xbf16>
  return %o : tensor<2x80x32xbf16>
}

// CHECK-LABEL: func.func @statistics_alone
// CHECK: %{{.*}}:2 = step.group tile
// STEP: step.entry @statistics_alone
// STEP: operands [0, 1, 2, 4, 3]
func.func @statistics_alone(%q: tensor<2x80x32xbf16>, %k: tensor<2x80x32xbf16>, %v: tensor<2x80x32xbf16>) -> tensor<2x4x80xf32> {
  %o, %lse = tx.flash_attention %q, %k, %v heads 4 scale 0.35 causal in <"core_attn"> : tensor<2x80x32xbf16>, tensor<2x80x32xbf16>
  return %lse : tensor<2x4x80xf32>
}

// Row sums: 4 * 2*4*80 = 2560. Deterministic: tiles of 128 x 128 bf16 numbers for 8 heads: 262144; else a copy of dQ in
// f32: 20480, or two.
// CHECK-LABEL: func.func @backward
// CHECK: step.scratch_bytes = 264960 : i64
// ONE-LABEL: func.func @backward
// ONE: step.library_attention = false, step.scratch_bytes = 23296 : i64
// TWO-LABEL: func.func @backward
// TWO: step.library_attention = false, step.scratch_bytes = 43776 : i64
// STEP: step.entry @backward
// STEP: attention <backward {{.*}} operands [1, 2, 3, 4, 5, 0, 6, 7, 8]> scratch
func.func @backward(%do: tensor<2x80x32xbf16>, %q: tensor<2x80x32xbf16>, %k: tensor<2x80x32xbf16>, %v: tensor<2x80x32xbf16>, %o: tensor<2x80x32xbf16>, %lse: tensor<2x4x80xf32>) -> (tensor<2x80x32xbf16>, tensor<2x80x32xbf16>, tensor<2x80x32xbf16>) {
  %dq, %dk, %dv = tx.flash_attention_grad %do, %q, %k, %v, %o, %lse heads 4 scale 0.35 causal in <backward, "core_attn"> : tensor<2x80x32xbf16>, tensor<2x80x32xbf16>, tensor<2x4x80xf32>
  return %dq, %dk, %dv : tensor<2x80x32xbf16>, tensor<2x80x32xbf16>, tensor<2x80x32xbf16>
}
