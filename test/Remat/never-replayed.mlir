// What must happen once is kept by every policy, and what is around it is recomputed.
// RUN: tx-opt %s --tx-rematerialize="granularity=full layers=0" | FileCheck %s
// RUN: tx-opt %s --tx-rematerialize="granularity=selective modules=mlp" | FileCheck %s
// RUN: tx-opt %s --tx-rematerialize="save-only=mlp.fc3" | FileCheck %s

// CHECK: %[[SUM:.*]] = tx.all_reduce
// CHECK-NOT: tx.all_reduce
// CHECK: %[[A:.*]] = tx.gelu %[[SUM]] in <recompute, layer 0, "mlp.mlp_act">
// CHECK-NOT: tx.all_reduce
// CHECK: tx.gelu_grad %{{.*}}, %[[A]]
// CHECK: tx.gelu_grad %{{.*}}, %[[SUM]]
tx.mesh_axis @tp size 2
func.func @step(%x: tensor<4x8xf32>, %w: tensor<8x8xf32>, %dy: tensor<4x8xf32>) -> tensor<4x8xf32> {
  %h = tx.linear %x, %w in <layer 0, "mlp.fc1"> : tensor<4x8xf32>, tensor<8x8xf32> -> tensor<4x8xf32>
  %s = tx.all_reduce %h on @tp in <layer 0, "mlp.fc1"> : tensor<4x8xf32>
  %a = tx.gelu %s in <layer 0, "mlp.mlp_act"> : tensor<4x8xf32>
  %b = tx.gelu %a in <layer 0, "mlp.fc3"> : tensor<4x8xf32>
  %da = tx.gelu_grad %dy, %a in <backward, layer 0, "mlp.fc3"> : tensor<4x8xf32>
  %ds = tx.gelu_grad %da, %s in <backward, layer 0, "mlp.mlp_act"> : tensor<4x8xf32>
  return %ds : tensor<4x8xf32>
}
