// Core attention keeps its form through text; types are inferred by head.
// RUN: tx-opt %s | tx-opt | FileCheck %s
// RUN: tx-opt %s --mlir-print-op-generic | tx-opt | FileCheck %s

// CHECK-LABEL: func.func @attention
func.func @attention(%q: tensor<2x4x6xbf16>, %k: tensor<2x5x6xbf16>, %v: tensor<2x5x9xbf16>) -> tensor<2x4x9xbf16> {
  // CHECK: %[[S:.*]] = tx.attention_scores %[[Q:.*]], %[[K:.*]] heads 3 scale 5.000000e-01 in <layer 0, "self_attention.core_attn"> : tensor<2x4x6xbf16>, tensor<2x5x6xbf16>
  %s = tx.attention_scores %q, %k heads 3 scale 0.5 in <layer 0, "self_attention.core_attn"> : tensor<2x4x6xbf16>, tensor<2x5x6xbf16>
  // CHECK: %[[P:.*]] = tx.softmax %[[S]] causal in <layer 0, "self_attention.core_attn"> : tensor<2x3x4x5xbf16>
  %p = tx.softmax %s causal in <layer 0, "self_attention.core_attn"> : tensor<2x3x4x5xbf16>
  // CHECK: tx.softmax %[[S]] in <layer 0, "self_attention.core_attn"> : tensor<2x3x4x5xbf16>
  %all = tx.softmax %s in <layer 0, "self_attention.core_attn"> : tensor<2x3x4x5xbf16>
  // CHECK: %[[O:.*]] = tx.attention_context %[[P]], %[[V:.*]] in <layer 0, "self_attention.core_attn"> : tensor<2x3x4x5xbf16>, tensor<2x5x9xbf16>
  %o = tx.attention_context %p, %v in <layer 0, "self_attention.core_attn"> : tensor<2x3x4x5xbf16>, tensor<2x5x9xbf16>
  // CHECK: tx.attention_context %[[P]], %[[O]] transposed scale 2.500000e-01 in <backward, layer 0, "self_attention.core_attn"> : tensor<2x3x4x5xbf16>, tensor<2x4x9xbf16>
  %dv = tx.attention_context %p, %o transposed scale 0.25 in <backward, layer 0, "self_attention.core_attn"> : tensor<2x3x4x5xbf16>, tensor<2x4x9xbf16>
  // CHECK: tx.softmax_grad %[[S]], %[[P]] in <backward, layer 0, "self_attention.core_attn"> : tensor<2x3x4x5xbf16>
  %ds = tx.softmax_grad %s, %p in <backward, layer 0, "self_attention.core_attn"> : tensor<2x3x4x5xbf16>
  return %o : tensor<2x4x9xbf16>
}

// Two heads in a row share keys and values.
// CHECK-LABEL: func.func @groups
func.func @groups(%q: tensor<2x4x12xbf16>, %k: tensor<2x5x6xbf16>, %v: tensor<2x5x10xbf16>) -> tensor<2x4x20xbf16> {
  // CHECK: %[[S:.*]] = tx.attention_scores %[[Q:.*]], %[[K:.*]] heads 4 scale 5.000000e-01 in <layer 0, "core_attn"> : tensor<2x4x12xbf16>, tensor<2x5x6xbf16>
  %s = tx.attention_scores %q, %k heads 4 scale 0.5 in <layer 0, "core_attn"> : tensor<2x4x12xbf16>, tensor<2x5x6xbf16>
  // CHECK: %[[O:.*]] = tx.attention_context %[[S]], %[[V:.*]] groups 2 in <layer 0, "core_attn"> : tensor<2x4x4x5xbf16>, tensor<2x5x10xbf16>
  %o = tx.attention_context %s, %v groups 2 in <layer 0, "core_attn"> : tensor<2x4x4x5xbf16>, tensor<2x5x10xbf16>
  // CHECK: %[[DV:.*]] = tx.attention_context %[[S]], %[[O]] transposed scale 2.500000e-01 in <backward, layer 0, "core_attn"> : tensor<2x4x4x5xbf16>, tensor<2x4x20xbf16>
  %dv = tx.attention_context %s, %o transposed scale 0.25 in <backward, layer 0, "core_attn"> : tensor<2x4x4x5xbf16>, tensor<2x4x20xbf16>
  // CHECK: tx.sum_head_groups %[[DV]] heads 4 groups 2 in <backward, layer 0, "core_attn"> : tensor<2x5x20xbf16>
  %sum = tx.sum_head_groups %dv heads 4 groups 2 in <backward, layer 0, "core_attn"> : tensor<2x5x20xbf16>
  return %o : tensor<2x4x20xbf16>
}
