// Only the named value is kept; a name without its layer would mean every layer.
// RUN: tx-opt %s --tx-rematerialize="save-only=layers.0.mlp_residual" | FileCheck %s
// RUN: tx-opt %s --tx-rematerialize="save-only=mlp_residual" | FileCheck %s

// CHECK-LABEL: func.func @two
func.func @two(%x0: tensor<4x8xf32>, %dy: tensor<4x8xf32>) -> tensor<4x8xf32> {
  // CHECK: %[[X1:.*]] = tx.gelu {{.*}} in <layer 0, "mlp_residual">
  %a0 = tx.gelu %x0 in <layer 0, "mlp.mlp_act"> : tensor<4x8xf32>
  %x1 = tx.gelu %a0 in <layer 0, "mlp_residual"> : tensor<4x8xf32>
  %a1 = tx.gelu %x1 in <layer 1, "mlp.mlp_act"> : tensor<4x8xf32>
  // CHECK: %[[A1:.*]] = tx.gelu %[[X1]] in <recompute, layer 1, "mlp.mlp_act">
  // CHECK-NEXT: tx.gelu_grad %{{.*}}, %[[A1]]
  %d3 = tx.gelu_grad %dy, %a1 in <backward, layer 1, "mlp_residual"> : tensor<4x8xf32>
  // CHECK-NEXT: tx.gelu_grad %{{.*}}, %[[X1]]
  %d2 = tx.gelu_grad %d3, %x1 in <backward, layer 1, "mlp.mlp_act"> : tensor<4x8xf32>
  // CHECK-NEXT: tx.gelu %{{.*}} in <recompute, layer 0, "mlp.mlp_act">
  %d1 = tx.gelu_grad %d2, %a0 in <backward, layer 0, "mlp_residual"> : tensor<4x8xf32>
  return %d1 : tensor<4x8xf32>
}
