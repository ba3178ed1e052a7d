// What must happen once is never cloned: the policy is refused.
// RUN: not tx-opt %s --tx-rematerialize="granularity=full layers=0" 2>&1 | FileCheck %s

// CHECK: error: recompute policy 'full block': layers.0.mlp.fc1 cannot be recomputed: it has an effect or must happen once; keep what it computes
func.func @step(%losses: tensor<2x4xf32>, %targets: tensor<2x4xi32>) -> tensor<2x4xf32> {
  %sum, %count = tx.reduce_loss %losses, %targets ignore -100 in <layer 0, "mlp.fc1"> : tensor<2x4xf32>, tensor<2x4xi32>
  %d = tx.reduce_loss_grad %sum, %targets ignore -100 in <backward, layer 0, "mlp.fc1"> : tensor<f32>, tensor<2x4xi32>
  return %d : tensor<2x4xf32>
}
