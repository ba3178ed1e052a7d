// Which layers take part: all in chunks (the last may be shorter), the first ones, or a list, with full and selective.
// RUN: tx-opt %s --tx-rematerialize="granularity=full method=uniform num-layers=2" | FileCheck %s --check-prefix=UNIFORM
// RUN: tx-opt %s --tx-rematerialize="granularity=full method=block num-layers=1" | FileCheck %s --check-prefix=BLOCK
// RUN: tx-opt %s --tx-rematerialize="granularity=full layers=1-2" | FileCheck %s --check-prefix=LIST
// RUN: tx-opt %s --tx-rematerialize="granularity=selective modules=mlp_act method=block num-layers=2" | FileCheck %s --check-prefix=SELBLOCK
// RUN: tx-opt %s --tx-rematerialize="granularity=selective modules=mlp_act layers=0,2" | FileCheck %s --check-prefix=SELLIST

// Three layers y = gelu(gelu(x)); backward uses each gelu's input.
func.func @three(%x0: tensor<4x8xf32>, %dy: tensor<4x8xf32>) -> tensor<4x8xf32> {
  %a0 = tx.gelu %x0 in <layer 0, "mlp.mlp_act"> : tensor<4x8xf32>
  %x1 = tx.gelu %a0 in <layer 0, "mlp_residual"> : tensor<4x8xf32>
  %a1 = tx.gelu %x1 in <layer 1, "mlp.mlp_act"> : tensor<4x8xf32>
  %x2 = tx.gelu %a1 in <layer 1, "mlp_residual"> : tensor<4x8xf32>
  %a2 = tx.gelu %x2 in <layer 2, "mlp.mlp_act"> : tensor<4x8xf32>
  %x3 = tx.gelu %a2 in <layer 2, "mlp_residual"> : tensor<4x8xf32>
  %d5 = tx.gelu_grad %dy, %a2 in <backward, layer 2, "mlp_residual"> : tensor<4x8xf32>
  %d4 = tx.gelu_grad %d5, %x2 in <backward, layer 2, "mlp.mlp_act"> : tensor<4x8xf32>
  %d3 = tx.gelu_grad %d4, %a1 in <backward, layer 1, "mlp_residual"> : tensor<4x8xf32>
  %d2 = tx.gelu_grad %d3, %x1 in <backward, layer 1, "mlp.mlp_act"> : tensor<4x8xf32>
  %d1 = tx.gelu_grad %d2, %a0 in <backward, layer 0, "mlp_residual"> : tensor<4x8xf32>
  %d0 = tx.gelu_grad %d1, %x0 in <backward, layer 0, "mlp.mlp_act"> : tensor<4x8xf32>
  return %d0 : tensor<4x8xf32>
}

// Chunks [0, 1] and [2]: layer 1's replay runs through layer 0's output, which is not saved.
// UNIFORM-COUNT-3: tx.gelu {{.*}} in <layer
// UNIFORM: %[[X2:.*]] = tx.gelu {{.*}} in <layer 1, "mlp_residual">
// UNIFORM: tx.gelu %[[X2]] in <recompute, layer 2, "mlp.mlp_act">
// UNIFORM-NEXT: tx.gelu_grad {{.*}} in <backward, layer 2
// UNIFORM-NEXT: tx.gelu_grad %{{.*}}, %[[X2]] in <backward, layer 2
// UNIFORM-NEXT: %[[A0:.*]] = tx.gelu %{{.*}} in <recompute, layer 0, "mlp.mlp_act">
// UNIFORM-NEXT: %[[X1:.*]] = tx.gelu %[[A0]] in <recompute, layer 0, "mlp_residual">
// UNIFORM-NEXT: %[[A1:.*]] = tx.gelu %[[X1]] in <recompute, layer 1, "mlp.mlp_act">
// UNIFORM-NEXT: tx.gelu_grad %{{.*}}, %[[A1]] in <backward, layer 1
// UNIFORM-NEXT: tx.gelu_grad %{{.*}}, %[[X1]] in <backward, layer 1
// UNIFORM-NEXT: tx.gelu_grad %{{.*}}, %[[A0]] in <backward, layer 0
// UNIFORM-NOT: recompute

// BLOCK-NOT: recompute, layer {{[12]}}
// BLOCK: recompute, layer 0, "mlp.mlp_act"
// BLOCK-NOT: recompute

// LIST: recompute, layer 2, "mlp.mlp_act"
// LIST: recompute, layer 1, "mlp.mlp_act"
// LIST-NOT: recompute

// SELBLOCK: recompute, layer 1, "mlp.mlp_act"
// SELBLOCK: recompute, layer 0, "mlp.mlp_act"
// SELBLOCK-NOT: recompute

// SELLIST: recompute, layer 2, "mlp.mlp_act"
// SELLIST: recompute, layer 0, "mlp.mlp_act"
// SELLIST-NOT: recompute
