// What the readers of an argument take as ids is what a caller may give.
// RUN: tx-opt %s --tx-fuse-kernels --tx-place-memory --tx-lower-to-step | FileCheck %s

tx.global @wide parameter : tensor<9x6xf32>
tx.global @narrow parameter : tensor<7x6xf32>
tx.global @narrow.grad gradient of @narrow : tensor<7x6xf32>

// Through the group that a kernel became; the smallest table counts.
// CHECK: step.entry @embed (tokens<argument, 0x0, tensor<2x4xi32>> ids<below = 7>, more<argument, 0x40, tensor<2x4xi32>> ids<below = 9>)
func.func @embed(%tokens: tensor<2x4xi32> {tx.name = "tokens"}, %more: tensor<2x4xi32> {tx.name = "more"}) -> tensor<2x4x6xf32> {
  %w = tx.load @wide : tensor<9x6xf32>
  %n = tx.load @narrow : tensor<7x6xf32>
  %0 = tx.embedding %tokens, %w in <"a"> : tensor<2x4xi32>, tensor<9x6xf32>
  %1 = tx.embedding %tokens, %n in <"b"> : tensor<2x4xi32>, tensor<7x6xf32>
  %2 = tx.embedding %more, %w in <"c"> : tensor<2x4xi32>, tensor<9x6xf32>
  %3 = tx.add %0, %1 in <"d"> : tensor<2x4x6xf32>
  %4 = tx.add %3, %2 in <"e"> : tensor<2x4x6xf32>
  return %4 : tensor<2x4x6xf32>
}

// CHECK: step.entry @gradient (tokens<argument, 0x0, tensor<2x4xi32>> ids<below = 7>, dy<argument, {{0x[0-9a-f]+}}, tensor<2x4x6xf32>>)
func.func @gradient(%tokens: tensor<2x4xi32> {tx.name = "tokens"}, %dy: tensor<2x4x6xf32> {tx.name = "dy"}) {
  %acc = tx.load @narrow.grad : tensor<7x6xf32>
  %0 = tx.embedding_weight_grad %tokens, %dy into %acc in <backward, "a"> : tensor<2x4xi32>, tensor<2x4x6xf32>, tensor<7x6xf32>
  tx.store %0, @narrow.grad : tensor<7x6xf32>
  return
}

// A target may be the ignored one, where all readers leave it out.
// CHECK: step.entry @loss ({{.*}}, targets<argument, {{0x[0-9a-f]+}}, tensor<2x4xi32>> ids<below = 5, ignored = -100>)
func.func @loss(%logits: tensor<2x4x5xf32> {tx.name = "logits"}, %targets: tensor<2x4xi32> {tx.name = "targets"}) -> (tensor<f32>, tensor<f32>) {
  %losses, %lse = tx.cross_entropy %logits, %targets ignore -100 in <"loss"> : tensor<2x4x5xf32>, tensor<2x4xi32>
  %sum, %count = tx.reduce_loss %losses, %targets ignore -100 in <"loss"> : tensor<2x4xf32>, tensor<2x4xi32>
  return %sum, %count : tensor<f32>, tensor<f32>
}

// CHECK: step.entry @two_losses ({{.*}}, targets<argument, {{0x[0-9a-f]+}}, tensor<2x4xi32>> ids<below = 5>)
func.func @two_losses(%logits: tensor<2x4x5xf32> {tx.name = "logits"}, %targets: tensor<2x4xi32> {tx.name = "targets"}) -> (tensor<f32>, tensor<f32>) {
  %losses, %lse = tx.cross_entropy %logits, %targets ignore -100 in <"loss"> : tensor<2x4x5xf32>, tensor<2x4xi32>
  %sum, %count = tx.reduce_loss %losses, %targets ignore -1 in <"loss"> : tensor<2x4xf32>, tensor<2x4xi32>
  return %sum, %count : tensor<f32>, tensor<f32>
}

// A padded token would be looked up.
// CHECK: step.entry @both ({{.*}}, targets<argument, {{0x[0-9a-f]+}}, tensor<2x4xi32>> ids<below = 5>)
func.func @both(%logits: tensor<2x4x5xf32> {tx.name = "logits"}, %targets: tensor<2x4xi32> {tx.name = "targets"}) -> (tensor<2x4xf32>, tensor<2x4x6xf32>) {
  %w = tx.load @wide : tensor<9x6xf32>
  %losses, %lse = tx.cross_entropy %logits, %targets ignore -100 in <"loss"> : tensor<2x4x5xf32>, tensor<2x4xi32>
  %0 = tx.embedding %targets, %w in <"a"> : tensor<2x4xi32>, tensor<9x6xf32>
  return %losses, %0 : tensor<2x4xf32>, tensor<2x4x6xf32>
}

// CHECK: step.entry @none (key<argument, 0x0, tensor<4xi32>>, {{.*}})
func.func @none(%key: tensor<4xi32> {tx.name = "key"}, %x: tensor<2x4x6xf32> {tx.name = "x"}) -> tensor<2x4x6xf32> {
  %0 = tx.dropout %x, %key p 0.1 in <"a"> : tensor<2x4x6xf32>, tensor<4xi32>
  return %0 : tensor<2x4x6xf32>
}
