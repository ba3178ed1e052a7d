// The head with its loss becomes its training form in forward, which gives x's gradient and continues the accumulator;
// backward continues this where the weight is the embedding's too.
// RUN: tx-opt %s --split-input-file --tx-autodiff --tx-verify-joint | FileCheck %s

// CHECK-LABEL: func.func @microbatch
// CHECK-SAME: %[[SCALE:[^:]*]]: tensor<f32> {tx.name = "loss_scale"}, %[[FIRST:[^:]*]]: tensor<i1> {tx.name = "first"})
// CHECK: %[[ACC:.*]] = tx.load @w.grad
// CHECK: %[[SUM:.*]], %[[COUNT:.*]], %[[G:.*]]:2 = tx.linear_cross_entropy_grad %{{.*}}, %{{.*}}, %{{.*}} scale %[[SCALE]] into %[[ACC]] reset %[[FIRST]] transposed input ignore -100 head "output_layer" in <"loss">
// CHECK-NEXT: %[[DX:.*]] = tx.gelu_grad %[[G]]#0,
// CHECK-NEXT: %[[DW:.*]] = tx.embedding_weight_grad %{{.*}}, %[[DX]] into %[[G]]#1 in
// CHECK-NEXT: tx.store %[[DW]], @w.grad
// CHECK-NEXT: return %[[SUM]], %[[COUNT]]
tx.global @w parameter : tensor<7x6xf32>
func.func @loss(%tokens: tensor<2x4xi32> {tx.name = "tokens"}, %targets: tensor<2x4xi32> {tx.name = "targets"})
    -> (tensor<f32>, tensor<f32>) attributes {tx.train} {
  %w = tx.load @w : tensor<7x6xf32>
  %x = tx.embedding %tokens, %w in <"embedding"> : tensor<2x4xi32>, tensor<7x6xf32>
  %y = tx.gelu %x in <layer 0, "mlp.mlp_act"> : tensor<2x4x6xf32>
  %sum, %count = tx.linear_cross_entropy %y, %w, %targets transposed ignore -100 head "output_layer" in <"loss"> : tensor<2x4x6xf32>, tensor<7x6xf32>, tensor<2x4xi32>
  return %sum, %count : tensor<f32>, tensor<f32>
}

// -----

// Where only x, or only the weight, has a gradient, there is no other.
// CHECK-LABEL: func.func @microbatch
// CHECK: tx.linear_cross_entropy_grad %[[X:.*]], %{{.*}}, %{{.*}} scale %{{.*}} into %{{.*}} reset %{{.*}} ignore -100 head "output_layer" in <"loss">
// CHECK-NEXT: tx.store
tx.global @w parameter : tensor<6x7xf32>
func.func @loss(%x: tensor<2x4x6xf32> {tx.name = "x"}, %targets: tensor<2x4xi32> {tx.name = "targets"})
    -> (tensor<f32>, tensor<f32>) attributes {tx.train} {
  %w = tx.load @w : tensor<6x7xf32>
  %sum, %count = tx.linear_cross_entropy %x, %w, %targets ignore -100 head "output_layer" in <"loss"> : tensor<2x4x6xf32>, tensor<6x7xf32>, tensor<2x4xi32>
  return %sum, %count : tensor<f32>, tensor<f32>
}

// -----

// CHECK-LABEL: func.func @microbatch
// CHECK: %{{.*}}, %{{.*}}, %[[DX:.*]] = tx.linear_cross_entropy_grad %{{.*}}, %[[HEAD:.*]], %{{.*}} scale %{{.*}} input ignore -100
// CHECK-NEXT: tx.embedding_weight_grad %{{.*}}, %[[DX]] into
tx.global @table parameter : tensor<7x6xf32>
func.func @loss(%tokens: tensor<2x4xi32> {tx.name = "tokens"}, %targets: tensor<2x4xi32> {tx.name = "targets"}, %head: tensor<6x7xf32> {tx.name = "head"})
    -> (tensor<f32>, tensor<f32>) attributes {tx.train} {
  %w = tx.load @table : tensor<7x6xf32>
  %x = tx.embedding %tokens, %w in <"embedding"> : tensor<2x4xi32>, tensor<7x6xf32>
  %sum, %count = tx.linear_cross_entropy %x, %head, %targets ignore -100 head "output_layer" in <"loss"> : tensor<2x4x6xf32>, tensor<6x7xf32>, tensor<2x4xi32>
  return %sum, %count : tensor<f32>, tensor<f32>
}

// -----

// What the sum's gradient is, backward alone knows: the logits are computed there once more.
// CHECK-LABEL: func.func @microbatch
// CHECK: %[[A:.*]], %{{.*}} = tx.linear_cross_entropy %
// CHECK: tx.add %[[A]],
// CHECK: %[[DA:.*]] = tx.gelu_grad
// CHECK: %[[DSUM:.*]] = tx.add
// CHECK: tx.linear_cross_entropy_grad %{{.*}} scale %[[DSUM]] into %{{.*}} in <backward, "loss">
tx.global @w parameter : tensor<7x6xf32>
func.func @loss(%tokens: tensor<2x4xi32> {tx.name = "tokens"}, %targets: tensor<2x4xi32> {tx.name = "targets"})
    -> (tensor<f32>, tensor<f32>) attributes {tx.train} {
  %w = tx.load @w : tensor<7x6xf32>
  %x = tx.embedding %tokens, %w in <"embedding"> : tensor<2x4xi32>, tensor<7x6xf32>
  %a, %count = tx.linear_cross_entropy %x, %w, %targets transposed ignore -100 head "output_layer" in <"loss"> : tensor<2x4x6xf32>, tensor<7x6xf32>, tensor<2x4xi32>
  %g = tx.gelu %a in <"loss"> : tensor<f32>
  %sum = tx.add %a, %g in <"loss"> : tensor<f32>
  return %sum, %count : tensor<f32>, tensor<f32>
}
