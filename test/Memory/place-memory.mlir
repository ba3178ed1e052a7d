// Who shares bytes with whom.
// RUN: tx-opt %s --tx-fuse-kernels --tx-place-memory --tx-verify-placement --split-input-file | FileCheck %s

// State is persistent; a gradient continues in place of its load.
// CHECK: tx.global @w parameter{{.*}}step.buffer = #step.buffer<persistent, 0x0, tensor<6xf32>>
// CHECK: tx.global @w.grad{{.*}}step.buffer = #step.buffer<persistent, 0x40, tensor<6xf32>>
// CHECK-LABEL: func.func @accumulate
// CHECK-SAME: step.transient_bytes = 0
// CHECK: step.group column{{.*}}step.buffers = [#step.buffer<persistent, 0x40, tensor<6xf32>>]
tx.global @w parameter : tensor<6xf32>
tx.global @w.grad gradient of @w : tensor<6xf32>
func.func @accumulate(%dy: tensor<2x4x6xf32>) {
  %g = tx.load @w.grad : tensor<6xf32>
  %0 = tx.bias_grad %dy into %g in <backward, "a"> : tensor<2x4x6xf32>, tensor<6xf32>
  tx.store %0, @w.grad : tensor<6xf32>
  return
}

// -----

// Slices are columns of the whole: the same bytes, its row stride.
// CHECK-LABEL: func.func @slices
// CHECK: tx.slice %{{.*}} 6 size 6 {{.*}}step.buffers = [#step.buffer<argument, 0x18, tensor<2x4x6xf32>, stride 18>]
// CHECK-SAME: tensor<2x4x18xf32>
func.func @slices(%qkv: tensor<2x4x18xf32>) -> tensor<2x4x6xf32> {
  %k = tx.slice %qkv 6 size 6 in <"qkv"> : tensor<2x4x18xf32>
  %0 = tx.gelu %k in <"a"> : tensor<2x4x6xf32>
  return %0 : tensor<2x4x6xf32>
}

// -----

// The parts of a concat are computed where they belong.
// CHECK-LABEL: func.func @concat
// CHECK-SAME: step.transient_bytes = 384
// CHECK: step.buffers = [#step.buffer<transient, 0x0, tensor<2x4x6xf32>, stride 12>, #step.buffer<transient, 0x18, tensor<2x4x6xf32>, stride 12>]
// CHECK: tx.concat{{.*}}step.buffers = [#step.buffer<transient, 0x0, tensor<2x4x12xf32>>]
func.func @concat(%x: tensor<2x4x6xf32>) -> tensor<2x4x12xf32> {
  %0 = tx.gelu %x in <"a"> : tensor<2x4x6xf32>
  %1 = tx.add %x, %0 in <"b"> : tensor<2x4x6xf32>
  %2 = tx.concat %0, %1 in <"c"> : tensor<2x4x6xf32>, tensor<2x4x6xf32>
  return %2 : tensor<2x4x12xf32>
}

// -----

// A result takes the place of an operand that dies there...
// CHECK-LABEL: func.func @in_place
// CHECK-SAME: step.transient_bytes = 192
func.func @in_place(%x: tensor<2x4x6xf32>, %w: tensor<6x6xf32>) -> tensor<2x4x6xf32> {
  %0 = tx.linear %x, %w in <"a"> : tensor<2x4x6xf32>, tensor<6x6xf32> -> tensor<2x4x6xf32>
  %1 = tx.gelu %0 in <"b"> : tensor<2x4x6xf32>
  return %1 : tensor<2x4x6xf32>
}

// -----

// ... but only a result that is written after the kernel's last read of it: the sum is complete in the first pass over
// a row, the norm in the third.
// CHECK-LABEL: func.func @last_pass
// CHECK: tx.linear{{.*}}step.buffers = [#step.buffer<transient, [[PLACE:0x[0-9a-f]+]], tensor<2x4x6xf32>>]
// CHECK: step.group row{{.*}}step.buffers = [#step.buffer<transient, [[SUM:0x[0-9a-f]+]], tensor<2x4x6xf32>>, #step.buffer<transient, [[PLACE]], tensor<2x4x6xf32>>]
// CHECK-NEXT: tx.add
// CHECK-NEXT: tx.layer_norm
func.func @last_pass(%x: tensor<2x4x6xf32>, %m: tensor<6x6xf32>, %w: tensor<6xf32>) -> (tensor<2x4x6xf32>, tensor<2x4x6xf32>) {
  %0 = tx.linear %x, %m in <"a"> : tensor<2x4x6xf32>, tensor<6x6xf32> -> tensor<2x4x6xf32>
  %1 = tx.add %0, %x in <"b"> : tensor<2x4x6xf32>
  %y, %mean, %rstd = tx.layer_norm %1, %w, %w eps 1.0e-5 in <"n"> : tensor<2x4x6xf32>, tensor<6xf32>
  return %1, %y : tensor<2x4x6xf32>, tensor<2x4x6xf32>
}

// -----

// A library's scratch lives while its op runs, aligned in the whole arena: both products have the same bytes.
// CHECK-LABEL: func.func @scratch
// CHECK-SAME: step.argument_bytes = 256
// CHECK: tx.linear{{.*}}step.scratch = #step.buffer<transient, [[AT:0x[0-9a-f]+]], tensor<512xi8>>
// CHECK: tx.linear{{.*}}step.scratch = #step.buffer<transient, [[AT]], tensor<512xi8>>
func.func @scratch(%x: tensor<6x6xf32>) -> tensor<6x6xf32> {
  %0 = tx.linear %x, %x in <"a"> {step.scratch_bytes = 512 : i64} : tensor<6x6xf32>, tensor<6x6xf32> -> tensor<6x6xf32>
  %1 = tx.linear %0, %x in <"b"> {step.scratch_bytes = 300 : i64} : tensor<6x6xf32>, tensor<6x6xf32> -> tensor<6x6xf32>
  return %1 : tensor<6x6xf32>
}

// -----

// The fused classifier reads a row's logits where it writes their gradient.
// CHECK-LABEL: func.func @classifier
// CHECK: tx.linear{{.*}}step.buffers = [#step.buffer<transient, [[LOGITS:0x[0-9a-f]+]], tensor<2x4x6xf32>>]
// CHECK: step.group row [8, 6] in <{{.*}}"loss">{{.*}}#step.buffer<transient, [[LOGITS]], tensor<2x4x6xf32>>]
func.func @classifier(%x: tensor<2x4x6xf32>, %w: tensor<6x6xf32>, %targets: tensor<2x4xi32>, %scale: tensor<f32>) -> (tensor<f32>, tensor<f32>, tensor<2x4x6xf32>) {
  %logits = tx.linear %x, %w in <"output_layer"> : tensor<2x4x6xf32>, tensor<6x6xf32> -> tensor<2x4x6xf32>
  %losses, %lse = tx.cross_entropy %logits, %targets ignore -100 in <"loss"> : tensor<2x4x6xf32>, tensor<2x4xi32>
  %sum, %count = tx.reduce_loss %losses, %targets ignore -100 in <"loss"> : tensor<2x4xf32>, tensor<2x4xi32>
  %dlosses = tx.reduce_loss_grad %scale, %targets ignore -100 in <backward, "loss"> : tensor<f32>, tensor<2x4xi32>
  %dlogits = tx.cross_entropy_grad %dlosses, %logits, %targets, %lse ignore -100 in <backward, "loss"> : tensor<2x4xf32>, tensor<2x4x6xf32>, tensor<2x4xi32>
  return %sum, %count, %dlogits : tensor<f32>, tensor<f32>, tensor<2x4x6xf32>
}

// -----

// State that some op takes as one row lies side by side in its order, at multiples of 64 elements of whatever type;
// what follows starts where a buffer may.
// CHECK: tx.global @a parameter{{.*}}<persistent, 0x100, tensor<6xf32>>
// CHECK: tx.global @n parameter{{.*}}<persistent, 0x200, tensor<6xbf16>>
// CHECK: tx.global @b parameter{{.*}}<persistent, 0x0, tensor<3x7xf32>>
// CHECK: tx.global @m parameter{{.*}}<persistent, 0x280, tensor<3x7xbf16>>
// CHECK: tx.global @c parameter{{.*}}<persistent, 0x300, tensor<6xf32>>
// CHECK: tx.global @a.grad gradient{{.*}}<persistent, 0x340, tensor<6xf32>>
// CHECK-LABEL: func.func @rows
// CHECK-SAME: step.transient_bytes = 64
// CHECK: tx.pack {{.*}} {step.buffers = [#step.buffer<persistent, 0x0, tensor<128xf32>>]}
// CHECK: tx.pack {{.*}} {step.buffers = [#step.buffer<persistent, 0x200, tensor<128xbf16>>]}
// CHECK: tx.all_reduce {{.*}} {step.buffers = [#step.buffer<persistent, 0x0, tensor<128xf32>>]}
// CHECK: tx.unpack {{.*}} {step.buffers = [#step.buffer<persistent, 0x0, tensor<3x7xf32>>, #step.buffer<persistent, 0x100, tensor<6xf32>>]}
// CHECK-LABEL: func.func @again
tx.mesh_axis @dp size 2 batch
tx.global @a parameter : tensor<6xf32>
tx.global @n parameter : tensor<6xbf16>
tx.global @b parameter : tensor<3x7xf32>
tx.global @m parameter : tensor<3x7xbf16>
tx.global @c parameter : tensor<6xf32>
tx.global @a.grad gradient of @a : tensor<6xf32>
func.func @rows() -> tensor<1xf32> {
  %a = tx.load @a : tensor<6xf32>
  %b = tx.load @b : tensor<3x7xf32>
  %n = tx.load @n : tensor<6xbf16>
  %m = tx.load @m : tensor<3x7xbf16>
  %f = tx.pack %b, %a in <"p"> : tensor<3x7xf32>, tensor<6xf32> -> tensor<128xf32>
  %h = tx.pack %n, %m in <"p"> : tensor<6xbf16>, tensor<3x7xbf16> -> tensor<128xbf16>
  %sum = tx.all_reduce %f on @dp in <"p"> : tensor<128xf32>
  %squares = tx.sum_of_squares %sum in <"p"> : tensor<128xf32>
  %b1, %a1 = tx.unpack %sum in <"p"> : tensor<128xf32> -> tensor<3x7xf32>, tensor<6xf32>
  tx.store %b1, @b : tensor<3x7xf32>
  tx.store %a1, @a : tensor<6xf32>
  return %squares : tensor<1xf32>
}

// A part may be what continues the loaded one in place.
func.func @again(%dy: tensor<2x4x6xf32>) -> tensor<1xf32> {
  %a = tx.load @a : tensor<6xf32>
  %b = tx.load @b : tensor<3x7xf32>
  %a1 = tx.bias_grad %dy into %a in <backward, "a"> : tensor<2x4x6xf32>, tensor<6xf32>
  %f = tx.pack %b, %a1 in <"p"> : tensor<3x7xf32>, tensor<6xf32> -> tensor<128xf32>
  %squares = tx.sum_of_squares %f in <"p"> : tensor<128xf32>
  tx.store %a1, @a : tensor<6xf32>
  return %squares : tensor<1xf32>
}
