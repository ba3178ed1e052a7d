// A kernel takes no more buffers than it is allowed.
// RUN: tx-opt %s --pass-pipeline='builtin.module(func.func(tx-fuse-kernels{max-buffers=3}))' | FileCheck %s

// CHECK: step.group
// CHECK-NEXT: tx.add
// CHECK-NEXT: step.yield
// CHECK: step.group
// CHECK-NEXT: tx.add
func.func @f(%x: tensor<2x6xf32>, %y: tensor<2x6xf32>, %z: tensor<2x6xf32>) -> tensor<2x6xf32> {
  %0 = tx.add %x, %y in <"a"> : tensor<2x6xf32>
  %1 = tx.add %0, %z in <"a"> : tensor<2x6xf32>
  return %1 : tensor<2x6xf32>
}
