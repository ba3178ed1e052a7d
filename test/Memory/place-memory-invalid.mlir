// What has no place is refused at the op that asks for it.
// RUN: tx-opt %s --tx-fuse-kernels --tx-place-memory --split-input-file --verify-diagnostics

tx.global @w parameter : tensor<2x6xf32>
func.func @store_elsewhere(%x: tensor<2x6xf32>) {
  %0 = tx.gelu %x in <"a"> : tensor<2x6xf32>
  // expected-error @below {{stores a value that was not computed in place of @w}}
  tx.store %0, @w : tensor<2x6xf32>
  return
}

// -----

func.func @part_of_two(%x: tensor<2x6xf32>) -> (tensor<2x12xf32>, tensor<2x6xf32>) {
  %0 = tx.gelu %x in <"a"> : tensor<2x6xf32>
  // expected-error @below {{cannot put 'tensor<2x6xf32>' beside the others: it already has a place elsewhere}}
  %1 = tx.concat %0, %0 in <"c"> : tensor<2x6xf32>, tensor<2x6xf32>
  return %1, %0 : tensor<2x12xf32>, tensor<2x6xf32>
}

// -----

func.func @argument_as_part(%x: tensor<2x6xf32>) -> tensor<2x6xf32> {
  // expected-error @below {{cannot put 'tensor<2x6xf32>' beside the others}}
  %1 = tx.concat %x in <"c"> : tensor<2x6xf32>
  return %1 : tensor<2x6xf32>
}

// -----

func.func @foreign_op(%x: tensor<2x6xf32>) -> tensor<2x6xf32> {
  // expected-error @below {{has no place in a step: it is no tx op}}
  %0 = func.call @g(%x) : (tensor<2x6xf32>) -> tensor<2x6xf32>
  return %0 : tensor<2x6xf32>
}
func.func private @g(tensor<2x6xf32>) -> tensor<2x6xf32>
