// Attention as one op keeps its form through text; the log-sum-exp is f32 whatever the tensors are.
// RUN: tx-opt %s | tx-opt | FileCheck %s
// RUN: tx-opt %s --mlir-print-op-generic | tx-opt | FileCheck %s

// Four heads share two of keys and values.
// CHECK-LABEL: func.func @attention
func.func @attention(%q: tensor<2x4x12xbf16>, %k: tensor<2x5x6xbf16>, %v: tensor<2x5x6xbf16>, %key: tensor<4xi32>) -> tensor<2x4x4xf32> {
  // CHECK: %[[O:.*]], %[[LSE:.*]] = tx.flash_attention %[[Q:.*]], %[[K:.*]], %[[V:.*]] heads 4 scale 5.000000e-01 causal dropout %[[KEY:.*]] p 2.500000e-01 in <layer 0, "self_attention.core_attn"> : tensor<2x4x12xbf16>, tensor<2x5x6xbf16>, tensor<4xi32>
  %o, %lse = tx.flash_attention %q, %k, %v heads 4 scale 0.5 causal dropout %key p 0.25 in <layer 0, "self_attention.core_attn"> : tensor<2x4x12xbf16>, tensor<2x5x6xbf16>, tensor<4xi32>
  // CHECK: tx.flash_attention %[[Q]], %[[K]], %[[V]] heads 4 scale 5.000000e-01 in <layer 1, "self_attention.core_attn"> : tensor<2x4x12xbf16>, tensor<2x5x6xbf16>
  %all, %lse2 = tx.flash_attention %q, %k, %v heads 4 scale 0.5 in <layer 1, "self_attention.core_attn"> : tensor<2x4x12xbf16>, tensor<2x5x6xbf16>
  // CHECK: tx.flash_attention_grad %[[O]], %[[Q]], %[[K]], %[[V]], %[[O]], %[[LSE]] heads 4 scale 5.000000e-01 causal dropout %[[KEY]] p 2.500000e-01 in <backward, layer 0, "self_attention.core_attn"> : tensor<2x4x12xbf16>, tensor<2x5x6xbf16>, tensor<2x4x4xf32>, tensor<4xi32>
  %dq, %dk, %dv = tx.flash_attention_grad %o, %q, %k, %v, %o, %lse heads 4 scale 0.5 causal dropout %key p 0.25 in <backward, layer 0, "self_attention.core_attn"> : tensor<2x4x12xbf16>, tensor<2x5x6xbf16>, tensor<2x4x4xf32>, tensor<4xi32>
  // CHECK: return %[[LSE]] : tensor<2x4x4xf32>
  return %lse : tensor<2x4x4xf32>
}
