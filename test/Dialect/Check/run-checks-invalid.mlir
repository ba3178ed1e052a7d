// RUN: tx-opt %s --tx-run-checks --split-input-file --verify-diagnostics

// What fails says where, on which backend, which element, what was expected and found.

func.func @first() {
  %x = arith.constant dense<[[1.0, 2.0], [3.0, 4.0]]> : tensor<2x2xf32>
  %y = tx.add %x, %x in <"x"> : tensor<2x2xf32>
  // expected-error-re @below {{'check.equal' op on the reference, host{{.*}}: 2 of 4 elements differ, the first at [0, 1]: expected 4.00000048 (0x40800001), found 4 (0x40800000)}}
  check.equal %y, dense<[[2.0, 0x40800001], [6.0, 9.0]]> : tensor<2x2xf32>
  return
}

// -----

func.func @worst() {
  %x = arith.constant dense<[[1.0, 2.0], [3.0, 4.0]]> : tensor<2x2xf32>
  %y = tx.add %x, %x in <"x"> : tensor<2x2xf32>
  // expected-error-re @below {{'check.near' op on the reference, host{{.*}}: 2 of 4 elements differ, the worst at [1, 1]: expected 9, found 8; allowed is absolute 1.000000e-01 + relative 1.000000e-03}}
  check.near %y, dense<[[2.0, 4.5], [6.0, 9.0]]> : tensor<2x2xf32> within absolute 0.1 relative 0.001
  return
}

// -----

// NaN is worse than any number.
func.func @not_a_number() {
  %x = arith.constant dense<[1.0, 0x7FC00000]> : tensor<2xf32>
  %y = tx.add %x, %x in <"x"> : tensor<2xf32>
  // expected-error-re @below {{2 of 2 elements differ, the worst at [1]: expected 1, found nan; allowed is absolute 1.000000e-01}}
  check.near %y, dense<[1.0e30, 1.0]> : tensor<2xf32> within absolute 0.1
  return
}

// -----

// An infinity is not near the other one, nor a number.
func.func @infinities() {
  %x = arith.constant dense<[0x7F800000, 0x7F800000]> : tensor<2xf32>
  %y = tx.add %x, %x in <"x"> : tensor<2xf32>
  // expected-error-re @below {{2 of 2 elements differ, the worst at [0]: expected -inf, found inf}}
  check.near %y, dense<[0xFF800000, 3.0e38]> : tensor<2xf32> within relative 1.0e30
  return
}

// -----

// 0 is not -0, for the op that compares bits; a scalar has no index.
func.func @zero() {
  %x = arith.constant dense<0.0> : tensor<f32>
  %y = tx.add %x, %x in <"x"> : tensor<f32>
  // expected-error-re @below {{1 of 1 elements differ, the first at []: expected -0 (0x80000000), found 0 (0x00000000)}}
  check.equal %y, dense<-0.0> : tensor<f32>
  return
}

// -----

func.func @narrow() {
  %x = arith.constant dense<1.0> : tensor<1xbf16>
  %y = tx.add %x, %x in <"x"> : tensor<1xbf16>
  // expected-error-re @below {{expected 2.015625 (0x4001), found 2 (0x4000)}}
  check.equal %y, dense<0x4001> : tensor<1xbf16>
  return
}

// -----

// The host has each result in f32, the reference not: 3e38 + 3e38 is infinite in one place.
func.func @on_one_backend() {
  %x = arith.constant dense<3.0e38> : tensor<1xf32>
  %minus = arith.constant dense<-3.0e38> : tensor<1xf32>
  %y = tx.add %x, %x in <"x"> : tensor<1xf32>
  %z = tx.add %y, %minus in <"x"> : tensor<1xf32>
  // expected-error-re @below {{'check.equal' op on host{{.*}}: 1 of 1 elements differ, the first at [0]: expected 3.00000001e+38 (0x7F61B1E6), found inf}}
  check.equal %z, dense<3.0e38> : tensor<1xf32>
  // expected-error @below {{'check.equal' op on the reference: 1 of 1 elements differ}}
  check.equal %z, dense<0x7F800000> : tensor<1xf32>
  return
}

// -----

// Two values are compared on each backend.
func.func @two_values() {
  %x = arith.constant dense<[1.0, 2.0]> : tensor<2xf32>
  %y = tx.add %x, %x in <"x"> : tensor<2xf32>
  %z = tx.add %y, %x in <"x"> : tensor<2xf32>
  // expected-error-re @below {{on the reference, host{{.*}}: 2 of 2 elements differ, the first at [0]: expected 3 (0x40400000), found 2 (0x40000000)}}
  check.equal %y, %z : tensor<2xf32>
  return
}

// -----

// expected-error @below {{has no function to check: it is a test that cannot fail}}
module {
  func.func private @declared()
}

// -----

// expected-error @below {{@nothing has no check.equal and no check.near: it is a test that cannot fail}}
func.func @nothing() {
  %x = arith.constant dense<0.0> : tensor<1xf32>
  %y = tx.add %x, %x in <"x"> : tensor<1xf32>
  return
}

// -----

// expected-error @below {{has no function that the host can run: each has f64, which is the reference's alone; add one with f32}}
module {
  func.func @double() {
    %x = arith.constant dense<1.0> : tensor<1xf64>
    %y = tx.add %x, %x in <"x"> : tensor<1xf64>
    check.equal %y, dense<2.0> : tensor<1xf64>
    return
  }
}

// -----

// expected-error @below {{@f takes arguments; the inputs of a check are written in it, as %x = arith.constant dense<[1.0, 2.0]> : tensor<2xf32>}}
func.func @f(%x: tensor<1xf32>) {
  %y = tx.add %x, %x in <"x"> : tensor<1xf32>
  check.equal %y, dense<0.0> : tensor<1xf32>
  return
}

// -----

// expected-error @below {{@f returns values, which nothing compares; check.equal and check.near do}}
func.func @f() -> tensor<1xf32> {
  %x = arith.constant dense<0.0> : tensor<1xf32>
  %y = tx.add %x, %x in <"x"> : tensor<1xf32>
  check.equal %y, dense<0.0> : tensor<1xf32>
  return %y : tensor<1xf32>
}

// -----

// expected-error @below {{@f has 2 blocks; a check has one}}
func.func @f() {
  return
^other:
  return
}

// -----

tx.global @w parameter : tensor<1xf32>
func.func @f() {
  // expected-error @below {{has no place in a check, whose inputs are written in it; compare the value that would be stored}}
  %x = tx.load @w : tensor<1xf32>
  %y = tx.add %x, %x in <"x"> : tensor<1xf32>
  check.equal %y, dense<0.0> : tensor<1xf32>
  return
}

// -----

func.func @f() {
  // expected-error @below {{gives 'f32'; a check computes with tensors of f32, bf16, i32, i1 and f64, of static shape}}
  %x = arith.constant 1.0 : f32
  return
}

// -----

func.func @f() {
  // expected-error @below {{gives 'tensor<2xcomplex<f32>>'; a check computes with tensors of f32, bf16, i32, i1 and f64}}
  %x = arith.constant dense<(1.0, 0.0)> : tensor<2xcomplex<f32>>
  return
}

// -----

func.func @f() {
  // expected-error @below {{gives 'tensor<2xi64>'; a check computes with tensors of f32, bf16, i32, i1 and f64}}
  %x = arith.constant dense<1> : tensor<2xi64>
  return
}

// -----

func.func @f() {
  // expected-error @below {{gives 'tensor<4096x4097xf32>'; in a check, tensors have at most 16777216 elements}}
  %x = arith.constant dense<0.0> : tensor<4096x4097xf32>
  return
}

// -----

// What a backend refuses is an error where it stands: the reference knows no arith,
func.func @f() {
  %x = arith.constant dense<1.0> : tensor<1xf32>
  // expected-error @below {{'arith.addf' op is unknown to the reference}}
  // expected-error @below {{}}
  %y = arith.addf %x, %x : tensor<1xf32>
  check.equal %y, dense<2.0> : tensor<1xf32>
  return
}

// -----

// and the host no sums beside a product.
func.func @f() {
  %x = arith.constant dense<1.0> : tensor<1x1xf32>
  %acc = arith.constant dense<0.0> : tensor<1x1xf32>
  // expected-error @below {{gives sums beside a product, which the library of this target does not}}
  %g, %sums = tx.linear_weight_grad %x, %x into %acc in <backward, "fc"> : tensor<1x1xf32>, tensor<1x1xf32>, tensor<1x1xf32> sums tensor<1xf32>
  check.equal %sums, dense<1.0> : tensor<1xf32>
  return
}
