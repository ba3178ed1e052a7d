// Ops in no group are placed, too: each of their results, whoever reads it, and in place where the op allows it.
// RUN: tx-opt %s --tx-place-memory --tx-verify-placement | FileCheck %s

// CHECK-LABEL: func.func @norm
// CHECK: tx.linear{{.*}}step.buffers = [#step.buffer<transient, [[PLACE:0x[0-9a-f]+]], tensor<2x4x6xf32>>]
// CHECK: tx.gelu{{.*}}step.buffers = [#step.buffer<transient, [[PLACE]], tensor<2x4x6xf32>>]
// CHECK: tx.layer_norm{{.*}}step.buffers = [#step.buffer<transient, {{.*}}>, #step.buffer<transient, {{.*}}, tensor<2x4xf32>>, #step.buffer<transient, {{.*}}, tensor<2x4xf32>>]
func.func @norm(%x: tensor<2x4x6xf32>, %m: tensor<6x6xf32>, %w: tensor<6xf32>) -> tensor<2x4x6xf32> {
  %0 = tx.linear %x, %m in <"a"> : tensor<2x4x6xf32>, tensor<6x6xf32> -> tensor<2x4x6xf32>
  %1 = tx.gelu %0 in <"b"> : tensor<2x4x6xf32>
  %y, %mean, %rstd = tx.layer_norm %1, %w, %w eps 1.0e-5 in <"n"> : tensor<2x4x6xf32>, tensor<6xf32>
  return %y : tensor<2x4x6xf32>
}

// What a group gives and nobody reads.
// CHECK-LABEL: func.func @unread
// CHECK: step.group row{{.*}}step.buffers = [#step.buffer<transient, [[A:0x[0-9a-f]+]], tensor<2x6xf32>>, #step.buffer<transient, {{.*}}, tensor<2x6xf32>>]
func.func @unread(%x: tensor<2x6xf32>) -> tensor<2x6xf32> {
  %0:2 = step.group row [2, 6] in <"a"> (%a = %x) : (tensor<2x6xf32>) -> (tensor<2x6xf32>, tensor<2x6xf32>) {
    %1 = tx.gelu %a in <"a"> : tensor<2x6xf32>
    %2 = tx.add %1, %a in <"a"> : tensor<2x6xf32>
    step.yield %2, %1 : tensor<2x6xf32>, tensor<2x6xf32>
  }
  return %0#0 : tensor<2x6xf32>
}
