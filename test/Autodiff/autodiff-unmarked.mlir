// A function without the mark is no loss: the three passes leave it as it is.
// RUN: tx-opt %s --tx-autodiff --tx-verify-joint --tx-make-entries | FileCheck %s

// CHECK: module
// CHECK-NEXT: func.func @plain(%[[X:.*]]: tensor<2x4x6xf32>) -> tensor<2x4x6xf32> {
// CHECK-NEXT: %[[Y:.*]] = tx.gelu %[[X]]
// CHECK-NEXT: return %[[Y]]
// CHECK-NEXT: }
// CHECK-NEXT: }
func.func @plain(%x: tensor<2x4x6xf32>) -> tensor<2x4x6xf32> {
  %y = tx.gelu %x in <layer 0, "mlp.mlp_act"> : tensor<2x4x6xf32>
  return %y : tensor<2x4x6xf32>
}
