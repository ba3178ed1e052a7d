// Every message of the verifiers and of the parsers: what a launch table cannot hold.
// RUN: tx-opt %s --split-input-file --verify-diagnostics

// expected-error @below {{unknown segment 'stack'; known: persistent, argument, saved, transient}}
module attributes {test.buffer = #step.buffer<stack, 0, tensor<2x6xf32>>} {}

// -----

// expected-error @below {{a buffer holds numbers in a static shape, found 'tensor<2x?xf32>'}}
module attributes {test.buffer = #step.buffer<saved, 0x0, tensor<2x?xf32>>} {}

// -----

// expected-error @below {{a buffer holds numbers in a static shape, found 'tensor<2x6xindex>'}}
module attributes {test.buffer = #step.buffer<saved, 0x0, tensor<2x6xindex>>} {}

// -----

// expected-error @below {{has a tensor with a dimension of 0 elements; every dimension must be at least 1: 'tensor<2x0xf32>'}}
module attributes {test.buffer = #step.buffer<saved, 0x0, tensor<2x0xf32>>} {}

// -----

// expected-error @below {{a buffer has no negative offset or stride}}
module attributes {test.buffer = #step.buffer<saved, -64, tensor<2x6xf32>>} {}

// -----

// expected-error @below {{a buffer has no negative offset or stride}}
module attributes {test.buffer = #step.buffer<saved, 0x0, tensor<2x6xf32>, stride -6>} {}

// -----

// expected-error @below {{rows of 6 elements do not fit a stride of 5}}
module attributes {test.buffer = #step.buffer<saved, 0x0, tensor<2x6xf32>, stride 5>} {}

// -----

// Its elements are few, its rows far apart.
// expected-error @below {{a buffer reaches beyond 2^63 bytes}}
module attributes {test.buffer = #step.buffer<saved, 0x0, tensor<4294967296x2xf32>, stride 4294967296>} {}

// -----

// expected-error @below {{a buffer reaches beyond 2^63 bytes}}
module attributes {test.buffer = #step.buffer<saved, 0x7ffffffffffffff8, tensor<2x6xf32>>} {}

// -----

func.func @gemm_group(%x: tensor<2x6xf32>) {
  // expected-error @below {{unknown kernel kind 'gemm'; known: row, column, flat, tile}}
  %0 = step.group gemm [2, 6] in <"a"> (%a = %x) : (tensor<2x6xf32>) -> tensor<2x6xf32> {
    step.yield %a : tensor<2x6xf32>
  }
  return
}

// -----

func.func @one_size(%x: tensor<2x6xf32>) {
  // expected-error @below {{'step.group' op needs a space [rows, columns] of positive sizes}}
  %0 = step.group row [2] in <"a"> (%a = %x) : (tensor<2x6xf32>) -> tensor<2x6xf32> {
    step.yield %a : tensor<2x6xf32>
  }
  return
}

// -----

func.func @three_sizes(%x: tensor<2x6xf32>) {
  // expected-error @below {{'step.group' op needs a space [rows, columns] of positive sizes}}
  %0 = step.group row [2, 3, 1] in <"a"> (%a = %x) : (tensor<2x6xf32>) -> tensor<2x6xf32> {
    step.yield %a : tensor<2x6xf32>
  }
  return
}

// -----

func.func @no_rows(%x: tensor<2x6xf32>) {
  // expected-error @below {{'step.group' op needs a space [rows, columns] of positive sizes}}
  %0 = step.group row [0, 6] in <"a"> (%a = %x) : (tensor<2x6xf32>) -> tensor<2x6xf32> {
    step.yield %a : tensor<2x6xf32>
  }
  return
}

// -----

func.func @no_columns(%x: tensor<2x6xf32>) {
  // expected-error @below {{'step.group' op needs a space [rows, columns] of positive sizes}}
  %0 = step.group row [2, -6] in <"a"> (%a = %x) : (tensor<2x6xf32>) -> tensor<2x6xf32> {
    step.yield %a : tensor<2x6xf32>
  }
  return
}

// -----

func.func @inputs_without_values(%x: tensor<2x6xf32>) {
  // expected-error @below {{has 1 inputs and 2 input types}}
  %0 = step.group row [2, 6] in <"a"> (%a = %x) : (tensor<2x6xf32>, tensor<2x6xf32>) -> tensor<2x6xf32> {
    step.yield %a : tensor<2x6xf32>
  }
  return
}

// -----

func.func @body_of_other_types(%x: tensor<2x6xf32>) {
  // expected-error @below {{'step.group' op must give its body the inputs' types}}
  %0 = "step.group"(%x) <{kind = 0 : i32, space = array<i64: 2, 6>, scope = #tx.scope<"a">}> ({
  ^bb0(%a: tensor<3x4xf32>):
    step.yield %a : tensor<3x4xf32>
  }) : (tensor<2x6xf32>) -> tensor<2x6xf32>
  return
}

// -----

func.func @yields_an_input(%x: tensor<2x6xf32>) {
  // expected-error @below {{'step.group' op must yield what its ops compute, each value once}}
  %0 = step.group row [2, 6] in <"a"> (%a = %x) : (tensor<2x6xf32>) -> tensor<2x6xf32> {
    step.yield %a : tensor<2x6xf32>
  }
  return
}

// -----

func.func @yields_twice(%x: tensor<2x6xf32>) {
  // expected-error @below {{'step.group' op must yield what its ops compute, each value once}}
  %0:2 = step.group row [2, 6] in <"a"> (%a = %x) : (tensor<2x6xf32>) -> (tensor<2x6xf32>, tensor<2x6xf32>) {
    %1 = tx.gelu %a in <"a"> : tensor<2x6xf32>
    step.yield %1, %1 : tensor<2x6xf32>, tensor<2x6xf32>
  }
  return
}

// -----

func.func @too_few_yielded(%x: tensor<2x6xf32>) {
  // expected-error @below {{'step.group' op must yield values of its result types}}
  %0:2 = step.group row [2, 6] in <"a"> (%a = %x) : (tensor<2x6xf32>) -> (tensor<2x6xf32>, tensor<2x6xf32>) {
    step.yield %a : tensor<2x6xf32>
  }
  return
}

// -----

func.func @op_of_another_kind(%x: tensor<2x6xf32>) {
  %0 = step.group column [2, 6] in <"a"> (%a = %x) : (tensor<2x6xf32>) -> tensor<2x6xf32> {
    // expected-error @below {{'tx.gelu' op cannot be part of a column kernel}}
    %1 = tx.gelu %a in <"a"> : tensor<2x6xf32>
    step.yield %1 : tensor<2x6xf32>
  }
  return
}

// -----

func.func @op_that_is_no_kernel(%x: tensor<2x6xf32>) {
  %0 = step.group row [2, 6] in <"a"> (%a = %x) : (tensor<2x6xf32>) -> tensor<2x6xf32> {
    // expected-error @below {{'arith.constant' op cannot be part of a row kernel}}
    %1 = arith.constant dense<0.0> : tensor<2x6xf32>
    step.yield %1 : tensor<2x6xf32>
  }
  return
}

// -----

func.func @op_of_another_space(%x: tensor<2x6xf32>) {
  %0 = step.group row [1, 12] in <"a"> (%a = %x) : (tensor<2x6xf32>) -> tensor<2x6xf32> {
    // expected-error @below {{'tx.gelu' op has a space of [2, 6], its kernel one of [1, 12]}}
    %1 = tx.gelu %a in <"a"> : tensor<2x6xf32>
    step.yield %1 : tensor<2x6xf32>
  }
  return
}

// -----

// Ops are verified before they are asked for their space.
func.func @op_of_no_shape(%x: tensor<2x6xf32>) {
  %0 = step.group row [2, 6] in <"a"> (%a = %x) : (tensor<2x6xf32>) -> tensor<2x6xf32> {
    // expected-error @below {{'tx.gelu' op result #0 must be statically shaped tensor}}
    %1 = "tx.gelu"(%a) {scope = #tx.scope<"a">} : (tensor<2x6xf32>) -> tensor<*xf32>
    step.yield %a : tensor<2x6xf32>
  }
  return
}

// -----

func.func @op_without_results(%x: tensor<2x6xf32>) {
  %0 = step.group row [2, 6] in <"a"> (%a = %x) : (tensor<2x6xf32>) -> tensor<2x6xf32> {
    // expected-error @below {{'tx.gelu' op requires one result}}
    "tx.gelu"() {scope = #tx.scope<"a">} : () -> ()
    step.yield %a : tensor<2x6xf32>
  }
  return
}

// -----

// expected-error @below {{'step.program' op has a segment of -1 bytes}}
step.program @p arena(persistent 0, argument 0, saved -1, transient 0) {

}

// -----

step.program @p arena(persistent 64, argument 64, saved 64, transient 64) {
  // expected-error @below {{'step.kernel' op needs a space [rows, columns] of positive sizes}}
  step.kernel @k row [0, 6] (%a: tensor<2x6xf32>) {
    step.yield %a : tensor<2x6xf32>
  }
}

// -----

step.program @p arena(persistent 64, argument 64, saved 64, transient 64) {
  // expected-error @below {{'step.kernel' op has -1 immediates}}
  step.kernel @k row [2, 6] immediates -1 (%a: tensor<2x6xf32>) {
    step.yield %a : tensor<2x6xf32>
  }
}

// -----

step.program @p arena(persistent 64, argument 64, saved 64, transient 64) {
  // expected-error @below {{'step.kernel' op has 2 buffers and 3 row strides}}
  step.kernel @k row [2, 6] strides [0, 0, 0] (%a: tensor<2x6xf32>) {
    step.yield %a : tensor<2x6xf32>
  }
}

// -----

step.program @p arena(persistent 64, argument 64, saved 64, transient 64) {
  // expected-error @below {{'step.kernel' op takes tensors of static shape, found 'i32'}}
  step.kernel @k row [2, 6] (%a: tensor<2x6xf32>, %b: i32) {
    step.yield %a : tensor<2x6xf32>
  }
}

// -----

step.program @p arena(persistent 64, argument 64, saved 64, transient 64) {
  // expected-error @below {{'step.kernel' op takes tensors of static shape, found 'tensor<2x?xf32>'}}
  step.kernel @k row [2, 6] (%a: tensor<2x6xf32>, %b: tensor<2x?xf32>) {
    step.yield %a : tensor<2x6xf32>
  }
}

// -----

step.program @p arena(persistent 64, argument 64, saved 64, transient 64) {
  // expected-error @below {{'step.kernel' op has rows of 6 elements at a stride of 5}}
  step.kernel @k row [2, 6] strides [0, 5] (%a: tensor<2x6xf32>) {
    step.yield %a : tensor<2x6xf32>
  }
}

// -----

step.program @p arena(persistent 64, argument 64, saved 64, transient 64) {
  // expected-error @below {{'step.kernel' op has rows of 6 elements at a stride of -6}}
  step.kernel @k row [2, 6] strides [-6, 0] (%a: tensor<2x6xf32>) {
    step.yield %a : tensor<2x6xf32>
  }
}

// -----

step.program @p arena(persistent 64, argument 64, saved 64, transient 64) {
  step.kernel @k row [2, 6] (%a: tensor<2x6xf32>, %c: tensor<6xf32>) {
    // expected-error @below {{'tx.bias_grad' op cannot be part of a row kernel}}
    %g = tx.bias_grad %a into %c in <""> : tensor<2x6xf32>, tensor<6xf32>
    step.yield %g : tensor<6xf32>
  }
}

// -----

step.program @p arena(persistent 64, argument 64, saved 64, transient 64) {
  // expected-error @below {{unknown segment 'stack'; known}}
  step.entry @f (x<stack, 0, tensor<2x6xf32>>) -> () {
  }
}

// -----

step.program @p arena(persistent 64, argument 64, saved 64, transient 64) {
  // expected-error @below {{'step.entry' op needs one buffer for each name}}
  "step.entry"() <{sym_name = "f", argument_names = ["x"], argument_buffers = [], argument_ids = [unit], result_names = [], result_buffers = []}> ({
  ^bb0:
  }) : () -> ()
}

// -----

step.program @p arena(persistent 64, argument 64, saved 64, transient 64) {
  // expected-error @below {{'step.entry' op has an address that is no step.buffer: 64 : i64}}
  "step.entry"() <{sym_name = "f", argument_names = ["x"], argument_buffers = [64], argument_ids = [unit], result_names = [], result_buffers = []}> ({
  ^bb0:
  }) : () -> ()
}

// -----

step.program @p arena(persistent 64, argument 64, saved 64, transient 64) {
  // expected-error @below {{'step.entry' op says of 0 of its 1 arguments whether they hold ids}}
  "step.entry"() <{sym_name = "f", argument_names = ["x"], argument_buffers = [#step.buffer<argument, 0x0, tensor<4xi32>>], argument_ids = [], result_names = [], result_buffers = []}> ({
  ^bb0:
  }) : () -> ()
}

// -----

step.program @p arena(persistent 64, argument 64, saved 64, transient 64) {
  step.entry @f () -> () {
    // expected-error @below {{'tx.load' op is no launch}}
    %w = tx.load @w : tensor<2x6xf32>
  }
}

// -----

// 36 bytes from 32 on are more than 64.
step.program @p arena(persistent 64, argument 64, saved 64, transient 64) {
  // expected-error @below {{'step.entry' op reaches beyond its segment with #step.buffer<argument, 0x20, tensor<3x3xf32>>}}
  step.entry @f (x<argument, 0x20, tensor<3x3xf32>>) -> () {
  }
}

// -----

step.program @p arena(persistent 64, argument 64, saved 64, transient 64) {
  // expected-error @below {{'step.entry' op reaches beyond its segment with #step.buffer<saved, 0x0, tensor<2x6xf32>, stride 11>}}
  step.entry @f () -> (y<saved, 0x0, tensor<2x6xf32>, stride 11>) {
  }
}

// -----

step.program @p arena(persistent 64, argument 64, saved 64, transient 64) {
  step.kernel @k row [2, 6] immediates 1 (%x: tensor<2x6xf32>, %key: tensor<4xi32>) {
    %y = tx.dropout %x, %key p 0.1 in <""> {step.immediate = 0 : i64} : tensor<2x6xf32>, tensor<4xi32>
    step.yield %y : tensor<2x6xf32>
  }
  step.entry @f () -> () {
    // expected-error @below {{'step.launch' op names no step.kernel: @other}}
    step.launch 0 @other in <"a"> flops 12 immediates [7] (<argument, 0x0, tensor<2x6xf32>>, <persistent, 0x0, tensor<4xi32>>) -> (<transient, 0x0, tensor<2x6xf32>>)
  }
}

// -----

// An entry is no kernel.
step.program @p arena(persistent 64, argument 64, saved 64, transient 64) {
  step.kernel @k row [2, 6] immediates 1 (%x: tensor<2x6xf32>, %key: tensor<4xi32>) {
    %y = tx.dropout %x, %key p 0.1 in <""> {step.immediate = 0 : i64} : tensor<2x6xf32>, tensor<4xi32>
    step.yield %y : tensor<2x6xf32>
  }
  step.entry @f () -> () {
    // expected-error @below {{'step.launch' op names no step.kernel: @f}}
    step.launch 0 @f in <"a"> flops 12 immediates [7] (<argument, 0x0, tensor<2x6xf32>>, <persistent, 0x0, tensor<4xi32>>) -> (<transient, 0x0, tensor<2x6xf32>>)
  }
}

// -----

step.program @p arena(persistent 64, argument 64, saved 64, transient 64) {
  step.kernel @k row [2, 6] immediates 1 (%x: tensor<2x6xf32>, %key: tensor<4xi32>) {
    %y = tx.dropout %x, %key p 0.1 in <""> {step.immediate = 0 : i64} : tensor<2x6xf32>, tensor<4xi32>
    step.yield %y : tensor<2x6xf32>
  }
  step.entry @f () -> () {
    // expected-error @below {{'step.launch' op has 1 inputs and 1 outputs, its kernel 2 and 1}}
    step.launch 0 @k in <"a"> flops 12 immediates [7] (<argument, 0x0, tensor<2x6xf32>>) -> (<transient, 0x0, tensor<2x6xf32>>)
  }
}

// -----

step.program @p arena(persistent 64, argument 64, saved 64, transient 64) {
  step.kernel @k row [2, 6] immediates 1 (%x: tensor<2x6xf32>, %key: tensor<4xi32>) {
    %y = tx.dropout %x, %key p 0.1 in <""> {step.immediate = 0 : i64} : tensor<2x6xf32>, tensor<4xi32>
    step.yield %y : tensor<2x6xf32>
  }
  step.entry @f () -> () {
    // expected-error @below {{'step.launch' op attribute 'inputs' failed to satisfy constraint: a list of step.buffer}}
    "step.launch"() <{number = 0 : i64, kernel = @k, inputs = [64], outputs = [], immediates = array<i32: 7>, flops = 12 : i64, scope = #tx.scope<"a">}> : () -> ()
  }
}

// -----

step.program @p arena(persistent 64, argument 64, saved 64, transient 64) {
  step.kernel @k row [2, 6] immediates 1 (%x: tensor<2x6xf32>, %key: tensor<4xi32>) {
    %y = tx.dropout %x, %key p 0.1 in <""> {step.immediate = 0 : i64} : tensor<2x6xf32>, tensor<4xi32>
    step.yield %y : tensor<2x6xf32>
  }
  step.entry @f () -> () {
    // expected-error @below {{'step.launch' op gives its kernel #step.buffer<argument, 0x0, tensor<3x4xf32>> where it takes 'tensor<2x6xf32>' of stride 0}}
    step.launch 0 @k in <"a"> flops 12 immediates [7] (<argument, 0x0, tensor<3x4xf32>>, <persistent, 0x0, tensor<4xi32>>) -> (<transient, 0x0, tensor<2x6xf32>>)
  }
}

// -----

step.program @p arena(persistent 64, argument 64, saved 64, transient 64) {
  step.kernel @k row [2, 6] immediates 1 (%x: tensor<2x6xf32>, %key: tensor<4xi32>) {
    %y = tx.dropout %x, %key p 0.1 in <""> {step.immediate = 0 : i64} : tensor<2x6xf32>, tensor<4xi32>
    step.yield %y : tensor<2x6xf32>
  }
  step.entry @f () -> () {
    // expected-error @below {{'step.launch' op gives its kernel #step.buffer<transient, 0x0, tensor<2x6xf32>, stride 8> where it takes 'tensor<2x6xf32>' of stride 0}}
    step.launch 0 @k in <"a"> flops 12 immediates [7] (<argument, 0x0, tensor<2x6xf32>>, <persistent, 0x0, tensor<4xi32>>) -> (<transient, 0x0, tensor<2x6xf32>, stride 8>)
  }
}

// -----

step.program @p arena(persistent 64, argument 64, saved 64, transient 64) {
  step.kernel @k row [2, 6] immediates 1 (%x: tensor<2x6xf32>, %key: tensor<4xi32>) {
    %y = tx.dropout %x, %key p 0.1 in <""> {step.immediate = 0 : i64} : tensor<2x6xf32>, tensor<4xi32>
    step.yield %y : tensor<2x6xf32>
  }
  step.entry @f () -> () {
    // expected-error @below {{'step.launch' op has 0 immediates, its kernel 1}}
    step.launch 0 @k in <"a"> flops 12 (<argument, 0x0, tensor<2x6xf32>>, <persistent, 0x0, tensor<4xi32>>) -> (<transient, 0x0, tensor<2x6xf32>>)
  }
}

// -----

step.program @p arena(persistent 64, argument 64, saved 64, transient 64) {
  step.kernel @k row [2, 6] immediates 1 (%x: tensor<2x6xf32>, %key: tensor<4xi32>) {
    %y = tx.dropout %x, %key p 0.1 in <""> {step.immediate = 0 : i64} : tensor<2x6xf32>, tensor<4xi32>
    step.yield %y : tensor<2x6xf32>
  }
  step.entry @f () -> () {
    // expected-error @below {{'step.launch' op reaches beyond its segment with #step.buffer<transient, 0x20, tensor<2x6xf32>>}}
    step.launch 0 @k in <"a"> flops 12 immediates [7] (<argument, 0x0, tensor<2x6xf32>>, <persistent, 0x0, tensor<4xi32>>) -> (<transient, 0x20, tensor<2x6xf32>>)
  }
}

// -----

step.program @p arena(persistent 64, argument 64, saved 64, transient 128) {
  step.entry @f () -> () {
    // expected-error @below {{a product without 'b'}}
    step.gemm 0 in <"a"> m 2 n 4 k 3 alpha 1.0 beta 0.0 (a <argument, 0x0, tensor<2x3xf32>> lda 3) -> (c <transient, 0x0, tensor<2x4xf32>> ldc 4)
  }
}

// -----

step.program @p arena(persistent 64, argument 64, saved 64, transient 128) {
  step.entry @f () -> () {
    // expected-error @below {{Invalid attribute `c` in property conversion: "C"}}
    "step.gemm"() <{number = 0 : i64, scope = #tx.scope<"a">, m = 2 : i64, n = 4 : i64, k = 3 : i64, batch0 = 1 : i64, batch1 = 1 : i64, alpha = 1.0 : f64, beta = 0.0 : f64, a = #step.buffer<argument, 0x0, tensor<2x3xf32>>, lda = 3 : i64, strides_a = array<i64: 0, 0>, b = #step.buffer<persistent, 0x0, tensor<3x4xf32>>, ldb = 4 : i64, strides_b = array<i64: 0, 0>, c = "C", ldc = 4 : i64, strides_c = array<i64: 0, 0>}> : () -> ()
  }
}

// -----

step.program @p arena(persistent 64, argument 64, saved 64, transient 128) {
  step.entry @f () -> () {
    // expected-error @below {{'step.gemm' op takes 2 strides of a batch for each matrix, found 1}}
    step.gemm 0 in <"a"> m 2 n 4 k 3 alpha 1.0 beta 0.0 (a <argument, 0x0, tensor<2x3xf32>> lda 3 strides [6], b <persistent, 0x0, tensor<3x4xf32>> ldb 4) -> (c <transient, 0x0, tensor<2x4xf32>> ldc 4)
  }
}

// -----

step.program @p arena(persistent 64, argument 64, saved 64, transient 64) {
  step.entry @f () -> () {
    // expected-error @below {{'step.gemm' op takes sizes of at least 1, found 0}}
    step.gemm 0 in <"a"> m 2 n 4 k 0 alpha 1.0 beta 0.0 (a <argument, 0x0, tensor<2x3xf32>> lda 3, b <persistent, 0x0, tensor<3x4xf32>> ldb 4) -> (c <transient, 0x0, tensor<2x4xf32>> ldc 4)
  }
}

// -----

step.program @p arena(persistent 64, argument 64, saved 64, transient 64) {
  step.entry @f () -> () {
    // expected-error @below {{'step.gemm' op takes sizes of at least 1, found -1}}
    step.gemm 0 in <"a"> m 2 n 4 k 3 batch 1 x -1 alpha 1.0 beta 0.0 (a <argument, 0x0, tensor<2x3xf32>> lda 3, b <persistent, 0x0, tensor<3x4xf32>> ldb 4) -> (c <transient, 0x0, tensor<2x4xf32>> ldc 4)
  }
}

// -----

step.program @p arena(persistent 64, argument 64, saved 64, transient 64) {
  step.entry @f () -> () {
    // expected-error @below {{'step.gemm' op has more than 2^63 FLOPs}}
    step.gemm 0 in <"a"> m 4294967296 n 4294967296 k 3 alpha 1.0 beta 0.0 (a <argument, 0x0, tensor<2x3xf32>> lda 3, b <persistent, 0x0, tensor<3x4xf32>> ldb 4) -> (c <transient, 0x0, tensor<2x4xf32>> ldc 4)
  }
}

// -----

step.program @p arena(persistent 64, argument 64, saved 64, transient 64) {
  step.entry @f () -> () {
    // expected-error @below {{'step.gemm' op reaches beyond its segment with #step.buffer<argument, 0x40, tensor<2x3xf32>>}}
    step.gemm 0 in <"a"> m 2 n 4 k 3 alpha 1.0 beta 0.0 (a <argument, 0x40, tensor<2x3xf32>> lda 3, b <persistent, 0x0, tensor<3x4xf32>> ldb 4) -> (c <transient, 0x0, tensor<2x4xf32>> ldc 4)
  }
}

// -----

step.program @p arena(persistent 64, argument 64, saved 64, transient 64) {
  step.entry @f () -> () {
    // expected-error @below {{'step.gemm' op takes 'bias' of 4 elements, found #step.buffer<persistent, 0x30, tensor<2xf32>>}}
    step.gemm 0 in <"a"> m 2 n 4 k 3 alpha 1.0 beta 0.0 (a <argument, 0x0, tensor<2x3xf32>> lda 3, b <persistent, 0x0, tensor<3x4xf32>> ldb 4, bias <persistent, 0x30, tensor<2xf32>>) -> (c <transient, 0x0, tensor<2x4xf32>> ldc 4)
  }
}

// -----

step.program @p arena(persistent 64, argument 64, saved 64, transient 64) {
  step.entry @f () -> () {
    // expected-error @below {{'step.gemm' op has 'bias' of a batch of products}}
    step.gemm 0 in <"a"> m 2 n 4 k 3 batch 1 x 2 alpha 1.0 beta 0.0 (a <argument, 0x0, tensor<2x3xf32>> lda 3, b <persistent, 0x0, tensor<3x4xf32>> ldb 4, bias <persistent, 0x30, tensor<4xf32>>) -> (c <transient, 0x0, tensor<2x4xf32>> ldc 4)
  }
}

// -----

step.program @p arena(persistent 64, argument 64, saved 64, transient 64) {
  step.entry @f () -> () {
    // expected-error @below {{'step.gemm' op has 'bias' and 'sums_b'; a product has one of them}}
    step.gemm 0 in <"a"> m 2 n 4 k 3 alpha 1.0 beta 0.0 (a <argument, 0x0, tensor<2x3xf32>> lda 3, b <persistent, 0x0, tensor<3x4xf32>> ldb 4, bias <persistent, 0x30, tensor<4xf32>>) -> (c <transient, 0x0, tensor<2x4xf32>> ldc 4, sums_b <transient, 0x20, tensor<4xf32>>)
  }
}

// -----

step.program @p arena(persistent 64, argument 64, saved 64, transient 64) {
  step.entry @f () -> () {
    // expected-error @below {{'step.gemm' op has matrices that 2 of 3 products share; a divisor would do}}
    step.gemm 0 in <"a"> m 1 n 1 k 1 batch 1 x 3 alpha 1.0 beta 0.0 (a <argument, 0x0, tensor<3x1xf32>> lda 1 strides [0, 1], b <persistent, 0x0, tensor<3x1xf32>> ldb 1 strides [0, 1] repeat 2) -> (c <transient, 0x0, tensor<3x1xf32>> ldc 1 strides [0, 1])
  }
}

// -----

step.program @p arena(persistent 64, argument 64, saved 64, transient 64) {
  step.entry @f () -> () {
    // expected-error @below {{'step.gemm' op multiplies the same two matrices many times: `repeat` is of a or of b}}
    step.gemm 0 in <"a"> m 1 n 1 k 1 batch 1 x 4 alpha 1.0 beta 0.0 (a <argument, 0x0, tensor<4x1xf32>> lda 1 strides [0, 1] repeat 2, b <persistent, 0x0, tensor<4x1xf32>> ldb 1 strides [0, 1] repeat 2) -> (c <transient, 0x0, tensor<4x1xf32>> ldc 1 strides [0, 1])
  }
}

// -----

step.program @p arena(persistent 64, argument 64, saved 64, transient 64) {
  step.entry @f () -> () {
    // expected-error @below {{'step.gemm' op reaches beyond its segment with #step.buffer<transient, 0x0, tensor<256xi8>>}}
    step.gemm 0 in <"a"> m 2 n 4 k 3 alpha 1.0 beta 0.0 (a <argument, 0x0, tensor<2x3xf32>> lda 3, b <persistent, 0x0, tensor<3x4xf32>> ldb 4) -> (c <transient, 0x0, tensor<2x4xf32>> ldc 4, scratch <transient, 0x0, tensor<256xi8>>)
  }
}

// -----

step.program @p arena(persistent 0, argument 256, saved 0, transient 256) {
  step.kernel @k row [8, 6] (%a: tensor<2x4x6xf32>) {
    %y = tx.gelu %a in <""> : tensor<2x4x6xf32>
    step.yield %y : tensor<2x4x6xf32>
  }
  step.entry @f () -> () {
    // expected-error @below {{attention takes 5 operands, found 2}}
    step.launch 0 @k in <"a"> flops 672 (<argument, 0x0, tensor<2x4x6xf32>>) -> (<transient, 0x0, tensor<2x4x6xf32>>) attention <forward causal deterministic batch 2 queries 4 keys 4 heads 2/2 width 3 scale 0.5 operands [0, 1]>
  }
}

// -----

step.program @p arena(persistent 0, argument 256, saved 0, transient 256) {
  step.kernel @k row [8, 6] (%a: tensor<2x4x6xf32>) {
    %y = tx.gelu %a in <""> : tensor<2x4x6xf32>
    step.yield %y : tensor<2x4x6xf32>
  }
  step.entry @f () -> () {
    // expected-error @below {{'step.launch' op is attention on buffer 2 of 2}}
    step.launch 0 @k in <"a"> flops 672 (<argument, 0x0, tensor<2x4x6xf32>>) -> (<transient, 0x0, tensor<2x4x6xf32>>) attention <forward causal deterministic batch 2 queries 4 keys 4 heads 2/2 width 3 scale 0.5 operands [0, 1, 2, 0, 0]>
  }
}

// -----

step.program @p arena(persistent 0, argument 256, saved 0, transient 256) {
  step.kernel @k row [8, 6] (%a: tensor<8x6xf32>) {
    %y = tx.gelu %a in <""> : tensor<8x6xf32>
    step.yield %y : tensor<8x6xf32>
  }
  step.entry @f () -> () {
    // expected-error @below {{'step.launch' op is attention whose operand 0 has the shape [2, 4, 6], found 'tensor<8x6xf32>'}}
    step.launch 0 @k in <"a"> flops 672 (<argument, 0x0, tensor<8x6xf32>>) -> (<transient, 0x0, tensor<8x6xf32>>) attention <forward causal deterministic batch 2 queries 4 keys 4 heads 2/2 width 3 scale 0.5 operands [0, 0, 0, 1, 1]>
  }
}

// -----

step.program @p arena(persistent 0, argument 256, saved 0, transient 256) {
  step.kernel @k row [8, 6] (%a: tensor<2x4x6xf32>) {
    %y = tx.gelu %a in <""> : tensor<2x4x6xf32>
    step.yield %y : tensor<2x4x6xf32>
  }
  step.entry @f () -> () {
    // expected-error @below {{attention has 4 heads, which do not share 3 heads of keys evenly}}
    step.launch 0 @k in <"a"> flops 672 (<argument, 0x0, tensor<2x4x6xf32>>) -> (<transient, 0x0, tensor<2x4x6xf32>>) attention <forward causal deterministic batch 2 queries 4 keys 4 heads 4/3 width 3 scale 0.5 operands [0, 0, 0, 1, 1]>
  }
}

// -----

step.program @p arena(persistent 0, argument 256, saved 0, transient 256) {
  step.kernel @k row [8, 6] (%a: tensor<2x4x6xf32>) {
    %y = tx.gelu %a in <""> : tensor<2x4x6xf32>
    step.yield %y : tensor<2x4x6xf32>
  }
  step.entry @f () -> () {
    // expected-error @below {{attention takes sizes of at least 1, found 0}}
    step.launch 0 @k in <"a"> flops 672 (<argument, 0x0, tensor<2x4x6xf32>>) -> (<transient, 0x0, tensor<2x4x6xf32>>) attention <forward batch 2 queries 4 keys 0 heads 2/2 width 3 scale 0.5 operands [0, 0, 0, 1, 1]>
  }
}

// -----

step.program @p arena(persistent 0, argument 256, saved 0, transient 256) {
  step.kernel @k row [8, 6] (%a: tensor<2x4x6xf32>) {
    %y = tx.gelu %a in <""> : tensor<2x4x6xf32>
    step.yield %y : tensor<2x4x6xf32>
  }
  step.entry @f () -> () {
    // expected-error @below {{attention takes a window of at least 1 key, or none, found -1}}
    step.launch 0 @k in <"a"> flops 672 (<argument, 0x0, tensor<2x4x6xf32>>) -> (<transient, 0x0, tensor<2x4x6xf32>>) attention <forward batch 2 queries 4 keys 4 heads 2/2 width 3 scale 0.5 window -1 operands [0, 0, 0, 1, 1]>
  }
}

// -----

step.program @p arena(persistent 0, argument 256, saved 0, transient 256) {
  step.kernel @k row [8, 6] (%a: tensor<2x4x6xf32>) {
    %y = tx.gelu %a in <""> : tensor<2x4x6xf32>
    step.yield %y : tensor<2x4x6xf32>
  }
  step.entry @f () -> () {
    // expected-error @below {{attention is 'forward' or 'backward', found 'causal'}}
    step.launch 0 @k in <"a"> flops 672 (<argument, 0x0, tensor<2x4x6xf32>>) -> (<transient, 0x0, tensor<2x4x6xf32>>) attention <causal batch 2 queries 4 keys 4 heads 2/2 width 3 scale 0.5 operands [0, 0, 0, 1, 1]>
  }
}

// -----

step.program @p arena(persistent 0, argument 256, saved 0, transient 256) {
  step.kernel @k row [8, 6] (%a: tensor<2x4x6xf32>) {
    %y = tx.gelu %a in <""> : tensor<2x4x6xf32>
    step.yield %y : tensor<2x4x6xf32>
  }
  step.entry @f () -> () {
    // expected-error @below {{'step.launch' op is attention whose operand 2 has the shape [2, 4, 10], found 'tensor<2x4x6xf32>'}}
    step.launch 0 @k in <"a"> flops 672 (<argument, 0x0, tensor<2x4x6xf32>>) -> (<transient, 0x0, tensor<2x4x6xf32>>) attention <forward batch 2 queries 4 keys 4 heads 2/2 width 3/5 scale 0.5 operands [0, 0, 0, 1, 1]>
  }
}

// -----

// Only the generic form can say so.
step.program @p arena(persistent 0, argument 0, saved 0, transient 0) {
  // expected-error @below {{'step.kernel' op is of a kind that is never generated: gemm}}
  "step.kernel"() <{sym_name = "k", kind = 3 : i32, space = array<i64: 2, 6>, row_strides = array<i64: 0, 0>, immediates = 0 : i64}> ({
  ^bb0(%a: tensor<2x6xf32>):
    step.yield %a : tensor<2x6xf32>
  }) : () -> ()
}

// -----

step.program @p arena(persistent 0, argument 0, saved 0, transient 0) {
  // expected-error @below {{'step.kernel' op of tiles is one op, found 0}}
  step.kernel @k tile [1, 6] (%a: tensor<2x6xf32>) {
    step.yield %a : tensor<2x6xf32>
  }
}

// -----

step.program @p arena(persistent 64, argument 64, saved 64, transient 128) {
  step.entry @f () -> () {
    // expected-error @below {{'sums_b' is no input of this product; known: a, b, reset, bias}}
    step.gemm 0 in <"a"> m 2 n 4 k 3 alpha 1.0 beta 0.0 (a <argument, 0x0, tensor<2x3xf32>> lda 3, b <persistent, 0x0, tensor<3x4xf32>> ldb 4, sums_b <transient, 0x40, tensor<4xf32>>) -> (c <transient, 0x0, tensor<2x4xf32>> ldc 4)
  }
}

// -----

step.program @p arena(persistent 64, argument 64, saved 64, transient 128) {
  step.entry @f () -> () {
    // expected-error @below {{'bias' is no output of this product; known: c, sums_a, sums_b, scratch}}
    step.gemm 0 in <"a"> m 2 n 4 k 3 alpha 1.0 beta 0.0 (a <argument, 0x0, tensor<2x3xf32>> lda 3, b <persistent, 0x0, tensor<3x4xf32>> ldb 4) -> (c <transient, 0x0, tensor<2x4xf32>> ldc 4, bias <persistent, 0x30, tensor<4xf32>>)
  }
}

// -----

step.program @p arena(persistent 64, argument 64, saved 64, transient 128) {
  step.entry @f () -> () {
    // expected-error @below {{'c' is there twice}}
    step.gemm 0 in <"a"> m 2 n 4 k 3 alpha 1.0 beta 0.0 (a <argument, 0x0, tensor<2x3xf32>> lda 3, b <persistent, 0x0, tensor<3x4xf32>> ldb 4) -> (c <transient, 0x0, tensor<2x4xf32>> ldc 4, c <transient, 0x0, tensor<2x4xf32>> ldc 4)
  }
}

// -----

step.program @p arena(persistent 64, argument 64, saved 64, transient 128) {
  step.entry @f () -> () {
    // expected-error @below {{'step.gemm' op has the number 7, but is launch 0 of its program}}
    step.gemm 7 in <"a"> m 2 n 4 k 3 alpha 1.0 beta 0.0 (a <argument, 0x0, tensor<2x3xf32>> lda 3, b <persistent, 0x0, tensor<3x4xf32>> ldb 4) -> (c <transient, 0x0, tensor<2x4xf32>> ldc 4)
  }
}

// -----

// Numbers go on from entry to entry.
step.program @p arena(persistent 64, argument 64, saved 64, transient 128) {
  step.entry @f () -> () {
    step.gemm 0 in <"a"> m 2 n 4 k 3 alpha 1.0 beta 0.0 (a <argument, 0x0, tensor<2x3xf32>> lda 3, b <persistent, 0x0, tensor<3x4xf32>> ldb 4) -> (c <transient, 0x0, tensor<2x4xf32>> ldc 4)
  }
  step.entry @g () -> () {
    // expected-error @below {{'step.gemm' op has the number 0, but is launch 1 of its program}}
    step.gemm 0 in <"a"> m 2 n 4 k 3 alpha 1.0 beta 0.0 (a <argument, 0x0, tensor<2x3xf32>> lda 3, b <persistent, 0x0, tensor<3x4xf32>> ldb 4) -> (c <transient, 0x0, tensor<2x4xf32>> ldc 4)
  }
}

// -----

step.program @p arena(persistent 64, argument 64, saved 64, transient 64) {
  step.kernel @k row [2, 6] immediates 1 (%x: tensor<2x6xf32>, %key: tensor<4xi32>) {
    %y = tx.dropout %x, %key p 0.1 in <""> {step.immediate = 0 : i64} : tensor<2x6xf32>, tensor<4xi32>
    step.yield %y : tensor<2x6xf32>
  }
  step.entry @f () -> () {
    // expected-error @below {{an immediate has 32 bits}}
    step.launch 0 @k in <"a"> flops 12 immediates [0x100000000] (<argument, 0x0, tensor<2x6xf32>>, <persistent, 0x0, tensor<4xi32>>) -> (<transient, 0x0, tensor<2x6xf32>>)
  }
}

// -----

step.program @p arena(persistent 64, argument 64, saved 64, transient 64) {
  // expected-error @below {{'step.entry' op @f has two arguments of the name 'x'}}
  step.entry @f (x<argument, 0x0, tensor<i1>>, x<argument, 0x1, tensor<i1>>) -> () {
  }
}

// -----

step.program @p arena(persistent 64, argument 64, saved 64, transient 64) {
  // expected-error @below {{'step.entry' op @f has two results of the name 'x'}}
  step.entry @f () -> (x<argument, 0x0, tensor<i1>>, x<argument, 0x1, tensor<i1>>) {
  }
}

// -----

step.program @p arena(persistent 64, argument 64, saved 64, transient 64) {
  // expected-error @below {{'step.entry' op has a name with a NUL character, after 'x'}}
  step.entry @f ("x\00y"<argument, 0x0, tensor<i1>>) -> () {
  }
}
