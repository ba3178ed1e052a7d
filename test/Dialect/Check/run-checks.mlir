// RUN: tx-opt %s --tx-run-checks 2>&1 | FileCheck %s

// What is compared with what, where it holds.

// Each comparison but the one of f64 is made on the reference and on the host, at each level of its CPU.
// CHECK: {{[0-9]+}} comparisons hold on the reference, host
// CHECK: module {
// CHECK-NEXT: }

// The op rounds before it compares: 0.1 + 0.2 in double is not the f32 that is written here.
func.func @rounded_to_its_type() {
  %x = arith.constant dense<0.1> : tensor<1xf32>
  %y = arith.constant dense<0.2> : tensor<1xf32>
  %sum = tx.add %x, %y in <"x"> : tensor<1xf32>
  check.equal %sum, dense<0x3E99999A> : tensor<1xf32>
  return
}

// All NaNs are one, whatever their bits; an infinity has a sign.
func.func @not_numbers() {
  %x = arith.constant dense<[0x7FC00000, 0xFFC00001, 0x7F800000, 0xFF800000, 0x7F800000]> : tensor<5xf32>
  %y = arith.constant dense<[1.0, 1.0, 1.0, 1.0, 0xFF800000]> : tensor<5xf32>
  %sum = tx.add %x, %y in <"x"> : tensor<5xf32>
  check.equal %sum, dense<[0x7FC00000, 0x7F800001, 0x7F800000, 0xFF800000, 0xFFFFFFFF]> : tensor<5xf32>
  check.near %sum, dense<[0x7FC00000, 0x7F800001, 0x7F800000, 0xFF800000, 0x7FC00000]> : tensor<5xf32> within absolute 1.0
  return
}

// Zeros of both signs.
func.func @zeros() {
  %x = arith.constant dense<[0.0, -0.0, -0.0]> : tensor<3xf32>
  %y = arith.constant dense<[0.0, 0.0, -0.0]> : tensor<3xf32>
  %sum = tx.add %x, %y in <"x"> : tensor<3xf32>
  check.equal %sum, dense<[0.0, 0.0, -0.0]> : tensor<3xf32>
  check.near %sum, dense<[-0.0, -0.0, 0.0]> : tensor<3xf32> within relative 1.0e-6
  return
}

// At the bound is within it.
func.func @at_the_bound() {
  %x = arith.constant dense<[1.0, 3.0]> : tensor<2xf32>
  %y = arith.constant dense<[1.0, 1.0]> : tensor<2xf32>
  %sum = tx.add %x, %y in <"x"> : tensor<2xf32>
  check.near %sum, dense<[2.5, 3.5]> : tensor<2xf32> within absolute 0.5
  check.near %sum, dense<[4.0, 8.0]> : tensor<2xf32> within relative 0.5
  check.near %sum, dense<[4.5, 8.5]> : tensor<2xf32> within absolute 0.25 relative 0.5
  return
}

// Written values may have a name, and a scalar has no index.
func.func @named() {
  %x = arith.constant dense<1.0> : tensor<f32>
  %two = arith.constant dense<2.0> : tensor<f32>
  %sum = tx.add %x, %x in <"x"> : tensor<f32>
  check.equal %sum, %two : tensor<f32>
  return
}

// The same numbers for one seed; integers below the bound.
func.func @random() {
  %x = check.random seed 7 from 0.0 to 1.0 : tensor<2x3xf32>
  %same = check.random seed 7 from 0.0 to 1.0 : tensor<2x3xf32>
  %tokens = check.random seed 7 from 0.0 to 3.0 : tensor<2x3xi32>
  %zeros = arith.constant dense<-0.0> : tensor<2x3xf32>
  %table = arith.constant dense<[[0.5], [1.5], [2.5]]> : tensor<3x1xf32>
  %y = tx.add %x, %zeros in <"x"> : tensor<2x3xf32>
  %rows = tx.embedding %tokens, %table in <"x"> : tensor<2x3xi32>, tensor<3x1xf32>
  check.equal %y, %same : tensor<2x3xf32>
  check.near %y, dense<0.5> : tensor<2x3xf32> within absolute 0.5
  check.near %rows, dense<1.5> : tensor<2x3x1xf32> within absolute 1.0
  return
}

// Of f64, so on the reference alone, with all its digits.
func.func @double() {
  %x = arith.constant dense<1.0> : tensor<1xf64>
  %y = arith.constant dense<1.0e-15> : tensor<1xf64>
  %sum = tx.add %x, %y in <"x"> : tensor<1xf64>
  check.equal %sum, dense<0x3FF0000000000005> : tensor<1xf64>
  return
}
