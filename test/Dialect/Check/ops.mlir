// RUN: tx-opt %s | tx-opt | FileCheck %s

// Checks keep their form through text.

// CHECK-LABEL: func.func @forms(
func.func @forms(%y: tensor<2xf32>, %z: tensor<2xf32>, %b: tensor<2xbf16>) {
  // CHECK: check.random seed 1 from -2.000000e+00 to 2.000000e+00 : tensor<3x5xf32>
  %x = check.random seed 1 from -2.0 to 2.0 : tensor<3x5xf32>
  // CHECK: check.equal %{{.*}}, dense<[1.000000e+00, 2.000000e+00]> : tensor<2xf32>
  check.equal %y, dense<[1.0, 2.0]> : tensor<2xf32>
  // CHECK: check.equal %{{.*}}, %{{.*}} : tensor<2xf32>
  check.equal %y, %z : tensor<2xf32>
  // CHECK: check.near %{{.*}}, dense<1.000000e+00> : tensor<2xf32> within absolute 1.000000e-05
  check.near %y, dense<1.0> : tensor<2xf32> within absolute 1.0e-5
  // CHECK: check.near %{{.*}}, %{{.*}} : tensor<2xf32> within relative 1.000000e-05
  check.near %y, %z : tensor<2xf32> within relative 1.0e-5
  // CHECK: check.near %{{.*}}, dense<[0x7FC0, 1.000000e+00]> : tensor<2xbf16> within absolute 1.000000e-02 relative 1.000000e-03
  check.near %b, dense<[0x7FC0, 1.0]> : tensor<2xbf16> within absolute 1.0e-2 relative 1.0e-3
  return
}
