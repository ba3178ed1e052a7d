// Functions have the names that they have; a kernel takes another one.
// RUN: tx-opt %s --tx-fuse-kernels --tx-place-memory --tx-lower-to-step | FileCheck %s

// CHECK: step.kernel @row0_gelu__ row
// CHECK: step.entry @row0_gelu
// CHECK: step.launch 0 @row0_gelu__
// CHECK: step.entry @row0_gelu_
func.func @row0_gelu(%x: tensor<2x4x6xf32>) -> tensor<2x4x6xf32> {
  %y = tx.gelu %x in <"a"> : tensor<2x4x6xf32>
  return %y : tensor<2x4x6xf32>
}
func.func @row0_gelu_(%x: tensor<2x4x6xf32>) -> tensor<2x4x6xf32> {
  %y = tx.gelu %x in <"a"> : tensor<2x4x6xf32>
  return %y : tensor<2x4x6xf32>
}
