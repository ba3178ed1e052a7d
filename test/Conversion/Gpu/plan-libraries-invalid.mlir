// RUN: not tx-opt %s --pass-pipeline='builtin.module(func.func(tx-plan-gpu-libraries{arch=ampere}))' 2>&1 | FileCheck %s

// CHECK: error: takes an architecture such as sm_90, found 'ampere'
func.func @f() {
  return
}
