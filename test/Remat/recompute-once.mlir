// Two uses, one recomputation: right before the first of them.
// RUN: tx-opt %s --tx-rematerialize="granularity=selective modules=mlp_act" | FileCheck %s

// CHECK-LABEL: func.func @twice
func.func @twice(%x: tensor<4x8xf32>, %dy: tensor<4x8xf32>) -> tensor<4x8xf32> {
  %a = tx.gelu %x in <layer 0, "mlp.mlp_act"> : tensor<4x8xf32>
  // CHECK: tx.gelu_grad
  %d0 = tx.gelu_grad %dy, %x in <backward, layer 0, "mlp.fc2"> : tensor<4x8xf32>
  // CHECK-NEXT: %[[A:.*]] = tx.gelu {{.*}} in <recompute
  // CHECK-NEXT: tx.gelu_grad %{{.*}}, %[[A]]
  %d1 = tx.gelu_grad %d0, %a in <backward, layer 0, "mlp.fc2"> : tensor<4x8xf32>
  // CHECK-NEXT: tx.gelu_grad %{{.*}}, %[[A]]
  %d2 = tx.gelu_grad %d1, %a in <backward, layer 0, "mlp.fc2"> : tensor<4x8xf32>
  return %d2 : tensor<4x8xf32>
}
