// RUN: tx-opt %s --pass-pipeline='builtin.module(func.func(tx-fuse-kernels))' --verify-diagnostics

// expected-error @below {{has more than one block; tx functions are flat}}
func.func @blocks(%x: tensor<4x8xf32>) -> tensor<4x8xf32> {
  return %x : tensor<4x8xf32>
^unreachable:
  return %x : tensor<4x8xf32>
}
