// Every message about mesh axes and collectives.
// RUN: tx-opt %s --split-input-file --verify-diagnostics

// expected-error @below {{takes a size of 1 to 1048576, found 0}}
tx.mesh_axis @dp size 0

// -----

// expected-error @below {{takes a size of 1 to 1048576, found 1048577}}
tx.mesh_axis @dp size 1048577

// -----

tx.mesh_axis @pp size 1048576
tx.mesh_axis @dp size 1
// expected-error @below {{makes a mesh of more than 1048576 ranks with the axes before it}}
tx.mesh_axis @tp size 2

// -----

func.func @all_reduce(%x: tensor<4xf32>) {
  // expected-error @below {{names no tx.mesh_axis: @dp}}
  %y = tx.all_reduce %x on @dp in <"loss"> : tensor<4xf32>
  return
}

// -----

// A symbol of another kind.
func.func @all_reduce(%x: tensor<4xf32>) {
  // expected-error @below {{names no tx.mesh_axis: @all_reduce}}
  %y = tx.all_reduce %x on @all_reduce in <"loss"> : tensor<4xf32>
  return
}

// -----

func.func @all_gather(%x: tensor<4xf32>) {
  // expected-error @below {{names no tx.mesh_axis: @tp}}
  %y = tx.all_gather %x dim 0 on @tp in <"loss"> : tensor<4xf32> -> tensor<8xf32>
  return
}

// -----

func.func @reduce_scatter(%x: tensor<4xf32>) {
  // expected-error @below {{names no tx.mesh_axis: @tp}}
  %y = tx.reduce_scatter %x dim 0 on @tp in <"loss"> : tensor<4xf32> -> tensor<2xf32>
  return
}

// -----

func.func @all_to_all(%x: tensor<4xf32>) {
  // expected-error @below {{names no tx.mesh_axis: @tp}}
  %y = tx.all_to_all %x dim 0 on @tp in <"loss"> : tensor<4xf32>
  return
}

// -----

func.func @broadcast(%x: tensor<4xf32>) {
  // expected-error @below {{names no tx.mesh_axis: @tp}}
  %y = tx.broadcast %x from 0 on @tp in <"loss"> : tensor<4xf32>
  return
}

// -----

func.func @reduce(%x: tensor<4xf32>) {
  // expected-error @below {{names no tx.mesh_axis: @tp}}
  %y = tx.reduce %x to 0 on @tp in <"loss"> : tensor<4xf32>
  return
}

// -----

func.func @send_recv(%x: tensor<4xf32>) {
  // expected-error @below {{names no tx.mesh_axis: @tp}}
  %y = tx.send_recv %x by 1 on @tp in <"loss"> : tensor<4xf32>
  return
}

// -----

tx.mesh_axis @tp size 2
func.func @all_gather(%x: tensor<4x6xf32>) {
  // expected-error @below {{has dim 2; 'tensor<4x6xf32>' has 2 dimensions, from 0 on}}
  %y = tx.all_gather %x dim 2 on @tp in <"loss"> : tensor<4x6xf32> -> tensor<4x6xf32>
  return
}

// -----

tx.mesh_axis @tp size 2
func.func @reduce_scatter(%x: tensor<f32>) {
  // expected-error @below {{has dim 0; 'tensor<f32>' has 0 dimensions, from 0 on}}
  %y = tx.reduce_scatter %x dim 0 on @tp in <"loss"> : tensor<f32> -> tensor<f32>
  return
}

// -----

tx.mesh_axis @tp size 2
func.func @all_to_all(%x: tensor<4x6xf32>) {
  // expected-error @below {{has dim -1; 'tensor<4x6xf32>' has 2 dimensions, from 0 on}}
  %y = tx.all_to_all %x dim -1 on @tp in <"loss"> : tensor<4x6xf32>
  return
}

// -----

tx.mesh_axis @dp size 2
tx.mesh_axis @tp size 3
func.func @all_gather(%x: tensor<4x6xf32>) {
  // expected-error @below {{has 'tensor<9x6xf32>' for 3 ranks, of which each has 'tensor<3x6xf32>', found 'tensor<4x6xf32>'}}
  %y = tx.all_gather %x dim 0 on @tp in <"loss"> : tensor<4x6xf32> -> tensor<9x6xf32>
  return
}

// -----

tx.mesh_axis @tp size 2
func.func @reduce_scatter(%x: tensor<4x6xf32>) {
  // expected-error @below {{has 'tensor<4x6xf32>' for 2 ranks, of which each has 'tensor<2x6xf32>', found 'tensor<2x6xbf16>'}}
  %y = tx.reduce_scatter %x dim 0 on @tp in <"loss"> : tensor<4x6xf32> -> tensor<2x6xbf16>
  return
}

// -----

tx.mesh_axis @tp size 2
func.func @all_gather(%x: tensor<4x5xf32>) {
  // expected-error @below {{splits dimension 0 of 'tensor<9x5xf32>', whose size the 2 ranks of @tp do not divide}}
  %y = tx.all_gather %x dim 0 on @tp in <"loss"> : tensor<4x5xf32> -> tensor<9x5xf32>
  return
}

// -----

tx.mesh_axis @tp size 2
func.func @reduce_scatter(%x: tensor<4x5xf32>) {
  // expected-error @below {{splits dimension 1 of 'tensor<4x5xf32>', whose size the 2 ranks of @tp do not divide}}
  %y = tx.reduce_scatter %x dim 1 on @tp in <"loss"> : tensor<4x5xf32> -> tensor<4x2xf32>
  return
}

// -----

tx.mesh_axis @tp size 2
func.func @all_to_all(%x: tensor<4x5xf32>) {
  // expected-error @below {{splits dimension 1 of 'tensor<4x5xf32>', whose size the 2 ranks of @tp do not divide}}
  %y = tx.all_to_all %x dim 1 on @tp in <"loss"> : tensor<4x5xf32>
  return
}

// -----

tx.mesh_axis @tp size 2
func.func @broadcast(%x: tensor<4x5xf32>) {
  // expected-error @below {{has root 2; ranks of @tp are 0 to 1}}
  %y = tx.broadcast %x from 2 on @tp in <"loss"> : tensor<4x5xf32>
  return
}

// -----

tx.mesh_axis @tp size 2
func.func @reduce(%x: tensor<4x5xf32>) {
  // expected-error @below {{has root -1; ranks of @tp are 0 to 1}}
  %y = tx.reduce %x to -1 on @tp in <"loss"> : tensor<4x5xf32>
  return
}

// -----

tx.mesh_axis @tp size 2
func.func @send_recv(%x: tensor<4x5xf32>) {
  // expected-error @below {{shifts by 2; on @tp of 2 ranks a shift is at most 1 either way}}
  %y = tx.send_recv %x by 2 on @tp in <"loss"> : tensor<4x5xf32>
  return
}

// -----

tx.mesh_axis @tp size 2
func.func @send_recv(%x: tensor<4x5xf32>) {
  // expected-error @below {{shifts by -2; on @tp of 2 ranks a shift is at most 1 either way}}
  %y = tx.send_recv %x by -2 wraps on @tp in <"loss"> : tensor<4x5xf32>
  return
}

// -----

tx.mesh_axis @tp size 2
func.func @broadcast(%x: tensor<4xi32>) {
  // expected-error @below {{operand #0 must be statically shaped tensor of 32-bit float or bfloat16 type or 64-bit float values, but got 'tensor<4xi32>'}}
  %y = tx.broadcast %x from 0 on @tp in <"loss"> : tensor<4xi32>
  return
}
