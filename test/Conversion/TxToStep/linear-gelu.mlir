// A product and GELU in one: one launch where the library has the epilogue, else the product and a kernel.
// RUN: tx-opt %s --pass-pipeline='builtin.module(func.func(tx-fuse-kernels),tx-place-memory,tx-verify-placement,tx-lower-to-step)' | FileCheck %s
// RUN: tx-opt %s --pass-pipeline='builtin.module(func.func(tx-fuse-epilogues,tx-fuse-kernels),tx-plan-gpu-libraries,tx-place-memory,tx-verify-placement,tx-lower-to-step)' | FileCheck %s --check-prefix=LIBRARY

// The product lies in pre, with its bias; the kernel reads it.
// CHECK-DAG: step.kernel @[[GELU:row[0-9]+_gelu]] row [8, 8] (%{{.*}}: tensor<2x4x8xbf16>)
// CHECK-DAG: step.kernel @[[GRAD:row[0-9]+_gelu_grad]] row [8, 8] (%{{.*}}: tensor<2x4x8xbf16>, %{{.*}}: tensor<2x4x8xbf16>)
// CHECK: step.entry @forward {{.*}} -> (result0<transient, [[Y:0x[0-9a-f]+]], {{.*}}, result1<transient, [[PRE:0x[0-9a-f]+]], {{.*}})
// CHECK-NEXT: step.launch {{[0-9]+}} @{{row[0-9]+_broadcast_rows}} {{.*}} -> (<transient, [[PRE]], tensor<2x4x8xbf16>>)
// CHECK-NEXT: step.gemm {{.*}} beta 1.0{{.*}} -> (c <transient, [[PRE]], tensor<2x4x8xbf16>> ldc 8){{$}}
// CHECK-NEXT: step.launch {{[0-9]+}} @[[GELU]] in <layer 0, "mlp.fc1"> flops 896 (<transient, [[PRE]], tensor<2x4x8xbf16>>) -> (<transient, [[Y]], tensor<2x4x8xbf16>>)
// CHECK-NEXT: }
// LIBRARY: step.entry @forward {{.*}} -> (result0<transient, [[Y:0x[0-9a-f]+]], {{.*}}, result1<transient, [[PRE:0x[0-9a-f]+]], {{.*}})
// LIBRARY-NEXT: step.gemm {{.*}} beta 0.0{{.*}} epilogue gelu_bias ({{.*}}, bias <argument, {{0x[0-9a-f]+}}, tensor<8xbf16>, {{.*}}>) -> (c <transient, [[Y]], tensor<2x4x8xbf16>> ldc 8, aux <transient, [[PRE]], tensor<2x4x8xbf16>>, scratch
// LIBRARY-NEXT: }
func.func @forward(%x: tensor<2x4x6xbf16>, %w: tensor<6x8xbf16>, %b: tensor<8xbf16>) -> (tensor<2x4x8xbf16>, tensor<2x4x8xbf16>) {
  %y, %pre = tx.linear_gelu %x, %w bias %b in <layer 0, "mlp.fc1"> : tensor<2x4x6xbf16>, tensor<6x8xbf16>, tensor<8xbf16> -> tensor<2x4x8xbf16>
  return %y, %pre : tensor<2x4x8xbf16>, tensor<2x4x8xbf16>
}

// The kernel writes where the product lies.
// CHECK: step.entry @backward {{.*}} pre<argument, [[PRE:0x[0-9a-f]+]], {{.*}} -> (result0<transient, [[D:0x[0-9a-f]+]],
// CHECK-NEXT: step.gemm {{.*}} beta 0.0{{.*}} -> (c <transient, [[D]], tensor<2x4x8xbf16>> ldc 8){{$}}
// CHECK-NEXT: step.launch {{[0-9]+}} @[[GRAD]] {{.*}} (<transient, [[D]], tensor<2x4x8xbf16>>, <argument, [[PRE]], tensor<2x4x8xbf16>, "pre">) -> (<transient, [[D]], tensor<2x4x8xbf16>>)
// CHECK-NEXT: }
// LIBRARY: step.entry @backward {{.*}} pre<argument, [[PRE:0x[0-9a-f]+]], {{.*}} -> (result0<transient, [[D:0x[0-9a-f]+]],
// LIBRARY-NEXT: step.gemm {{.*}} epilogue gelu_grad ({{.*}}, aux <argument, [[PRE]], tensor<2x4x8xbf16>, "pre">) -> (c <transient, [[D]], tensor<2x4x8xbf16>> ldc 8, scratch
// LIBRARY-NEXT: }
func.func @backward(%dy: tensor<2x4x6xbf16>, %w: tensor<8x6xbf16>, %pre: tensor<2x4x8xbf16> {tx.name = "pre"}) -> tensor<2x4x8xbf16> {
  %d = tx.linear_gelu_input_grad %dy, %w, %pre in <backward, layer 0, "mlp.fc2"> : tensor<2x4x6xbf16>, tensor<8x6xbf16> -> tensor<2x4x8xbf16>
  return %d : tensor<2x4x8xbf16>
}

// Nobody reads what GELU was applied to, as in evaluation; the library writes it all the same.
// LIBRARY: step.entry @evaluate
// LIBRARY-NEXT: step.gemm {{.*}} epilogue gelu ({{.*}}) -> ({{.*}}, aux <transient
func.func @evaluate(%x: tensor<2x4x6xbf16>, %w: tensor<6x8xbf16>) -> tensor<2x4x8xbf16> {
  %y, %pre = tx.linear_gelu %x, %w in <layer 0, "mlp.fc1"> : tensor<2x4x6xbf16>, tensor<6x8xbf16> -> tensor<2x4x8xbf16>
  return %y : tensor<2x4x8xbf16>
}
