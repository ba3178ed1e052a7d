// What one kernel computes: ops of one nest that feed each other.
// RUN: tx-opt %s --tx-fuse-kernels --split-input-file | FileCheck %s
// RUN: tx-opt %s --tx-fuse-kernels --tx-fuse-kernels --split-input-file | FileCheck %s

// Dropout, residual and norm join; only the residual and the norm's results, which are used outside, leave the kernel.
// CHECK-LABEL: func.func @chain
// CHECK: %[[G:.*]]:2 = step.group row [8, 6]
// CHECK-NEXT: %[[D:.*]] = tx.dropout
// CHECK-NEXT: %[[R:.*]] = tx.add
// CHECK-NEXT: %[[Y:.*]], %{{.*}}, %{{.*}} = tx.layer_norm %[[R]]
// CHECK-NEXT: step.yield %[[R]], %[[Y]]
// CHECK: return %[[G]]#0, %[[G]]#1
func.func @chain(%x: tensor<2x4x6xf32>, %r: tensor<2x4x6xf32>, %key: tensor<4xi32>, %w: tensor<6xf32>, %b: tensor<6xf32>) -> (tensor<2x4x6xf32>, tensor<2x4x6xf32>) {
  %0 = tx.dropout %x, %key p 0.1 in <layer 0, "residual"> : tensor<2x4x6xf32>, tensor<4xi32>
  %1 = tx.add %0, %r in <layer 0, "residual"> : tensor<2x4x6xf32>
  %y, %mean, %rstd = tx.layer_norm %1, %w, %b eps 1.0e-5 in <layer 0, "layernorm.input"> : tensor<2x4x6xf32>, tensor<6xf32>
  return %1, %y : tensor<2x4x6xf32>, tensor<2x4x6xf32>
}

// -----

// Recompute and backward share kernels; forward never joins them.
// CHECK-LABEL: func.func @segments
// CHECK: step.group row [8, 8] in <layer 0, "mlp.mlp_act">
// CHECK-NEXT: tx.gelu %{{.*}} in <layer 0, "mlp.mlp_act">
// CHECK-NEXT: step.yield
// CHECK: step.group row [8, 8]
// CHECK-NEXT: tx.gelu %{{.*}} in <recompute, layer 0, "mlp.mlp_act">
// CHECK-NEXT: tx.add %{{.*}} in <backward
func.func @segments(%x: tensor<2x4x8xf32>, %d: tensor<2x4x8xf32>) -> (tensor<2x4x8xf32>, tensor<2x4x8xf32>) {
  %0 = tx.gelu %x in <layer 0, "mlp.mlp_act"> : tensor<2x4x8xf32>
  %1 = tx.gelu %x in <recompute, layer 0, "mlp.mlp_act"> : tensor<2x4x8xf32>
  %2 = tx.add %1, %d in <backward, layer 0, "mlp.mlp_act"> : tensor<2x4x8xf32>
  return %0, %2 : tensor<2x4x8xf32>, tensor<2x4x8xf32>
}

// -----

// An operand that is computed after the group's place keeps an op out.
// CHECK-LABEL: func.func @late_operand
// CHECK: step.group row [8, 6]
// CHECK-NEXT: tx.gelu
// CHECK-NEXT: step.yield
// CHECK: tx.linear
// CHECK: step.group row [8, 6]
// CHECK-NEXT: tx.add
func.func @late_operand(%x: tensor<2x4x6xf32>, %w: tensor<6x6xf32>) -> tensor<2x4x6xf32> {
  %0 = tx.gelu %x in <"a"> : tensor<2x4x6xf32>
  %1 = tx.linear %0, %w in <"b"> : tensor<2x4x6xf32>, tensor<6x6xf32> -> tensor<2x4x6xf32>
  %2 = tx.add %0, %1 in <"c"> : tensor<2x4x6xf32>
  return %2 : tensor<2x4x6xf32>
}

// -----

// Column reductions of one gradient share a pass over it; a reduction never joins the one whose accumulator it
// continues.
// CHECK-LABEL: func.func @columns
// CHECK: step.group column [8, 6]
// CHECK-NEXT: tx.bias_grad
// CHECK-NEXT: tx.layer_norm_weight_grad
// CHECK: step.group column [8, 6]
// CHECK-NEXT: tx.bias_grad
func.func @columns(%dy: tensor<2x4x6xf32>, %x: tensor<2x4x6xf32>, %mean: tensor<2x4xf32>, %a: tensor<6xf32>, %b: tensor<6xf32>, %c: tensor<6xf32>) -> (tensor<6xf32>, tensor<6xf32>, tensor<6xf32>) {
  %0 = tx.bias_grad %dy into %a in <backward, "a"> : tensor<2x4x6xf32>, tensor<6xf32>
  %1, %2 = tx.layer_norm_weight_grad %dy, %x, %mean, %mean into %b, %c in <backward, "n"> : tensor<2x4x6xf32>, tensor<2x4xf32>, tensor<6xf32>, tensor<6xf32>
  %3 = tx.bias_grad %dy into %0 in <backward, "a"> : tensor<2x4x6xf32>, tensor<6xf32>
  return %3, %1, %2 : tensor<6xf32>, tensor<6xf32>, tensor<6xf32>
}

// -----

// Sums of parts of the rows are in the kernel that reads the rows anyway.
// CHECK-LABEL: func.func @parts
// CHECK: step.group row [8, 6]
// CHECK-NEXT: tx.layer_norm_partial_grad
// CHECK-NEXT: tx.layer_norm_input_grad
// CHECK-NEXT: tx.add
// CHECK: step.group column [2, 6]
// CHECK-NEXT: tx.add_parts
func.func @parts(%dy: tensor<2x4x6xf32>, %x: tensor<2x4x6xf32>, %r: tensor<2x4x6xf32>, %s: tensor<2x4xf32>, %w: tensor<6xf32>) -> (tensor<2x4x6xf32>, tensor<6xf32>, tensor<6xf32>) {
  %pw, %pb = tx.layer_norm_partial_grad %dy, %x, %s, %s in <backward, "n"> : tensor<2x4x6xf32>, tensor<2x4xf32> -> tensor<2x6xf32>
  %g:2 = tx.add_parts %pw, %pb into %w, %w in <backward, "n"> : tensor<2x6xf32>, tensor<2x6xf32> into tensor<6xf32>, tensor<6xf32>
  %dx = tx.layer_norm_input_grad %dy, %x, %w, %s, %s in <backward, "n"> : tensor<2x4x6xf32>, tensor<6xf32>, tensor<2x4xf32>
  %sum = tx.add %dx, %r in <backward, "n"> : tensor<2x4x6xf32>
  return %sum, %g#0, %g#1 : tensor<2x4x6xf32>, tensor<6xf32>, tensor<6xf32>
}

// -----

// Another space is another kernel: columns differ.
// CHECK-LABEL: func.func @spaces
// CHECK: step.group row [8, 6]
// CHECK-NEXT: tx.gelu
// CHECK-NEXT: step.yield
// CHECK: step.group row [1, 8]
func.func @spaces(%x: tensor<2x4x6xf32>, %s: tensor<f32>, %t: tensor<2x4xi32>) -> (tensor<2x4x6xf32>, tensor<2x4xf32>) {
  %0 = tx.gelu %x in <"a"> : tensor<2x4x6xf32>
  %1 = tx.reduce_loss_grad %s, %t ignore -100 in <"a"> : tensor<f32>, tensor<2x4xi32>
  return %0, %1 : tensor<2x4x6xf32>, tensor<2x4xf32>
}

// -----

// A row of one column and a number of a row look alike: the loss has the latter, its sum takes the former.
// CHECK-LABEL: func.func @one_column
// CHECK: step.group row [1, 1]
// CHECK-NEXT: tx.cross_entropy
// CHECK-NEXT: step.yield
// CHECK: step.group row [1, 1]
// CHECK-NEXT: tx.reduce_loss
func.func @one_column(%x: tensor<1x1x1xf32>, %t: tensor<1x1xi32>) -> (tensor<f32>, tensor<f32>) {
  %losses, %stats = tx.cross_entropy %x, %t ignore -100 in <"loss"> : tensor<1x1x1xf32>, tensor<1x1xi32>
  %sum, %count = tx.reduce_loss %losses, %t ignore -100 in <"loss"> : tensor<1x1xf32>, tensor<1x1xi32>
  return %sum, %count : tensor<f32>, tensor<f32>
}

// Of samples with one row each the chosen rows have the space of all rows, yet they are chosen from memory.
// CHECK-LABEL: func.func @chosen_rows
// CHECK: step.group row [2, 6] {{.*}} {
// CHECK-NEXT: tx.gelu
// CHECK-NEXT: step.yield
// CHECK: step.group row [2, 6] {{.*}} {
// CHECK-NEXT: tx.select_rows
func.func @chosen_rows(%x: tensor<2x1x6xf32>, %rows: tensor<2xi32>) -> tensor<2x6xf32> {
  %y = tx.gelu %x in <"mlp_act"> : tensor<2x1x6xf32>
  %z = tx.select_rows %y, %rows in <"output_layer"> : tensor<2x1x6xf32>, tensor<2xi32>
  return %z : tensor<2x6xf32>
}
