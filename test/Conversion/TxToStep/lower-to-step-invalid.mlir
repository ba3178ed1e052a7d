// What earlier passes left undone is named.
// RUN: tx-opt %s --tx-lower-to-step --split-input-file --verify-diagnostics

func.func @not_fused(%x: tensor<2x6xf32> {step.buffer = #step.buffer<argument, 0x0, tensor<2x6xf32>>}) {
  // expected-error @below {{is in no group; run tx-fuse-kernels first}}
  %0 = tx.gelu %x in <"a"> : tensor<2x6xf32>
  return
}

// -----

// expected-error @below {{has a tensor without an address; run tx-place-memory first}}
func.func @not_placed(%x: tensor<2x6xf32>) {
  return
}

// -----

func.func @result_not_placed(%x: tensor<2x6xf32> {step.buffer = #step.buffer<argument, 0x0, tensor<2x6xf32>>}, %w: tensor<6x6xf32> {step.buffer = #step.buffer<argument, 0x40, tensor<6x6xf32>>}) {
  // expected-error @below {{has a tensor without an address; run tx-place-memory first}}
  %0 = tx.linear %x, %w in <"a"> : tensor<2x6xf32>, tensor<6x6xf32> -> tensor<2x6xf32>
  return
}

// -----

// expected-error @below {{has a 'tensor<2x6xf64>', but f64 is the reference's alone; a step has f32, bf16, i32 and i1}}
func.func @wide(%x: tensor<2x6xf64> {step.buffer = #step.buffer<argument, 0x0, tensor<2x6xf64>>}) {
  return
}
