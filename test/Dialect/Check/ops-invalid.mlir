// RUN: tx-opt %s --split-input-file --verify-diagnostics

func.func @types(%y: tensor<2xf32>) {
  // expected-note @above {{prior use here}}
  // expected-error @below {{use of value '%y' expects different type than prior uses: 'tensor<3xf32>' vs 'tensor<2xf32>'}}
  check.equal %y, dense<[1.0, 2.0, 3.0]> : tensor<3xf32>
  return
}

// -----

func.func @types_of_two(%y: tensor<2xf32>, %z: tensor<3xf32>) {
  // expected-error @below {{compares values of one type, found 'tensor<2xf32>' and 'tensor<3xf32>'}}
  "check.equal"(%y, %z) : (tensor<2xf32>, tensor<3xf32>) -> ()
  return
}

// -----

func.func @neither(%y: tensor<2xf32>) {
  // expected-error @below {{compares with written values or with another value, found neither}}
  "check.equal"(%y) : (tensor<2xf32>) -> ()
  return
}

// -----

func.func @both(%y: tensor<2xf32>, %z: tensor<2xf32>) {
  // expected-error @below {{compares with written values or with another value, found both}}
  "check.equal"(%y, %z) {written = dense<0.0> : tensor<2xf32>} : (tensor<2xf32>, tensor<2xf32>) -> ()
  return
}

// -----

func.func @not_dense(%y: tensor<2xf32>) {
  // expected-error @below {{takes written values as dense<...>, found sparse}}
  check.equal %y, sparse<[[0]], [1.0]> : tensor<2xf32>
  return
}

// -----

func.func @itself(%y: tensor<2xf32>) {
  // expected-error @below {{compares a value with itself, which cannot fail}}
  check.equal %y, %y : tensor<2xf32>
  return
}

// -----

func.func @written() {
  %x = arith.constant dense<0.0> : tensor<2xf32>
  // expected-error @below {{looks at a value that stands in the file, which cannot fail}}
  check.equal %x, dense<0.0> : tensor<2xf32>
  return
}

// -----

func.func @random() {
  %x = check.random seed 1 from 0.0 to 1.0 : tensor<2xf32>
  // expected-error @below {{looks at a value that stands in the file, which cannot fail}}
  check.equal %x, dense<0.0> : tensor<2xf32>
  return
}

// -----

func.func @no_tolerance(%y: tensor<2xf32>) {
  // expected-error @below {{expected 'absolute NUMBER', 'relative NUMBER', or both in this order}}
  check.near %y, dense<0.0> : tensor<2xf32> within 1.0e-6
  return
}

// -----

func.func @nothing_allowed(%y: tensor<2xf32>) {
  // expected-error @below {{allows nothing; check.equal compares bits}}
  check.near %y, dense<0.0> : tensor<2xf32> within absolute 0.0
  return
}

// -----

func.func @negative(%y: tensor<2xf32>) {
  // expected-error @below {{takes tolerances that are finite and not negative, found -1}}
  check.near %y, dense<0.0> : tensor<2xf32> within relative -1.0
  return
}

// -----

func.func @infinite(%y: tensor<2xf32>) {
  // expected-error @below {{takes tolerances that are finite and not negative, found}}
  check.near %y, dense<0.0> : tensor<2xf32> within absolute 1.0e400
  return
}

// -----

func.func @near_integers(%y: tensor<2xi32>) {
  // expected-error @below {{operand #0 must be statically shaped tensor}}
  check.near %y, dense<0> : tensor<2xi32> within absolute 1.0
  return
}

// -----

func.func @bounds() {
  // expected-error @below {{takes finite bounds, the lower one first, found 1.000000e+00 to 1.000000e+00}}
  %x = check.random seed 1 from 1.0 to 1.0 : tensor<2xf32>
  return
}

// -----

func.func @whole_bounds() {
  // expected-error @below {{of i32 takes whole bounds of 32 bits, found 0.000000e+00 to 2.500000e+00}}
  %x = check.random seed 1 from 0.0 to 2.5 : tensor<2xi32>
  return
}

// -----

func.func @wide_bounds() {
  // expected-error @below {{of i32 takes whole bounds of 32 bits}}
  %x = check.random seed 1 from 0.0 to 1.0e10 : tensor<2xi32>
  return
}
