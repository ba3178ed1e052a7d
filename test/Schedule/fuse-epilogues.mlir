// What a library does beside a product.
// RUN: tx-opt %s --pass-pipeline='builtin.module(func.func(tx-fuse-epilogues))' | FileCheck %s
// RUN: tx-opt %s --pass-pipeline='builtin.module(func.func(tx-fuse-epilogues{sums=false}))' | FileCheck %s --check-prefix=BIAS
// RUN: tx-opt %s --pass-pipeline='builtin.module(func.func(tx-fuse-epilogues{bias=false sums=false}))' | FileCheck %s --check-prefix=NOTHING

// NOTHING-NOT: step.epilogue
// BIAS-NOT: epilogue sums

// CHECK-LABEL: func.func @bias
// CHECK: tx.linear {{.*}} {step.epilogue = #step<epilogue bias>}
// BIAS-LABEL: func.func @bias
// BIAS: {step.epilogue = #step<epilogue bias>}
func.func @bias(%x: tensor<2x4x6xf32>, %w: tensor<6x8xf32>, %b: tensor<8xf32>) -> tensor<2x4x8xf32> {
  %y = tx.linear %x, %w bias %b in <"fc"> : tensor<2x4x6xf32>, tensor<6x8xf32>, tensor<8xf32> -> tensor<2x4x8xf32>
  return %y : tensor<2x4x8xf32>
}

// The library's bias is of C's type.
// CHECK-LABEL: func.func @other_type
// CHECK-NOT: step.epilogue
func.func @other_type(%x: tensor<2x4x6xf32>, %w: tensor<6x8xf32>, %b: tensor<8xbf16>) -> tensor<2x4x8xf32> {
  %y = tx.linear %x, %w bias %b in <"fc"> : tensor<2x4x6xf32>, tensor<6x8xf32>, tensor<8xbf16> -> tensor<2x4x8xf32>
  return %y : tensor<2x4x8xf32>
}

// The bias's gradient takes the one row that the weight's product has summed.
// CHECK-LABEL: func.func @sums
// CHECK-SAME: (%[[X:.*]]: tensor<2x4x6xbf16>, %[[DY:.*]]: tensor<2x4x8xbf16>, %[[W:.*]]: tensor<6x8xf32>, %[[B:.*]]: tensor<8xf32>, %[[FIRST:.*]]: tensor<i1>)
// CHECK-NEXT: %[[DX:.*]] = tx.cast
// CHECK-NEXT: %[[DW:.*]], %[[SUMS:.*]] = tx.linear_weight_grad %[[X]], %[[DY]] into %[[W]] reset %[[FIRST]] in <backward, "fc"> {step.epilogue = #step<epilogue sums_b>}
// CHECK-NEXT: %[[DB:.*]] = tx.bias_grad %[[SUMS]] into %[[B]] reset %[[FIRST]] in <backward, "fc"> : tensor<8xf32>
// CHECK-NEXT: return %[[DB]], %[[DW]]
func.func @sums(%x: tensor<2x4x6xbf16>, %dy: tensor<2x4x8xbf16>, %w: tensor<6x8xf32>, %b: tensor<8xf32>, %first: tensor<i1>) -> (tensor<8xf32>, tensor<6x8xf32>) {
  %db = tx.bias_grad %dy into %b reset %first in <backward, "fc"> : tensor<2x4x8xbf16>, tensor<8xf32>, tensor<i1>
  %wide = tx.cast %dy in <backward, "fc"> : tensor<2x4x8xbf16> to tensor<2x4x8xf32>
  %dw = tx.linear_weight_grad %x, %dy into %w reset %first in <backward, "fc"> : tensor<2x4x6xbf16>, tensor<2x4x8xbf16>, tensor<6x8xf32>, tensor<i1>
  return %db, %dw : tensor<8xf32>, tensor<6x8xf32>
}

// A torch.nn.Linear's gradient has dy on the left.
// CHECK-LABEL: func.func @transposed
// CHECK: tx.linear_weight_grad {{.*}} transposed in <backward, "fc"> {step.epilogue = #step<epilogue sums_a>}
func.func @transposed(%x: tensor<2x4x6xf32>, %dy: tensor<2x4x8xf32>, %w: tensor<8x6xf32>, %b: tensor<8xf32>) -> (tensor<8xf32>, tensor<8x6xf32>) {
  %db = tx.bias_grad %dy into %b in <backward, "fc"> : tensor<2x4x8xf32>, tensor<8xf32>
  %dw = tx.linear_weight_grad %x, %dy into %w transposed in <backward, "fc"> : tensor<2x4x6xf32>, tensor<2x4x8xf32>, tensor<8x6xf32>
  return %db, %dw : tensor<8xf32>, tensor<8x6xf32>
}

// Who reads the sum before the product is there waits for it, as ranks that add theirs.
// CHECK-LABEL: func.func @reader_waits
// CHECK: %{{.*}}, %[[SUMS:.*]] = tx.linear_weight_grad
// CHECK-NEXT: %[[DB:.*]] = tx.bias_grad %[[SUMS]]
// CHECK-NEXT: %[[TWICE:.*]] = tx.add %[[DB]], %[[DB]]
// CHECK-NEXT: tx.add %[[TWICE]], %[[DB]]
func.func @reader_waits(%x: tensor<2x4x6xf32>, %dy: tensor<2x4x8xf32>, %w: tensor<6x8xf32>, %b: tensor<8xf32>) -> (tensor<8xf32>, tensor<6x8xf32>) {
  %db = tx.bias_grad %dy into %b in <backward, "fc"> : tensor<2x4x8xf32>, tensor<8xf32>
  %twice = tx.add %db, %db in <backward, "fc"> : tensor<8xf32>
  %thrice = tx.add %twice, %db in <backward, "fc"> : tensor<8xf32>
  %dw = tx.linear_weight_grad %x, %dy into %w in <backward, "fc"> : tensor<2x4x6xf32>, tensor<2x4x8xf32>, tensor<6x8xf32>
  return %thrice, %dw : tensor<8xf32>, tensor<6x8xf32>
}

// A product that needs the sum cannot give it; what is no gradient of the product, x, is not summed by it.
// CHECK-LABEL: func.func @too_late
// CHECK-NOT: sums
func.func @too_late(%x: tensor<2x4x6xf32>, %dy: tensor<2x4x8xf32>, %w: tensor<8x8xf32>, %v: tensor<6x8xf32>, %b: tensor<8xf32>, %c: tensor<6xf32>) -> (tensor<6xf32>, tensor<6x8xf32>) {
  %dc = tx.bias_grad %x into %c in <backward, "fc"> : tensor<2x4x6xf32>, tensor<6xf32>
  %db = tx.bias_grad %dy into %b in <backward, "fc"> : tensor<2x4x8xf32>, tensor<8xf32>
  %y = tx.linear %x, %v bias %db in <backward, "fc"> : tensor<2x4x6xf32>, tensor<6x8xf32>, tensor<8xf32> -> tensor<2x4x8xf32>
  %dw = tx.linear_weight_grad %y, %dy into %w in <backward, "fc"> : tensor<2x4x8xf32>, tensor<2x4x8xf32>, tensor<8x8xf32>
  %dv = tx.linear_weight_grad %x, %y into %v in <backward, "fc"> : tensor<2x4x6xf32>, tensor<2x4x8xf32>, tensor<6x8xf32>
  return %dc, %dv : tensor<6xf32>, tensor<6x8xf32>
}
