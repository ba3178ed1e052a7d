// The layer's last product, and its residual sum, compute nothing that backward uses: a full replay ends before.
// RUN: tx-opt %s --tx-rematerialize="granularity=full method=uniform num-layers=1" | FileCheck %s

// CHECK-LABEL: func.func @layer
func.func @layer(%x: tensor<2x4x6xf32>, %w1: tensor<6x8xf32>, %w2: tensor<8x6xf32>, %dy: tensor<2x4x6xf32>, %acc: tensor<8x6xf32>)
    -> (tensor<2x4x6xf32>, tensor<8x6xf32>, tensor<2x4x8xf32>) {
  // CHECK: tx.add {{.*}} in <layer 0, "mlp_residual">
  %h = tx.linear %x, %w1 in <layer 0, "mlp.fc1"> : tensor<2x4x6xf32>, tensor<6x8xf32> -> tensor<2x4x8xf32>
  %a = tx.gelu %h in <layer 0, "mlp.mlp_act"> : tensor<2x4x8xf32>
  %o = tx.linear %a, %w2 in <layer 0, "mlp.fc2"> : tensor<2x4x8xf32>, tensor<8x6xf32> -> tensor<2x4x6xf32>
  %y = tx.add %x, %o in <layer 0, "mlp_residual"> : tensor<2x4x6xf32>
  // CHECK-NEXT: %[[DA:.*]] = tx.linear_input_grad
  %da = tx.linear_input_grad %dy, %w2 in <backward, layer 0, "mlp.fc2"> : tensor<2x4x6xf32>, tensor<8x6xf32> -> tensor<2x4x8xf32>
  // CHECK-NEXT: %[[H2:.*]] = tx.linear {{.*}} in <recompute, layer 0, "mlp.fc1">
  // CHECK-NEXT: %[[A2:.*]] = tx.gelu %[[H2]] in <recompute, layer 0, "mlp.mlp_act">
  // CHECK-NEXT: tx.linear_weight_grad %[[A2]]
  %g = tx.linear_weight_grad %a, %dy into %acc in <backward, layer 0, "mlp.fc2"> : tensor<2x4x8xf32>, tensor<2x4x6xf32>, tensor<8x6xf32>
  // CHECK-NEXT: tx.gelu_grad %[[DA]], %[[H2]]
  %dh = tx.gelu_grad %da, %h in <backward, layer 0, "mlp.mlp_act"> : tensor<2x4x8xf32>
  // CHECK-NEXT: return
  return %y, %g, %dh : tensor<2x4x6xf32>, tensor<8x6xf32>, tensor<2x4x8xf32>
}
