// RUN: not tx-opt %s --pass-pipeline='builtin.module(tx-plan-gpu-libraries{arch=ampere})' 2>&1 | FileCheck %s

// CHECK: error: takes architectures such as sm_90, found 'ampere'
func.func @f() {
  return
}
