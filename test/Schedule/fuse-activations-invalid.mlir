// What is recomputed alone must stay what it was in forward.
// RUN: tx-opt %s --tx-fuse-activations --verify-diagnostics

func.func @f(%x: tensor<4x8xf32>, %w: tensor<8x16xf32>) -> (tensor<4x16xf32>, tensor<4x16xf32>) {
  %h = tx.linear %x, %w in <layer 0, "mlp.fc1"> : tensor<4x8xf32>, tensor<8x16xf32> -> tensor<4x16xf32>
  %g = tx.gelu %h in <layer 0, "mlp.mlp_act"> : tensor<4x16xf32>
  // expected-error @below {{'tx.gelu' op is a recomputation; tx-fuse-activations comes before tx-rematerialize, since a fused activation has other bits than one that is recomputed alone}}
  %r = tx.gelu %h in <recompute, layer 0, "mlp.mlp_act"> : tensor<4x16xf32>
  return %g, %r : tensor<4x16xf32>, tensor<4x16xf32>
}
