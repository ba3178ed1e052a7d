// Sums over rows in parts, where a kernel of rows reads the rows.
// RUN: tx-opt %s --pass-pipeline='builtin.module(func.func(tx-split-row-sums{arch=sm_90}))' | FileCheck %s
// RUN: tx-opt %s --pass-pipeline='builtin.module(func.func(tx-split-row-sums{arch=sm_90},tx-fuse-kernels))' | FileCheck %s --check-prefix=FUSED
// RUN: not tx-opt %s --pass-pipeline='builtin.module(func.func(tx-split-row-sums{arch=ampere}))' 2>&1 | FileCheck %s --check-prefix=ARCH
// ARCH: error: takes an architecture such as sm_90, found 'ampere'

// Two warps have a row of 768; with sixteen warps on each of 132 multiprocessors a part has eight rows.
// CHECK-LABEL: func.func @norm
// CHECK: %[[W:.*]], %[[B:.*]] = tx.layer_norm_partial_grad %{{.*}} in <backward, "norm"> : tensor<8x1024x768xbf16>, tensor<8x1024xf32> -> tensor<1024x768xf32>
// CHECK: %[[G:.*]]:2 = tx.add_parts %[[W]], %[[B]] into %{{.*}}, %{{.*}} reset %{{.*}} in <backward, "norm">
// CHECK: %[[DX:.*]] = tx.layer_norm_input_grad
// CHECK: return %[[DX]], %[[G]]#0, %[[G]]#1
// FUSED-LABEL: func.func @norm
// FUSED: step.group row [8192, 768]
// FUSED: step.group column [1024, 768]
// FUSED-NOT: step.group
// FUSED: return
func.func @norm(%dy: tensor<8x1024x768xbf16>, %x: tensor<8x1024x768xbf16>, %w: tensor<768xbf16>, %acc: tensor<768xf32>, %s: tensor<8x1024xf32>, %first: tensor<i1>) -> (tensor<8x1024x768xbf16>, tensor<768xf32>, tensor<768xf32>) {
  %gw, %gb = tx.layer_norm_weight_grad %dy, %x, %s, %s into %acc, %acc reset %first in <backward, "norm"> : tensor<8x1024x768xbf16>, tensor<8x1024xf32>, tensor<768xf32>, tensor<768xf32> reset tensor<i1>
  %dx = tx.layer_norm_input_grad %dy, %x, %w, %s, %s in <backward, "norm"> : tensor<8x1024x768xbf16>, tensor<768xbf16>, tensor<8x1024xf32>
  return %dx, %gw, %gb : tensor<8x1024x768xbf16>, tensor<768xf32>, tensor<768xf32>
}

// Nothing else reads the rows.
// CHECK-LABEL: func.func @alone
// CHECK-NEXT: tx.layer_norm_weight_grad
func.func @alone(%dy: tensor<8x1024x768xbf16>, %x: tensor<8x1024x768xbf16>, %acc: tensor<768xf32>, %s: tensor<8x1024xf32>) -> (tensor<768xf32>, tensor<768xf32>) {
  %gw, %gb = tx.layer_norm_weight_grad %dy, %x, %s, %s into %acc, %acc in <backward, "norm"> : tensor<8x1024x768xbf16>, tensor<8x1024xf32>, tensor<768xf32>, tensor<768xf32>
  return %gw, %gb : tensor<768xf32>, tensor<768xf32>
}

// A thread's columns of so wide a row, and two sums for each, would not stay in registers.
// CHECK-LABEL: func.func @wide
// CHECK-NEXT: tx.layer_norm_weight_grad
func.func @wide(%dy: tensor<64x12288xbf16>, %x: tensor<64x12288xbf16>, %w: tensor<12288xbf16>, %acc: tensor<12288xf32>, %s: tensor<64xf32>) -> (tensor<64x12288xbf16>, tensor<12288xf32>, tensor<12288xf32>) {
  %gw, %gb = tx.layer_norm_weight_grad %dy, %x, %s, %s into %acc, %acc in <backward, "norm"> : tensor<64x12288xbf16>, tensor<64xf32>, tensor<12288xf32>, tensor<12288xf32>
  %dx = tx.layer_norm_input_grad %dy, %x, %w, %s, %s in <backward, "norm"> : tensor<64x12288xbf16>, tensor<12288xbf16>, tensor<64xf32>
  return %dx, %gw, %gb : tensor<64x12288xbf16>, tensor<12288xf32>, tensor<12288xf32>
}
