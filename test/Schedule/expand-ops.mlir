// The head becomes chunks of rows: 600 rows of 8 elements and a vocabulary of 40 make chunks of 120 rows rounded up to
// 256, and a last one of 88.
// RUN: tx-opt %s --split-input-file --tx-expand-ops | FileCheck %s
// RUN: tx-opt %s --split-input-file --tx-expand-ops --tx-copy-views --tx-fuse-kernels | FileCheck %s --check-prefix=FUSED

// CHECK-LABEL: func.func @train
// CHECK: %[[DL:.*]] = tx.reduce_loss_grad %{{.*}}, %{{.*}} ignore -100 in <"loss">
// CHECK: %[[X0:.*]] = tx.slice_rows %[[X:.*]] 0 in <"output_layer"> : tensor<2x300x8xf32> -> tensor<256x8xf32>
// CHECK: %[[T0:.*]] = tx.slice_rows %[[T:.*]] 0 in <"loss"> : tensor<2x300xi32> -> tensor<256xi32>
// CHECK: %[[D0:.*]] = tx.slice_rows %[[DL]] 0
// CHECK: %[[L0:.*]] = tx.linear %[[X0]], %[[W:.*]] transposed in <"output_layer"> : tensor<256x8xf32>, tensor<40x8xf32> -> tensor<256x40xf32>
// CHECK: %[[E0:.*]], %[[S0:.*]] = tx.cross_entropy %[[L0]], %[[T0]]
// CHECK: %[[G0:.*]] = tx.cross_entropy_grad %[[D0]], %[[L0]], %[[T0]], %[[S0]] ignore -100 in <"loss">
// CHECK: %[[DX0:.*]] = tx.linear_input_grad %[[G0]], %[[W]] transposed in <"output_layer">
// CHECK: %[[A0:.*]] = tx.linear_weight_grad %[[X0]], %[[G0]] into %{{.*}} transposed reset %{{.*}} in <"output_layer">
// CHECK: tx.slice_rows %[[X]] 256 in
// CHECK: %[[A1:.*]] = tx.linear_weight_grad %{{.*}}, %{{.*}} into %[[A0]] transposed in
// CHECK: tx.slice_rows %[[X]] 512 in <"output_layer"> : tensor<2x300x8xf32> -> tensor<88x8xf32>
// CHECK: %[[A2:.*]] = tx.linear_weight_grad %{{.*}}, %{{.*}} into %[[A1]] transposed in
// CHECK: %[[DX:.*]] = tx.concat_rows %[[DX0]], %{{.*}}, %{{.*}} in <"output_layer"> : tensor<256x8xf32>, tensor<256x8xf32>, tensor<88x8xf32> -> tensor<2x300x8xf32>
// CHECK: %[[LOSSES:.*]] = tx.concat_rows %[[E0]], %{{.*}}, %{{.*}} in <"loss"> : tensor<256xf32>, tensor<256xf32>, tensor<88xf32> -> tensor<2x300xf32>
// CHECK: %[[SUM:.*]], %[[COUNT:.*]] = tx.reduce_loss %[[LOSSES]], %[[T]]
// CHECK: return %[[SUM]], %[[DX]], %[[A2]]

// One kernel of a chunk has its losses and their gradient, and nothing is copied.
// FUSED-LABEL: func.func @train
// FUSED-COUNT-3: step.group row [{{.*}}, 40] in <"loss">
// FUSED-NOT: , 40]
// FUSED-NOT: tx.cast
func.func @train(%x: tensor<2x300x8xf32>, %w: tensor<40x8xf32>, %t: tensor<2x300xi32>, %scale: tensor<f32>, %acc: tensor<40x8xf32>, %first: tensor<i1>)
    -> (tensor<f32>, tensor<2x300x8xf32>, tensor<40x8xf32>) {
  %sum, %count, %dx, %dw = tx.linear_cross_entropy_grad %x, %w, %t scale %scale into %acc reset %first transposed input ignore -100 head "output_layer" in <"loss"> : tensor<2x300x8xf32>, tensor<40x8xf32>, tensor<2x300xi32>, tensor<f32>, tensor<40x8xf32> reset tensor<i1>
  return %sum, %dx, %dw : tensor<f32>, tensor<2x300x8xf32>, tensor<40x8xf32>
}

// -----

// The gradient of bf16's logits, which are f32, is rounded where products read it.
// FUSED-LABEL: func.func @narrow
// CHECK-LABEL: func.func @narrow
// CHECK: %[[L:.*]] = tx.linear %{{.*}} -> tensor<8x7xf32>
// CHECK: %[[G:.*]] = tx.cross_entropy_grad
// CHECK: %[[N:.*]] = tx.cast %[[G]] in <"loss"> : tensor<8x7xf32> to tensor<8x7xbf16>
// CHECK: tx.linear_input_grad %[[N]],
func.func @narrow(%x: tensor<2x4x6xbf16>, %w: tensor<6x7xbf16>, %t: tensor<2x4xi32>, %scale: tensor<f32>) -> (tensor<f32>, tensor<2x4x6xbf16>) {
  %sum, %count, %dx = tx.linear_cross_entropy_grad %x, %w, %t scale %scale input ignore -100 head "output_layer" in <"loss"> : tensor<2x4x6xbf16>, tensor<6x7xbf16>, tensor<2x4xi32>, tensor<f32>
  return %sum, %dx : tensor<f32>, tensor<2x4x6xbf16>
}
