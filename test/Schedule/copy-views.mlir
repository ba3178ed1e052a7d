// RUN: tx-opt %s --split-input-file --tx-copy-views | FileCheck %s
// RUN: tx-opt %s --split-input-file --tx-copy-views --tx-fuse-kernels --tx-place-memory --tx-verify-placement > %t

// What is in two places is computed in one and copied to the other.
// CHECK-LABEL: func.func @twice
// CHECK: %[[Y:.*]] = tx.gelu
// CHECK-NEXT: %[[COPY:.*]] = tx.cast %[[Y]] in <"b"> : tensor<2x4x6xf32> to tensor<2x4x6xf32>
// CHECK-NEXT: tx.concat %[[Y]], %[[COPY]]
func.func @twice(%x: tensor<2x4x6xf32>) -> tensor<2x4x12xf32> {
  %y = tx.gelu %x in <"a"> : tensor<2x4x6xf32>
  %z = tx.concat %y, %y in <"b"> : tensor<2x4x6xf32>, tensor<2x4x6xf32>
  return %z : tensor<2x4x12xf32>
}

// -----

// Arguments and slices lie where they lie.
// CHECK-LABEL: func.func @elsewhere
// CHECK-SAME: %[[X:.*]]: tensor<2x4x6xf32>
// CHECK: %[[PART:.*]] = tx.slice %[[X]] 2 size 3
// CHECK-DAG: %[[WHOLE_COPY:.*]] = tx.cast %[[X]]
// CHECK-DAG: %[[PART_COPY:.*]] = tx.cast %[[PART]]
// CHECK: tx.concat %[[PART_COPY]], %[[WHOLE_COPY]]
func.func @elsewhere(%x: tensor<2x4x6xf32>) -> tensor<2x4x9xf32> {
  %part = tx.slice %x 2 size 3 in <"a"> : tensor<2x4x6xf32>
  %z = tx.concat %part, %x in <"b"> : tensor<2x4x3xf32>, tensor<2x4x6xf32>
  return %z : tensor<2x4x9xf32>
}

// -----

// The parts of an attention's gradient are written in place: its kernels and products take rows apart.
// CHECK-LABEL: func.func @in_place
// CHECK-NOT: tx.cast
func.func @in_place(%q: tensor<2x4x6xf32>, %p: tensor<2x2x4x4xf32>, %w: tensor<6x12xf32>) -> tensor<2x4x6xf32> {
  %a = tx.attention_context %p, %q in <"a"> : tensor<2x2x4x4xf32>, tensor<2x4x6xf32>
  %b = tx.gelu %q in <"a"> : tensor<2x4x6xf32>
  %z = tx.concat %a, %b in <"b"> : tensor<2x4x6xf32>, tensor<2x4x6xf32>
  %dx = tx.linear_input_grad %z, %w in <"b"> : tensor<2x4x12xf32>, tensor<6x12xf32> -> tensor<2x4x6xf32>
  return %dx : tensor<2x4x6xf32>
}

// -----

// A sum over all losses takes them as one row, and who calls a function takes whole tensors.
// CHECK-LABEL: func.func @contiguous
// CHECK: %[[PART:.*]] = tx.slice
// CHECK-NEXT: %[[COPY:.*]] = tx.cast %[[PART]] in <"loss">
// CHECK-NEXT: tx.reduce_loss %[[COPY]]
// CHECK-NEXT: %[[RESULT:.*]] = tx.cast %[[PART]] in <"a">
// CHECK-NEXT: return %{{.*}}, %[[RESULT]]
func.func @contiguous(%x: tensor<2x6xf32>, %t: tensor<2x3xi32>) -> (tensor<f32>, tensor<2x3xf32>) {
  %part = tx.slice %x 2 size 3 in <"a"> : tensor<2x6xf32>
  %sum, %count = tx.reduce_loss %part, %t ignore -100 in <"loss"> : tensor<2x3xf32>, tensor<2x3xi32>
  return %sum, %part : tensor<f32>, tensor<2x3xf32>
}

// -----

// Numbers for each row are written one behind another.
// CHECK-LABEL: func.func @numbers
// CHECK: %[[LOSSES:.*]], %{{.*}} = tx.cross_entropy
// CHECK: %[[COPY:.*]] = tx.cast %[[LOSSES]]
// CHECK: tx.concat %{{.*}}, %[[COPY]]
func.func @numbers(%x: tensor<2x4x6xf32>, %y: tensor<2x4xf32>, %t: tensor<2x4xi32>) -> tensor<2x8xf32> {
  %losses, %stats = tx.cross_entropy %x, %t ignore -100 in <"loss"> : tensor<2x4x6xf32>, tensor<2x4xi32>
  %g = tx.gelu %y in <"a"> : tensor<2x4xf32>
  %z = tx.concat %g, %losses in <"b"> : tensor<2x4xf32>, tensor<2x4xf32>
  return %z : tensor<2x8xf32>
}

// -----

// One row is where its columns are.
// CHECK-LABEL: func.func @one_row
// CHECK-NOT: tx.cast
func.func @one_row(%x: tensor<1x6xf32>, %t: tensor<1x3xi32>) -> (tensor<f32>) {
  %part = tx.slice %x 2 size 3 in <"a"> : tensor<1x6xf32>
  %sum, %count = tx.reduce_loss %part, %t ignore -100 in <"loss"> : tensor<1x3xf32>, tensor<1x3xi32>
  return %sum : tensor<f32>
}

// -----

// Rows are written one behind another; what lies elsewhere is copied.
// CHECK-LABEL: func.func @rows
// CHECK-SAME: %[[X:.*]]: tensor<3x6xf32>
// CHECK: %[[Y:.*]] = tx.gelu %[[X]]
// CHECK: %[[COPY:.*]] = tx.cast %[[X]] in <"b">
// CHECK: tx.concat_rows %[[Y]], %[[COPY]]
func.func @rows(%x: tensor<3x6xf32>) -> tensor<2x3x6xf32> {
  %y = tx.gelu %x in <"a"> : tensor<3x6xf32>
  %z = tx.concat_rows %y, %x in <"b"> : tensor<3x6xf32>, tensor<3x6xf32> -> tensor<2x3x6xf32>
  return %z : tensor<2x3x6xf32>
}

// -----

// Rows of columns do not follow each other.
// CHECK-LABEL: func.func @rows_of_columns
// CHECK: %[[PART:.*]] = tx.slice
// CHECK: %[[COPY:.*]] = tx.cast %[[PART]]
// CHECK: tx.slice_rows %[[COPY]]
func.func @rows_of_columns(%x: tensor<4x6xf32>) -> tensor<2x3xf32> {
  %part = tx.slice %x 1 size 3 in <"a"> : tensor<4x6xf32>
  %rows = tx.slice_rows %part 1 in <"b"> : tensor<4x3xf32> -> tensor<2x3xf32>
  %y = tx.gelu %rows in <"b"> : tensor<2x3xf32>
  return %y : tensor<2x3xf32>
}
