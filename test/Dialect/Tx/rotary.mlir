// Rotary position embedding and SwiGLU keep their form through text.
// RUN: tx-opt %s | tx-opt | FileCheck %s
// RUN: tx-opt %s --mlir-print-op-generic | tx-opt | FileCheck %s

// CHECK-LABEL: func.func @rope
func.func @rope(%x: tensor<2x4x24xbf16>) {
  // CHECK: %[[P:.*]] = tx.positions in <"rotary_pos_emb"> : tensor<4xi32>
  %p = tx.positions in <"rotary_pos_emb"> : tensor<4xi32>
  // CHECK: %[[COS:.*]], %[[SIN:.*]] = tx.rope_table %[[P]] frequencies [1.000000e+00, 1.000000e-01] in <"rotary_pos_emb"> : tensor<4xi32>
  %cos, %sin = tx.rope_table %p frequencies [1.0, 0.1] in <"rotary_pos_emb"> : tensor<4xi32>
  // CHECK: tx.rope_table %[[P]] frequencies [1.000000e+00] scale 1.500000e+00 in <"rotary_pos_emb"> : tensor<4xi32>
  %cos1, %sin1 = tx.rope_table %p frequencies [1.0] scale 1.5 in <"rotary_pos_emb"> : tensor<4xi32>
  // CHECK: %[[Y:.*]] = tx.rope %[[X:.*]], %[[COS]], %[[SIN]] heads 4 in <layer 0, "self_attention.rope"> : tensor<2x4x24xbf16>, tensor<4x2xf32>
  %y = tx.rope %x, %cos, %sin heads 4 in <layer 0, "self_attention.rope"> : tensor<2x4x24xbf16>, tensor<4x2xf32>
  // CHECK: tx.rope %[[Y]], %[[COS]], %[[SIN]] heads 4 inverse in <backward, layer 0, "self_attention.rope"> : tensor<2x4x24xbf16>, tensor<4x2xf32>
  %z = tx.rope %y, %cos, %sin heads 4 inverse in <backward, layer 0, "self_attention.rope"> : tensor<2x4x24xbf16>, tensor<4x2xf32>
  // CHECK: tx.rope %[[Y]], %[[COS]], %[[SIN]] heads 6 interleaved in <layer 0, "self_attention.rope"> : tensor<2x4x24xbf16>, tensor<4x2xf32>
  %i = tx.rope %y, %cos, %sin heads 6 interleaved in <layer 0, "self_attention.rope"> : tensor<2x4x24xbf16>, tensor<4x2xf32>
  return
}

// CHECK-LABEL: func.func @swiglu
func.func @swiglu(%gate: tensor<2x4x8xbf16>, %up: tensor<2x4x8xbf16>) {
  // CHECK: %[[Y:.*]] = tx.swiglu %[[G:.*]], %[[U:.*]] in <layer 0, "mlp.mlp_act"> : tensor<2x4x8xbf16>
  %y = tx.swiglu %gate, %up in <layer 0, "mlp.mlp_act"> : tensor<2x4x8xbf16>
  // CHECK: tx.swiglu_grad %[[Y]], %[[G]], %[[U]] in <backward, layer 0, "mlp.mlp_act"> : tensor<2x4x8xbf16>
  %dg, %du = tx.swiglu_grad %y, %gate, %up in <backward, layer 0, "mlp.mlp_act"> : tensor<2x4x8xbf16>
  return
}
