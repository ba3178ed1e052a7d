// The fused classifier: loss and dlogits by one kernel, in forward.
// RUN: tx-opt %s --tx-fuse-kernels --split-input-file | FileCheck %s

// CHECK-LABEL: func.func @classifier
// CHECK: %[[SCALE:.*]] = step.group row [1, 8]
// CHECK-NEXT: tx.reduce_loss_grad
// CHECK: step.group row [8, 6] in <{{.*}}"loss">
// CHECK-NEXT: %[[LOSSES:.*]], %[[LSE:.*]] = tx.cross_entropy %[[LOGITS:[^,]*]],
// CHECK-NEXT: %[[D:.*]] = tx.cross_entropy_grad %{{.*}}, %[[LOGITS]], %{{.*}}, %[[LSE]]
// CHECK-NEXT: step.yield %[[LOSSES]], %[[D]]
// CHECK: tx.reduce_loss
func.func @classifier(%x: tensor<2x4x6xf32>, %w: tensor<6x6xf32>, %targets: tensor<2x4xi32>, %scale: tensor<f32>) -> (tensor<f32>, tensor<f32>, tensor<2x4x6xf32>) {
  %logits = tx.linear %x, %w in <"output_layer"> : tensor<2x4x6xf32>, tensor<6x6xf32> -> tensor<2x4x6xf32>
  %losses, %lse = tx.cross_entropy %logits, %targets ignore -100 in <"loss"> : tensor<2x4x6xf32>, tensor<2x4xi32>
  %sum, %count = tx.reduce_loss %losses, %targets ignore -100 in <"loss"> : tensor<2x4xf32>, tensor<2x4xi32>
  %dlosses = tx.reduce_loss_grad %scale, %targets ignore -100 in <backward, "loss"> : tensor<f32>, tensor<2x4xi32>
  %dlogits = tx.cross_entropy_grad %dlosses, %logits, %targets, %lse ignore -100 in <backward, "loss"> : tensor<2x4xf32>, tensor<2x4x6xf32>, tensor<2x4xi32>
  return %sum, %count, %dlogits : tensor<f32>, tensor<f32>, tensor<2x4x6xf32>
}

// -----

// A gradient that backward computes stays there.
// CHECK-LABEL: func.func @weighted
// CHECK: step.group row [8, 6]
// CHECK-NEXT: tx.cross_entropy
// CHECK-NEXT: step.yield
// CHECK: step.group row [8, 6]
// CHECK-NEXT: tx.cross_entropy_grad
func.func @weighted(%logits: tensor<2x4x6xf32>, %targets: tensor<2x4xi32>) -> tensor<2x4x6xf32> {
  %losses, %lse = tx.cross_entropy %logits, %targets ignore -100 in <"loss"> : tensor<2x4x6xf32>, tensor<2x4xi32>
  %dlosses = tx.add %losses, %losses in <backward, "loss"> : tensor<2x4xf32>
  %dlogits = tx.cross_entropy_grad %dlosses, %logits, %targets, %lse ignore -100 in <backward, "loss"> : tensor<2x4xf32>, tensor<2x4x6xf32>, tensor<2x4xi32>
  return %dlogits : tensor<2x4x6xf32>
}
