// Groups, kernels, entries and launches keep their form through text.
// RUN: tx-opt %s | tx-opt | FileCheck %s
// RUN: tx-opt %s --mlir-print-op-generic | tx-opt | FileCheck %s

// CHECK-LABEL: func.func @groups
// CHECK-SAME: %[[X:.*]]: tensor<2x4x6xbf16>, %[[Y:.*]]: tensor<2x4x6xbf16>, %[[ACC:.*]]: tensor<6xf32>
func.func @groups(%x: tensor<2x4x6xbf16>, %y: tensor<2x4x6xbf16>, %acc: tensor<6xf32>) {
  // CHECK: %[[SUM:.*]]:2 = step.group row [8, 6] in <layer 0, "residual"> (%[[A:.*]] = %[[X]], %[[B:.*]] = %[[Y]]) : (tensor<2x4x6xbf16>, tensor<2x4x6xbf16>) -> (tensor<2x4x6xbf16>, tensor<2x4x6xbf16>) {
  // CHECK-NEXT: %[[S:.*]] = tx.add %[[A]], %[[B]] in <layer 0, "residual"> : tensor<2x4x6xbf16>
  // CHECK-NEXT: %[[G:.*]] = tx.gelu %[[S]] in <layer 0, "mlp.mlp_act"> : tensor<2x4x6xbf16>
  // CHECK-NEXT: step.yield %[[S]], %[[G]] : tensor<2x4x6xbf16>, tensor<2x4x6xbf16>
  %0:2 = step.group row [8, 6] in <layer 0, "residual"> (%a = %x, %b = %y) : (tensor<2x4x6xbf16>, tensor<2x4x6xbf16>) -> (tensor<2x4x6xbf16>, tensor<2x4x6xbf16>) {
    %s = tx.add %a, %b in <layer 0, "residual"> : tensor<2x4x6xbf16>
    %g = tx.gelu %s in <layer 0, "mlp.mlp_act"> : tensor<2x4x6xbf16>
    step.yield %s, %g : tensor<2x4x6xbf16>, tensor<2x4x6xbf16>
  }
  // Other attributes stay.
  // CHECK: step.group column [8, 6] in <backward, layer 0, "mlp.fc2"> (%{{.*}} = %[[SUM]]#0, %{{.*}} = %[[ACC]]) {step.buffers = [#step.buffer<persistent, 0x40, tensor<6xf32>>]} : (tensor<2x4x6xbf16>, tensor<6xf32>) -> tensor<6xf32> {
  %1 = step.group column [8, 6] in <backward, layer 0, "mlp.fc2"> (%a = %0#0, %c = %acc) {step.buffers = [#step.buffer<persistent, 0x40, tensor<6xf32>>]} : (tensor<2x4x6xbf16>, tensor<6xf32>) -> tensor<6xf32> {
    %g = tx.bias_grad %a into %c in <backward, layer 0, "mlp.fc2"> : tensor<2x4x6xbf16>, tensor<6xf32>
    step.yield %g : tensor<6xf32>
  }
  // A group may have neither inputs nor results.
  // CHECK: step.group flat [1, 1] in <"nothing"> () : () -> () {
  // CHECK-NEXT: step.yield
  step.group flat [1, 1] in <"nothing"> () : () -> () {
    step.yield
  }
  return
}

// CHECK: step.program @step arena(persistent 192, argument 64, saved 0, transient 768) attributes {tx.note = "kept"} {
step.program @step arena(persistent 192, argument 64, saved 0, transient 768) attributes {tx.note = "kept"} {
  // Strides and immediates are printed where there are any.
  // CHECK-NEXT: step.kernel @dropout row [8, 6] strides [18, 0, 0] immediates 1 (%[[X:.*]]: tensor<2x4x6xf32>, %[[KEY:.*]]: tensor<4xi32>) {
  // CHECK-NEXT: %[[D:.*]] = tx.dropout %[[X]], %[[KEY]] p 1.000000e-01 in <""> {step.immediate = 0 : i64} : tensor<2x4x6xf32>, tensor<4xi32>
  // CHECK-NEXT: step.yield %[[D]] : tensor<2x4x6xf32>
  step.kernel @dropout row [8, 6] strides [18, 0, 0] immediates 1 (%x: tensor<2x4x6xf32>, %key: tensor<4xi32>) {
    %y = tx.dropout %x, %key p 0.1 in <""> {step.immediate = 0 : i64} : tensor<2x4x6xf32>, tensor<4xi32>
    step.yield %y : tensor<2x4x6xf32>
  }
  // CHECK: step.kernel @gelu flat [1, 48] (%{{.*}}: tensor<48xf32>) attributes {tx.note = "kept"} {
  step.kernel @gelu flat [1, 48] strides [0, 0] immediates 0 (%x: tensor<48xf32>) attributes {tx.note = "kept"} {
    step.yield %x : tensor<48xf32>
  }
  // CHECK: step.entry @microbatch (key<argument, 0x0, tensor<4xi32>>, "loss scale"<argument, 0x10, tensor<f32>>) -> (y<transient, 0x240, tensor<2x4x6xf32>>) attributes {tx.note = "kept"} {
  step.entry @microbatch (key<argument, 0x0, tensor<4xi32>>, "loss scale"<argument, 0x10, tensor<f32>>) -> (y<transient, 0x240, tensor<2x4x6xf32>>) attributes {tx.note = "kept"} {
    // CHECK-NEXT: step.launch 0 @dropout in <recompute, layer 3, "residual"> flops 1056 immediates [0xfffffff9] (<transient, 0x0, tensor<2x4x6xf32>, stride 18>, <argument, 0x0, tensor<4xi32>, "key">) -> (<transient, 0x240, tensor<2x4x6xf32>>)
    step.launch 0 @dropout in <recompute, layer 3, "residual"> flops 1056 immediates [-7] (<transient, 0, tensor<2x4x6xf32>, stride 18>, <argument, 0, tensor<4xi32>, "key">) -> (<transient, 576, tensor<2x4x6xf32>>)
    // CHECK-NEXT: step.gemm 1 in <backward, "output_layer"> m 6 n 6 k 8 transpose_a batch 2 x 1 alpha 5.000000e-01 beta 1.000000e+00 (a <transient, 0x240, tensor<2x4x6xf32>> lda 6 strides [24, 0], b <transient, 0x240, tensor<2x4x6xf32>> ldb 6 strides [24, 0], reset <argument, 0x14, tensor<i1>>) -> (c <persistent, 0x0, tensor<6x6xf32>, "w.grad"> ldc 6)
    step.gemm 1 in <backward, "output_layer"> m 6 n 6 k 8 transpose_a batch 2 x 1 alpha 0.5 beta 1.0 (a <transient, 0x240, tensor<2x4x6xf32>> lda 6 strides [24, 0], b <transient, 0x240, tensor<2x4x6xf32>> ldb 6 strides [24, 0], reset <argument, 0x14, tensor<i1>>) -> (c <persistent, 0x0, tensor<6x6xf32>, "w.grad"> ldc 6)
    // What a product reads stands before the arrow, what it writes behind.
    // CHECK-NEXT: step.gemm 2 {{.*}} (a {{.*}} ldb 6, bias <persistent, 0x0, tensor<6xf32>, "b">) -> (c <transient, 0x0, tensor<8x6xf32>> ldc 6, scratch <transient, 0x100, tensor<64xi8>>)
    step.gemm 2 in <"fc"> m 8 n 6 k 6 alpha 1.0 beta 0.0 (a <transient, 0x240, tensor<8x6xf32>> lda 6, b <persistent, 0x0, tensor<6x6xf32>> ldb 6, bias <persistent, 0x0, tensor<6xf32>, "b">) -> (c <transient, 0x0, tensor<8x6xf32>> ldc 6, scratch <transient, 0x100, tensor<64xi8>>)
    // CHECK-NEXT: step.gemm 3 {{.*}} transpose_b alpha {{.*}} (a {{.*}} ldb 6) -> (c {{.*}} ldc 6, sums_b <persistent, 0x0, tensor<6xf32>>)
    step.gemm 3 in <"fc"> m 8 n 6 k 6 transpose_b alpha 1.0 beta 0.0 (a <transient, 0x0, tensor<8x6xf32>> lda 6, b <persistent, 0x0, tensor<6x6xf32>> ldb 6) -> (c <transient, 0x180, tensor<8x6xf32>> ldc 6, sums_b <persistent, 0x0, tensor<6xf32>>)
    // Two heads in a row share a matrix of b.
    // CHECK-NEXT: step.gemm 4 {{.*}} batch 2 x 4 {{.*}} (a {{.*}} strides [12, 3], b {{.*}} ldb 6 strides [6, 3] repeat 2) -> (c
    step.gemm 4 in <"core_attn"> m 1 n 1 k 3 transpose_b batch 2 x 4 alpha 1.0 beta 0.0 (a <transient, 0x0, tensor<2x1x12xf32>> lda 12 strides [12, 3], b <transient, 0x80, tensor<2x1x6xf32>> ldb 6 strides [6, 3] repeat 2) -> (c <transient, 0x180, tensor<2x4x1x1xf32>> ldc 1 strides [4, 1])
    // CHECK-NEXT: step.collective 5 send_recv in <"loss"> axis "tp" ranks 3 peer -1 wraps sent 96 (<transient, 0x0, tensor<24xf32>>) -> (<transient, 0x60, tensor<24xf32>>)
    step.collective 5 send_recv in <"loss"> axis "tp" ranks 3 peer -1 wraps sent 96 (<transient, 0x0, tensor<24xf32>>) -> (<transient, 0x60, tensor<24xf32>>)
  }
  // An entry may have no launches.
  // CHECK: step.entry @ids (x<argument, 0x0, tensor<4xi32>> ids<below = 7, ignored = -100>, y<argument, 0x10, tensor<4xi32>> ids<below = 7>, z<argument, 0x20, tensor<4xi32>> ids<ignored = 0>) -> () {
  // CHECK: step.entry @nothing () -> () {
  // CHECK-NEXT: }
  step.entry @ids (x<argument, 0x0, tensor<4xi32>> ids<below = 7, ignored = -100>, y<argument, 0x10, tensor<4xi32>> ids<below = 7>, z<argument, 0x20, tensor<4xi32>> ids<ignored = 0>) -> () {
  }
  step.entry @nothing () -> () {
  }
}

// CHECK: step.program @empty arena(persistent 0, argument 0, saved 0, transient 0) {
// CHECK-NEXT: }
step.program @empty arena(persistent 0, argument 0, saved 0, transient 0) {
}

// What a launch waits for stands behind its scope.
// CHECK-LABEL: step.program @waits
step.program @waits arena(persistent 192, argument 0, saved 0, transient 1024) {
  step.kernel @k row [8, 6] (%x: tensor<8x6xf32>) {
    %y = tx.gelu %x in <""> : tensor<8x6xf32>
    step.yield %y : tensor<8x6xf32>
  }
  // CHECK: step.entry @f
  step.entry @f () -> () {
    // CHECK-NEXT: step.launch 0 @k in <"a"> flops 672 (
    step.launch 0 @k in <"a"> flops 672 (<transient, 0x0, tensor<8x6xf32>>) -> (<persistent, 0x0, tensor<8x6xf32>>)
    // CHECK-NEXT: step.collective 1 all_reduce in <"b"> waits [0] axis "dp" ranks 4 sent 288 (
    step.collective 1 all_reduce in <"b"> waits [0] axis "dp" ranks 4 sent 288 (<persistent, 0x0, tensor<8x6xf32>>) -> (<persistent, 0x0, tensor<8x6xf32>>)
    // CHECK-NEXT: step.launch 2 @k in <"c"> waits [1] flops 672 (
    step.launch 2 @k in <"c"> waits [1] flops 672 (<persistent, 0x0, tensor<8x6xf32>>) -> (<transient, 0x0, tensor<8x6xf32>>)
    // CHECK-NEXT: step.gemm 3 in <"d"> waits [1] m 4
    step.gemm 3 in <"d"> waits [1] m 4 n 8 k 6 alpha 1.0 beta 0.0 (a <transient, 0x0, tensor<4x6xf32>> lda 6, b <persistent, 0x0, tensor<6x8xf32>> ldb 8) -> (c <transient, 0x200, tensor<4x8xf32>> ldc 8)
  }
}
