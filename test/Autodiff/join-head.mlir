// Head and loss are one op where nobody else reads the logits or the losses.
// RUN: tx-opt %s --split-input-file --tx-join-head | FileCheck %s

// CHECK-LABEL: func.func @joined
// CHECK: %[[X:.*]] = tx.embedding
// CHECK-NEXT: %[[SUM:.*]], %[[COUNT:.*]] = tx.linear_cross_entropy %[[X]], %{{.*}}, %{{.*}} transposed ignore -100 head "output_layer" in <"loss"> : tensor<2x4x6xf32>, tensor<7x6xf32>, tensor<2x4xi32>
// CHECK-NEXT: return %[[SUM]], %[[COUNT]]
tx.global @w parameter : tensor<7x6xf32>
func.func @joined(%tokens: tensor<2x4xi32> {tx.name = "tokens"}, %targets: tensor<2x4xi32> {tx.name = "targets"})
    -> (tensor<f32>, tensor<f32>) attributes {tx.train} {
  %w = tx.load @w : tensor<7x6xf32>
  %x = tx.embedding %tokens, %w in <"embedding"> : tensor<2x4xi32>, tensor<7x6xf32>
  %logits = tx.linear %x, %w transposed in <"output_layer"> : tensor<2x4x6xf32>, tensor<7x6xf32> -> tensor<2x4x7xf32>
  %losses, %stats = tx.cross_entropy %logits, %targets ignore -100 in <"loss"> : tensor<2x4x7xf32>, tensor<2x4xi32>
  %sum, %count = tx.reduce_loss %losses, %targets ignore -100 in <"loss"> : tensor<2x4xf32>, tensor<2x4xi32>
  return %sum, %count : tensor<f32>, tensor<f32>
}

// -----

// Only what is trained changes.
// CHECK-LABEL: func.func @plain
// CHECK: tx.linear %
// CHECK: tx.cross_entropy
func.func @plain(%x: tensor<2x4x6xf32>, %w: tensor<6x7xf32>, %t: tensor<2x4xi32>) -> tensor<f32> {
  %logits = tx.linear %x, %w in <"output_layer"> : tensor<2x4x6xf32>, tensor<6x7xf32> -> tensor<2x4x7xf32>
  %losses, %stats = tx.cross_entropy %logits, %t ignore -100 in <"loss"> : tensor<2x4x7xf32>, tensor<2x4xi32>
  %sum, %count = tx.reduce_loss %losses, %t ignore -100 in <"loss"> : tensor<2x4xf32>, tensor<2x4xi32>
  return %sum : tensor<f32>
}

// -----

// Two losses read the logits.
// CHECK-LABEL: func.func @two_losses
// CHECK-NOT: tx.linear_cross_entropy
tx.global @w parameter : tensor<7x6xf32>
func.func @two_losses(%tokens: tensor<2x4xi32> {tx.name = "tokens"}, %targets: tensor<2x4xi32> {tx.name = "targets"})
    -> (tensor<f32>, tensor<f32>) attributes {tx.train} {
  %w = tx.load @w : tensor<7x6xf32>
  %x = tx.embedding %tokens, %w in <"embedding"> : tensor<2x4xi32>, tensor<7x6xf32>
  %logits = tx.linear %x, %w transposed in <"output_layer"> : tensor<2x4x6xf32>, tensor<7x6xf32> -> tensor<2x4x7xf32>
  %losses, %stats = tx.cross_entropy %logits, %targets ignore -100 in <"loss"> : tensor<2x4x7xf32>, tensor<2x4xi32>
  %others, %stats2 = tx.cross_entropy %logits, %tokens ignore -100 in <"loss2"> : tensor<2x4x7xf32>, tensor<2x4xi32>
  %sum, %count = tx.reduce_loss %losses, %targets ignore -100 in <"loss"> : tensor<2x4xf32>, tensor<2x4xi32>
  %sum2, %count2 = tx.reduce_loss %others, %tokens ignore -100 in <"loss2"> : tensor<2x4xf32>, tensor<2x4xi32>
  %all = tx.add %sum, %sum2 in <"loss"> : tensor<f32>
  return %all, %count : tensor<f32>, tensor<f32>
}

// -----

// A bias, another ignored id, and logits that are rounded to bf16 are other losses.
// CHECK-LABEL: func.func @others
// CHECK-NOT: tx.linear_cross_entropy
tx.global @w parameter : tensor<7x6xf32>
tx.global @b parameter : tensor<7xf32>
tx.global @n parameter : tensor<7x6xbf16>
func.func @others(%tokens: tensor<2x4xi32> {tx.name = "tokens"}, %targets: tensor<2x4xi32> {tx.name = "targets"})
    -> (tensor<f32>, tensor<f32>) attributes {tx.train} {
  %w = tx.load @w : tensor<7x6xf32>
  %b = tx.load @b : tensor<7xf32>
  %n = tx.load @n : tensor<7x6xbf16>
  %x = tx.embedding %tokens, %w in <"embedding"> : tensor<2x4xi32>, tensor<7x6xf32>
  %y = tx.cast %x in <"embedding"> : tensor<2x4x6xf32> to tensor<2x4x6xbf16>
  %l1 = tx.linear %x, %w transposed bias %b in <"head1"> : tensor<2x4x6xf32>, tensor<7x6xf32>, tensor<7xf32> -> tensor<2x4x7xf32>
  %e1, %s1 = tx.cross_entropy %l1, %targets ignore -100 in <"loss"> : tensor<2x4x7xf32>, tensor<2x4xi32>
  %sum1, %count1 = tx.reduce_loss %e1, %targets ignore -100 in <"loss"> : tensor<2x4xf32>, tensor<2x4xi32>
  %l2 = tx.linear %x, %w transposed in <"head2"> : tensor<2x4x6xf32>, tensor<7x6xf32> -> tensor<2x4x7xf32>
  %e2, %s2 = tx.cross_entropy %l2, %targets ignore -100 in <"loss"> : tensor<2x4x7xf32>, tensor<2x4xi32>
  %sum2, %count2 = tx.reduce_loss %e2, %targets ignore 0 in <"loss"> : tensor<2x4xf32>, tensor<2x4xi32>
  %l3 = tx.linear %y, %n transposed in <"head3"> : tensor<2x4x6xbf16>, tensor<7x6xbf16> -> tensor<2x4x7xbf16>
  %e3, %s3 = tx.cross_entropy %l3, %targets ignore -100 in <"loss"> : tensor<2x4x7xbf16>, tensor<2x4xi32>
  %sum3, %count3 = tx.reduce_loss %e3, %targets ignore -100 in <"loss"> : tensor<2x4xf32>, tensor<2x4xi32>
  %some = tx.add %sum1, %sum2 in <"loss"> : tensor<f32>
  %all = tx.add %some, %sum3 in <"loss"> : tensor<f32>
  return %all, %count1 : tensor<f32>, tensor<f32>
}
