// RUN: tx-opt %s --pass-pipeline='builtin.module(func.func(tx-fuse-kernels))' --verify-diagnostics

// expected-error @below {{@blocks must have one block, has 2}}
func.func @blocks(%x: tensor<4x8xf32>) -> tensor<4x8xf32> {
  return %x : tensor<4x8xf32>
^unreachable:
  return %x : tensor<4x8xf32>
}
