// What a communication library cannot reach.
// RUN: tx-opt %s --split-input-file --tx-fuse-kernels --tx-place-memory --tx-lower-to-step --verify-diagnostics

tx.mesh_axis @tp size 2
func.func @part_of_a_row(%x: tensor<2x6xf32>) -> tensor<4x3xf32> {
  %a = tx.slice %x 0 size 3 in <"a"> : tensor<2x6xf32>
  // expected-error @below {{takes tensors whose rows follow each other, found columns of a wider one: 'tensor<2x3xf32>'; compute it by an op of its own}}
  %y = tx.all_gather %a dim 0 on @tp in <"a"> : tensor<2x3xf32> -> tensor<4x3xf32>
  return %y : tensor<4x3xf32>
}

// -----

tx.mesh_axis @tp size 2
func.func @into_a_row(%x: tensor<2x3xf32>) -> tensor<2x6xf32> {
  // expected-error @below {{takes tensors whose rows follow each other, found columns of a wider one: 'tensor<2x3xf32>'; compute it by an op of its own}}
  %a = tx.broadcast %x from 0 on @tp in <"a"> : tensor<2x3xf32>
  %b = tx.gelu %x in <"a"> : tensor<2x3xf32>
  %y = tx.concat %a, %b in <"a"> : tensor<2x3xf32>, tensor<2x3xf32>
  return %y : tensor<2x6xf32>
}
