// RMS norm and its gradients keep their form through text.
// RUN: tx-opt %s | tx-opt | FileCheck %s
// RUN: tx-opt %s --mlir-print-op-generic | tx-opt | FileCheck %s

// CHECK-LABEL: func.func @rows
func.func @rows(%x: tensor<2x4x6xbf16>, %w: tensor<6xbf16>, %acc: tensor<6xf32>, %first: tensor<i1>) {
  // The statistic is f32 whatever x is.
  // CHECK: %[[Y:.*]], %[[RSTD:.*]] = tx.rms_norm %[[X:.*]], %[[W:.*]] eps 1.000000e-05 in <layer 0, "layernorm.input"> : tensor<2x4x6xbf16>, tensor<6xbf16>
  %y, %rstd = tx.rms_norm %x, %w eps 1.0e-5 in <layer 0, "layernorm.input"> : tensor<2x4x6xbf16>, tensor<6xbf16>
  // CHECK: tx.rms_norm_input_grad %[[Y]], %[[X]], %[[W]], %[[RSTD]] in <backward, layer 0, "layernorm.input"> : tensor<2x4x6xbf16>, tensor<6xbf16>, tensor<2x4xf32>
  %dx = tx.rms_norm_input_grad %y, %x, %w, %rstd in <backward, layer 0, "layernorm.input"> : tensor<2x4x6xbf16>, tensor<6xbf16>, tensor<2x4xf32>
  // CHECK: %[[G:.*]] = tx.rms_norm_weight_grad %[[Y]], %[[X]], %[[RSTD]] into %{{.*}} reset %{{.*}} in <backward, layer 0, "layernorm.input"> : tensor<2x4x6xbf16>, tensor<2x4xf32>, tensor<6xf32>, tensor<i1>
  %g = tx.rms_norm_weight_grad %y, %x, %rstd into %acc reset %first in <backward, layer 0, "layernorm.input"> : tensor<2x4x6xbf16>, tensor<2x4xf32>, tensor<6xf32>, tensor<i1>
  // CHECK: tx.rms_norm_weight_grad %[[Y]], %[[X]], %[[RSTD]] into %[[G]] in <backward, layer 0, "layernorm.input"> : tensor<2x4x6xbf16>, tensor<2x4xf32>, tensor<6xf32>{{$}}
  %h = tx.rms_norm_weight_grad %y, %x, %rstd into %g in <backward, layer 0, "layernorm.input"> : tensor<2x4x6xbf16>, tensor<2x4xf32>, tensor<6xf32>
  return
}

// CHECK-LABEL: func.func @heads
func.func @heads(%x: tensor<2x4x6xf32>, %w: tensor<2xf32>) {
  // CHECK: %[[Y:.*]], %[[RSTD:.*]] = tx.rms_norm %[[X:.*]], %[[W:.*]] eps 9.765625E-4 heads 3 offset 1 in <layer 0, "self_attention.qk_norm"> : tensor<2x4x6xf32>, tensor<2xf32>
  %y, %rstd = tx.rms_norm %x, %w eps 0.0009765625 heads 3 offset 1 in <layer 0, "self_attention.qk_norm"> : tensor<2x4x6xf32>, tensor<2xf32>
  // CHECK: tx.rms_norm_input_grad %[[Y]], %[[X]], %[[W]], %[[RSTD]] heads 3 offset 1 in <backward, layer 0, "self_attention.qk_norm"> : tensor<2x4x6xf32>, tensor<2xf32>, tensor<2x4x3xf32>
  %dx = tx.rms_norm_input_grad %y, %x, %w, %rstd heads 3 offset 1 in <backward, layer 0, "self_attention.qk_norm"> : tensor<2x4x6xf32>, tensor<2xf32>, tensor<2x4x3xf32>
  // CHECK: tx.rms_norm_weight_grad %[[Y]], %[[X]], %[[RSTD]] into %[[W]] heads 3 in <backward, layer 0, "self_attention.qk_norm"> : tensor<2x4x6xf32>, tensor<2x4x3xf32>, tensor<2xf32>
  %g = tx.rms_norm_weight_grad %y, %x, %rstd into %w heads 3 in <backward, layer 0, "self_attention.qk_norm"> : tensor<2x4x6xf32>, tensor<2x4x3xf32>, tensor<2xf32>
  return
}
