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

// -----

func.func @foreign_constant(%x: tensor<2x6xf32>) -> tensor<2x6xf32> {
  // expected-error @below {{has no place in a step: it is no tx op}}
  %0 = arith.constant dense<1.0> : tensor<2x6xf32>
  %1 = tx.add %x, %0 in <"a"> : tensor<2x6xf32>
  return %1 : tensor<2x6xf32>
}

// -----

tx.global @w parameter : tensor<6xf32>
func.func @pack_of_an_argument(%x: tensor<6xf32>) -> tensor<1xf32> {
  %w = tx.load @w : tensor<6xf32>
  // expected-error @below {{packs 'tensor<6xf32>', which is not state; a part is loaded, or continues what was loaded in place}}
  %p = tx.pack %w, %x in <"a"> : tensor<6xf32>, tensor<6xf32> -> tensor<128xf32>
  %0 = tx.sum_of_squares %p in <"a"> : tensor<128xf32>
  return %0 : tensor<1xf32>
}

// -----

tx.global @w parameter : tensor<6xf32>
tx.global @b parameter : tensor<6xf32>
func.func @two_orders() -> (tensor<1xf32>, tensor<1xf32>) {
  %w = tx.load @w : tensor<6xf32>
  %b = tx.load @b : tensor<6xf32>
  %p = tx.pack %w, %b in <"a"> : tensor<6xf32>, tensor<6xf32> -> tensor<128xf32>
  // expected-error @below {{packs @b in another order than before; state lies in one}}
  %q = tx.pack %b, %w in <"a"> : tensor<6xf32>, tensor<6xf32> -> tensor<128xf32>
  %0 = tx.sum_of_squares %p in <"a"> : tensor<128xf32>
  %1 = tx.sum_of_squares %q in <"a"> : tensor<128xf32>
  return %0, %1 : tensor<1xf32>, tensor<1xf32>
}

// -----

// Unpacked in another order, parts come to lie where others belong.
tx.mesh_axis @tp size 2
tx.global @w parameter : tensor<6xf32>
tx.global @b parameter : tensor<6xf32>
func.func @exchanged() {
  %w = tx.load @w : tensor<6xf32>
  %b = tx.load @b : tensor<6xf32>
  %p = tx.pack %w, %b in <"a"> : tensor<6xf32>, tensor<6xf32> -> tensor<128xf32>
  %sum = tx.all_reduce %p on @tp in <"a"> : tensor<128xf32>
  %w1, %b1 = tx.unpack %sum in <"a"> : tensor<128xf32> -> tensor<6xf32>, tensor<6xf32>
  // expected-error @below {{stores a value that was not computed in place of @w}}
  tx.store %b1, @w : tensor<6xf32>
  tx.store %w1, @b : tensor<6xf32>
  return
}
