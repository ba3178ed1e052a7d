// Replays of elementwise ops share a kernel with the backward op that reads the same.
// RUN: tx-opt %s --tx-fuse-kernels --split-input-file | FileCheck %s

// The activation is computed again where the gradient that passes through it is there; its weight's gradient comes
// after.
// CHECK-LABEL: func.func @activation
// CHECK: %[[DACT:.*]] = tx.linear_input_grad
// CHECK-NEXT: %[[G:.*]]:2 = step.group row [8, 6]
// CHECK-NEXT: %[[ACT:.*]] = tx.gelu %[[X:.*]] in <recompute
// CHECK-NEXT: %[[DX:.*]] = tx.gelu_grad %{{.*}}, %[[X]]
// CHECK-NEXT: step.yield %[[ACT]], %[[DX]]
// CHECK: tx.linear_weight_grad %{{.*}}, %[[G]]#0
func.func @activation(%x: tensor<2x4x6xf32>, %dy: tensor<2x4x6xf32>, %w: tensor<6x6xf32>, %acc: tensor<6x6xf32>) -> (tensor<6x6xf32>, tensor<2x4x6xf32>) {
  %0 = tx.gelu %x in <recompute, layer 0, "mlp.mlp_act"> : tensor<2x4x6xf32>
  %1 = tx.linear_weight_grad %dy, %0 into %acc in <backward, layer 0, "mlp.fc2"> : tensor<2x4x6xf32>, tensor<2x4x6xf32>, tensor<6x6xf32>
  %2 = tx.linear_input_grad %dy, %w in <backward, layer 0, "mlp.fc2"> : tensor<2x4x6xf32>, tensor<6x6xf32> -> tensor<2x4x6xf32>
  %3 = tx.gelu_grad %2, %x in <backward, layer 0, "mlp.mlp_act"> : tensor<2x4x6xf32>
  return %1, %3 : tensor<6x6xf32>, tensor<2x4x6xf32>
}

// -----

// What the backward op needs cannot wait for it.
// CHECK-LABEL: func.func @needed
// CHECK: step.group row
// CHECK-NEXT: tx.gelu %{{.*}} in <recompute
// CHECK-NEXT: step.yield
// CHECK: tx.linear
// CHECK: step.group row
// CHECK-NEXT: tx.gelu_grad
func.func @needed(%x: tensor<2x4x6xf32>, %w: tensor<6x6xf32>) -> tensor<2x4x6xf32> {
  %0 = tx.gelu %x in <recompute, layer 0, "mlp.mlp_act"> : tensor<2x4x6xf32>
  %1 = tx.linear %0, %w in <recompute, layer 0, "mlp.fc2"> : tensor<2x4x6xf32>, tensor<6x6xf32> -> tensor<2x4x6xf32>
  %2 = tx.gelu_grad %1, %x in <backward, layer 0, "mlp.mlp_act"> : tensor<2x4x6xf32>
  return %2 : tensor<2x4x6xf32>
}

// -----

// A norm sums over its row: it stays where it is first used.
// CHECK-LABEL: func.func @norm
// CHECK: step.group row
// CHECK-NEXT: tx.layer_norm
// CHECK-NEXT: step.yield
// CHECK: tx.linear_weight_grad
func.func @norm(%x: tensor<2x4x6xf32>, %dy: tensor<2x4x6xf32>, %w: tensor<6xf32>, %b: tensor<6xf32>, %m: tensor<2x4xf32>, %s: tensor<2x4xf32>, %acc: tensor<6x6xf32>) -> (tensor<6x6xf32>, tensor<2x4x6xf32>) {
  %y, %mean, %rstd = tx.layer_norm %x, %w, %b eps 1.0e-5 in <recompute, layer 0, "layernorm.input"> : tensor<2x4x6xf32>, tensor<6xf32>
  %1 = tx.linear_weight_grad %dy, %y into %acc in <backward, layer 0, "self_attention.qkv"> : tensor<2x4x6xf32>, tensor<2x4x6xf32>, tensor<6x6xf32>
  %2 = tx.layer_norm_input_grad %dy, %x, %w, %m, %s in <backward, layer 0, "layernorm.input"> : tensor<2x4x6xf32>, tensor<6xf32>, tensor<2x4xf32>
  return %1, %2 : tensor<6x6xf32>, tensor<2x4x6xf32>
}
