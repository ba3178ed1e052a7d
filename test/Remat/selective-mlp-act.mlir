// The example of the pass's description: the activation is computed again, right before its use.
// RUN: tx-opt %s --tx-rematerialize="granularity=selective modules=mlp_act" | FileCheck %s

// CHECK-LABEL: func.func @mlp
func.func @mlp(%x: tensor<2x4x6xf32>, %w: tensor<6x8xf32>, %dy: tensor<2x4x8xf32>, %acc: tensor<8x8xf32>) -> tensor<8x8xf32> {
  // CHECK: %[[H:.*]] = tx.linear
  // CHECK-NEXT: tx.gelu %[[H]] in <layer 0, "mlp.mlp_act">
  // CHECK-NEXT: %[[A:.*]] = tx.gelu %[[H]] in <recompute, layer 0, "mlp.mlp_act">
  // CHECK-NEXT: tx.linear_weight_grad %[[A]]
  %h = tx.linear %x, %w in <layer 0, "mlp.fc1"> : tensor<2x4x6xf32>, tensor<6x8xf32> -> tensor<2x4x8xf32>
  %a = tx.gelu %h in <layer 0, "mlp.mlp_act"> : tensor<2x4x8xf32>
  %g = tx.linear_weight_grad %a, %dy into %acc in <backward, layer 0, "mlp.fc2"> : tensor<2x4x8xf32>, tensor<2x4x8xf32>, tensor<8x8xf32>
  return %g : tensor<8x8xf32>
}
