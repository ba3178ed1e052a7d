// Every message about waits. Whether they suffice is the loader's business.
// RUN: tx-opt %s --split-input-file --verify-diagnostics

step.program @itself arena(persistent 0, argument 0, saved 0, transient 128) {
  step.entry @f () -> () {
    // expected-error @below {{waits for launch 0, which is not before it in its entry}}
    step.collective 0 all_reduce in <"a"> waits [0] axis "dp" ranks 2 sent 0 (<transient, 0x0, tensor<6xf32>>) -> (<transient, 0x0, tensor<6xf32>>)
  }
}

// -----

step.program @negative arena(persistent 0, argument 0, saved 0, transient 128) {
  step.entry @f () -> () {
    // expected-error @below {{waits for launch -1, which is not before it in its entry}}
    step.collective 0 all_reduce in <"a"> waits [-1] axis "dp" ranks 2 sent 0 (<transient, 0x0, tensor<6xf32>>) -> (<transient, 0x0, tensor<6xf32>>)
  }
}

// -----

step.program @other arena(persistent 0, argument 0, saved 0, transient 1024) {
  step.entry @f () -> () {
    step.collective 0 all_reduce in <"a"> axis "dp" ranks 2 sent 0 (<transient, 0x0, tensor<6xf32>>) -> (<transient, 0x0, tensor<6xf32>>)
  }
  step.entry @g () -> () {
    // expected-error @below {{waits for launch 0, which is not before it in its entry}}
    step.gemm 1 in <"b"> waits [0] m 4 n 8 k 6 alpha 1.0 beta 0.0 (a <transient, 0x0, tensor<4x6xf32>> lda 6, b <transient, 0x100, tensor<6x8xf32>> ldb 8) -> (c <transient, 0x200, tensor<4x8xf32>> ldc 8)
  }
}

// -----

step.program @own arena(persistent 0, argument 0, saved 0, transient 128) {
  step.entry @f () -> () {
    step.collective 0 all_reduce in <"a"> axis "dp" ranks 2 sent 0 (<transient, 0x0, tensor<6xf32>>) -> (<transient, 0x0, tensor<6xf32>>)
    // expected-error @below {{waits for launch 0 of its own lane, 'collectives', which runs launches in order}}
    step.collective 1 all_reduce in <"a"> waits [0] axis "dp" ranks 2 sent 0 (<transient, 0x0, tensor<6xf32>>) -> (<transient, 0x0, tensor<6xf32>>)
  }
}

// -----

step.program @two arena(persistent 0, argument 0, saved 0, transient 1024) {
  step.entry @f () -> () {
    step.collective 0 all_reduce in <"a"> axis "dp" ranks 2 sent 0 (<transient, 0x0, tensor<6xf32>>) -> (<transient, 0x0, tensor<6xf32>>)
    step.collective 1 all_reduce in <"a"> axis "dp" ranks 2 sent 0 (<transient, 0x40, tensor<6xf32>>) -> (<transient, 0x40, tensor<6xf32>>)
    // expected-error @below {{waits for launches 0 and 1 of lane 'collectives'; the later one would do}}
    step.gemm 2 in <"b"> waits [0, 1] m 4 n 8 k 6 alpha 1.0 beta 0.0 (a <transient, 0x0, tensor<4x6xf32>> lda 6, b <transient, 0x100, tensor<6x8xf32>> ldb 8) -> (c <transient, 0x200, tensor<4x8xf32>> ldc 8)
  }
}
