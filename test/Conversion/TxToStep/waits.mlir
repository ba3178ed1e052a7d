// Kernels and products are one lane, collectives another; who touches what the other lane works on waits for it.
// RUN: tx-opt %s --tx-fuse-kernels --tx-place-memory --tx-verify-placement --tx-lower-to-step | FileCheck %s

tx.mesh_axis @dp size 2

// The second product is computed beside the sum of the first; the last launch has both.
// CHECK-LABEL: step.entry @beside
// CHECK: step.gemm 0 in <"a"> m
// CHECK: step.collective 1 all_reduce in <"a"> waits [0] axis
// CHECK: step.gemm 2 in <"b"> m
// CHECK: step.launch 3 @row{{[0-9]+}}_add in <"c"> waits [1] flops
func.func @beside(%x: tensor<8x6xf32>, %v: tensor<6x6xf32>, %w: tensor<6x6xf32>) -> tensor<8x6xf32> {
  %a = tx.linear %x, %v in <"a"> : tensor<8x6xf32>, tensor<6x6xf32> -> tensor<8x6xf32>
  %sum = tx.all_reduce %a on @dp in <"a"> : tensor<8x6xf32>
  %b = tx.linear %x, %w in <"b"> : tensor<8x6xf32>, tensor<6x6xf32> -> tensor<8x6xf32>
  %c = tx.add %sum, %b in <"c"> : tensor<8x6xf32>
  return %c : tensor<8x6xf32>
}

// Waits are within an entry, and have the launches' numbers in the program.
// CHECK-LABEL: step.entry @numbers
// CHECK: step.launch 4 @row{{[0-9]+}}_gelu in <"a"> flops
// CHECK: step.collective 5 all_reduce in <"a"> waits [4] axis
// CHECK: step.launch 6 @row{{[0-9]+}}_gelu in <"b"> waits [5] flops
func.func @numbers(%x: tensor<8x6xf32>) -> tensor<8x6xf32> {
  %a = tx.gelu %x in <"a"> : tensor<8x6xf32>
  %sum = tx.all_reduce %a on @dp in <"a"> : tensor<8x6xf32>
  %b = tx.gelu %sum in <"b"> : tensor<8x6xf32>
  return %b : tensor<8x6xf32>
}

// One lane alone has no waits.
// CHECK-LABEL: step.entry @alone
// CHECK-NOT: waits
func.func @alone(%x: tensor<8x6xf32>, %w: tensor<6x6xf32>) -> tensor<8x6xf32> {
  %a = tx.gelu %x in <"a"> : tensor<8x6xf32>
  %b = tx.linear %a, %w in <"b"> : tensor<8x6xf32>, tensor<6x6xf32> -> tensor<8x6xf32>
  return %b : tensor<8x6xf32>
}
