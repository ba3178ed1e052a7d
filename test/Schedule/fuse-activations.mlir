// A product and its activation become one op where the library computes both.
// RUN: tx-opt %s --tx-fuse-activations --split-input-file 2>%t.notes | FileCheck %s
// RUN: FileCheck %s --check-prefix=NOTES --input-file=%t.notes

// Backward reads the product, too: it is a result. The scope is the product's.
// CHECK-LABEL: func.func @mlp
// CHECK-SAME: (%[[X:.*]]: tensor<2x4x6xbf16>, %[[DY:.*]]: tensor<2x4x6xbf16>, %[[W:.*]]: tensor<6x8xbf16>, %[[B:.*]]: tensor<8xbf16>, %[[V:.*]]: tensor<8x6xbf16>)
// CHECK-NEXT: %[[G:.*]], %[[PRE:.*]] = tx.linear_gelu %[[X]], %[[W]] bias %[[B]] in <layer 0, "mlp.fc1">
// CHECK-NEXT: %[[Y:.*]] = tx.linear %[[G]], %[[V]]
// CHECK-NEXT: %[[D:.*]] = tx.linear_gelu_input_grad %[[DY]], %[[V]], %[[PRE]] in <backward, layer 0, "mlp.fc2">
// CHECK-NEXT: return %[[Y]], %[[D]]
func.func @mlp(%x: tensor<2x4x6xbf16>, %dy: tensor<2x4x6xbf16>, %w: tensor<6x8xbf16>, %b: tensor<8xbf16>, %v: tensor<8x6xbf16>) -> (tensor<2x4x6xbf16>, tensor<2x4x8xbf16>) {
  %h = tx.linear %x, %w bias %b in <layer 0, "mlp.fc1"> : tensor<2x4x6xbf16>, tensor<6x8xbf16>, tensor<8xbf16> -> tensor<2x4x8xbf16>
  %g = tx.gelu %h in <layer 0, "mlp.mlp_act"> : tensor<2x4x8xbf16>
  %y = tx.linear %g, %v in <layer 0, "mlp.fc2"> : tensor<2x4x8xbf16>, tensor<8x6xbf16> -> tensor<2x4x6xbf16>
  %dg = tx.linear_input_grad %dy, %v in <backward, layer 0, "mlp.fc2"> : tensor<2x4x6xbf16>, tensor<8x6xbf16> -> tensor<2x4x8xbf16>
  %dh = tx.gelu_grad %dg, %h in <backward, layer 0, "mlp.mlp_act"> : tensor<2x4x8xbf16>
  return %y, %dh : tensor<2x4x6xbf16>, tensor<2x4x8xbf16>
}

// What else the activation's gradient reads may come after the product.
// CHECK-LABEL: func.func @late_input
// CHECK: %[[PRE:.*]] = tx.add
// CHECK-NEXT: tx.linear_gelu_input_grad %{{.*}}, %{{.*}}, %[[PRE]] transposed
func.func @late_input(%dy: tensor<4x8xf32>, %w: tensor<8x16xf32>, %h: tensor<4x16xf32>) -> tensor<4x16xf32> {
  %dg = tx.linear_input_grad %dy, %w transposed in <backward, "fc2"> : tensor<4x8xf32>, tensor<8x16xf32> -> tensor<4x16xf32>
  %pre = tx.add %h, %h in <backward, "fc2"> : tensor<4x16xf32>
  %dh = tx.gelu_grad %dg, %pre in <backward, "fc2"> : tensor<4x16xf32>
  return %dh : tensor<4x16xf32>
}

// The library gives the result of the function alone: who else reads the gradient's product needs it. What is read as
// `x` of the gradient is no product's place. And what stands in another segment is decided upon alone.
// CHECK-LABEL: func.func @apart
// CHECK-NOT: tx.linear_gelu
func.func @apart(%dy: tensor<4x8xf32>, %w: tensor<16x8xf32>, %u: tensor<8x16xf32>, %h: tensor<4x16xf32>) -> (tensor<4x16xf32>, tensor<4x16xf32>, tensor<4x16xf32>, tensor<4x16xf32>) {
  %dg = tx.linear_input_grad %dy, %w in <backward, "fc2"> : tensor<4x8xf32>, tensor<16x8xf32> -> tensor<4x16xf32>
  %dh = tx.gelu_grad %dg, %h in <backward, "fc2"> : tensor<4x16xf32>
  %e = tx.linear %dy, %u in <backward, "fc2"> : tensor<4x8xf32>, tensor<8x16xf32> -> tensor<4x16xf32>
  %eh = tx.gelu_grad %h, %e in <backward, "fc2"> : tensor<4x16xf32>
  %f = tx.linear %dy, %u in <"fc1"> : tensor<4x8xf32>, tensor<8x16xf32> -> tensor<4x16xf32>
  %fh = tx.gelu %f in <backward, "fc1"> : tensor<4x16xf32>
  return %dg, %dh, %eh, %fh : tensor<4x16xf32>, tensor<4x16xf32>, tensor<4x16xf32>, tensor<4x16xf32>
}

// -----

// Said once, of the first.
// NOTES: remark: an activation is left to a kernel, not computed beside the product: rows have 12 elements, which is no multiple of 8
// NOTES-NOT: remark:{{.*}}12 elements
// CHECK-LABEL: func.func @rows
// CHECK-NOT: tx.linear_gelu
func.func @rows(%x: tensor<4x8xf32>, %w: tensor<8x12xf32>) -> (tensor<4x12xf32>, tensor<4x12xf32>) {
  %h = tx.linear %x, %w in <"fc1"> : tensor<4x8xf32>, tensor<8x12xf32> -> tensor<4x12xf32>
  %g = tx.gelu %h in <"fc1"> : tensor<4x12xf32>
  %i = tx.linear %x, %w in <"fc1"> : tensor<4x8xf32>, tensor<8x12xf32> -> tensor<4x12xf32>
  %k = tx.gelu %i in <"fc1"> : tensor<4x12xf32>
  return %g, %k : tensor<4x12xf32>, tensor<4x12xf32>
}

// -----

// NOTES: an activation is left to a kernel, {{.*}}: operands are of bf16 and the result is of f32
func.func @wide(%x: tensor<4x8xbf16>, %w: tensor<8x16xbf16>) -> tensor<4x16xf32> {
  %h = tx.linear %x, %w in <"fc1"> : tensor<4x8xbf16>, tensor<8x16xbf16> -> tensor<4x16xf32>
  %g = tx.gelu %h in <"fc1"> : tensor<4x16xf32>
  return %g : tensor<4x16xf32>
}

// -----

// NOTES: an activation is left to a kernel, {{.*}}: the bias is of f32, the result of bf16
func.func @bias(%x: tensor<4x8xbf16>, %w: tensor<8x16xbf16>, %b: tensor<16xf32>) -> tensor<4x16xbf16> {
  %h = tx.linear %x, %w bias %b in <"fc1"> : tensor<4x8xbf16>, tensor<8x16xbf16>, tensor<16xf32> -> tensor<4x16xbf16>
  %g = tx.gelu %h in <"fc1"> : tensor<4x16xbf16>
  return %g : tensor<4x16xbf16>
}

// -----

// NOTES: an activation is left to a kernel, {{.*}}: the result is of f64, not of f32 or bf16
func.func @double(%x: tensor<4x8xf64>, %w: tensor<8x16xf64>) -> tensor<4x16xf64> {
  %h = tx.linear %x, %w in <"fc1"> : tensor<4x8xf64>, tensor<8x16xf64> -> tensor<4x16xf64>
  %g = tx.gelu %h in <"fc1"> : tensor<4x16xf64>
  return %g : tensor<4x16xf64>
}

// -----

// NOTES: an activation is left to a kernel, {{.*}}: the product is a part of another tensor, or has parts
func.func @part(%x: tensor<4x8xf32>, %w: tensor<8x16xf32>) -> (tensor<4x16xf32>, tensor<4x32xf32>) {
  %h = tx.linear %x, %w in <"fc1"> : tensor<4x8xf32>, tensor<8x16xf32> -> tensor<4x16xf32>
  %g = tx.gelu %h in <"fc1"> : tensor<4x16xf32>
  %i = tx.gelu %g in <"fc1"> : tensor<4x16xf32>
  %c = tx.concat %h, %i in <"fc1"> : tensor<4x16xf32>, tensor<4x16xf32>
  return %g, %c : tensor<4x16xf32>, tensor<4x32xf32>
}

// -----

// NOTES: remark: no activation is computed beside a product: none reads a product's result alone
func.func @none(%x: tensor<4x16xf32>) -> tensor<4x16xf32> {
  %g = tx.gelu %x in <"fc1"> : tensor<4x16xf32>
  return %g : tensor<4x16xf32>
}
