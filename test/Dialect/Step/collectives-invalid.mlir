// Every message about collectives: what the runtime would refuse of a launch table.
// RUN: tx-opt %s --split-input-file --verify-diagnostics

step.program @buffers arena(persistent 0, argument 0, saved 0, transient 128) {
  step.entry @f () -> () {
    // expected-error @below {{Invalid attribute `to` in property conversion: 64 : i64}}
    "step.collective"() <{number = 0 : i64, kind = 0 : i32, scope = #tx.scope<"a">, axis = "tp", ranks = 2 : i64, sent = 0 : i64, from = #step.buffer<transient, 0x0, tensor<6xf32>>, to = 64 : i64}> : () -> ()
  }
}

// -----

step.program @strided arena(persistent 0, argument 0, saved 0, transient 128) {
  step.entry @f () -> () {
    // expected-error @below {{takes tensors whose rows follow each other, found #step.buffer<transient, 0x0, tensor<2x4xf32>, stride 6>}}
    step.collective 0 all_reduce in <"a"> axis "tp" ranks 2 sent 0 (<transient, 0x0, tensor<2x4xf32>, stride 6>) -> (<transient, 0x0, tensor<2x4xf32>, stride 6>)
  }
}

// -----

step.program @none arena(persistent 0, argument 0, saved 0, transient 128) {
  step.entry @f () -> () {
    // expected-error @below {{takes 1 to 1048576 ranks, found 0}}
    step.collective 0 all_reduce in <"a"> axis "tp" ranks 0 sent 0 (<transient, 0x0, tensor<6xf32>>) -> (<transient, 0x0, tensor<6xf32>>)
  }
}

// -----

step.program @apart arena(persistent 0, argument 0, saved 0, transient 128) {
  step.entry @f () -> () {
    // expected-error @below {{has 2 ranks 524289 apart, of at most 1048576}}
    step.collective 0 all_reduce in <"a"> axis "tp" ranks 2 stride 524289 sent 0 (<transient, 0x0, tensor<6xf32>>) -> (<transient, 0x0, tensor<6xf32>>)
  }
}

// -----

step.program @root arena(persistent 0, argument 0, saved 0, transient 128) {
  step.entry @f () -> () {
    // expected-error @below {{has peer 2 among 2 ranks}}
    step.collective 0 broadcast in <"a"> axis "tp" ranks 2 peer 2 sent 0 (<transient, 0x0, tensor<6xf32>>) -> (<transient, 0x0, tensor<6xf32>>)
  }
}

// -----

step.program @peer arena(persistent 0, argument 0, saved 0, transient 128) {
  step.entry @f () -> () {
    // expected-error @below {{has peer 1 among 2 ranks}}
    step.collective 0 all_reduce in <"a"> axis "tp" ranks 2 peer 1 sent 0 (<transient, 0x0, tensor<6xf32>>) -> (<transient, 0x0, tensor<6xf32>>)
  }
}

// -----

step.program @shift arena(persistent 0, argument 0, saved 0, transient 128) {
  step.entry @f () -> () {
    // expected-error @below {{has peer -2 among 2 ranks}}
    step.collective 0 send_recv in <"a"> axis "tp" ranks 2 peer -2 sent 0 (<transient, 0x0, tensor<6xf32>>) -> (<transient, 0x40, tensor<6xf32>>)
  }
}

// -----

step.program @blocks arena(persistent 0, argument 0, saved 0, transient 128) {
  step.entry @f () -> () {
    // expected-error @below {{has 'tensor<6xf32>' as 4 blocks for 2 ranks}}
    step.collective 0 all_gather in <"a"> axis "tp" ranks 2 outer 4 sent 0 (<transient, 0x0, tensor<6xf32>>) -> (<transient, 0x40, tensor<12xf32>>)
  }
}

// -----

step.program @parts arena(persistent 0, argument 0, saved 0, transient 128) {
  step.entry @f () -> () {
    // expected-error @below {{has 'tensor<6xf32>' as 2 blocks for 2 ranks}}
    step.collective 0 reduce_scatter in <"a"> axis "tp" ranks 2 outer 2 sent 0 (<transient, 0x0, tensor<6xf32>>) -> (<transient, 0x40, tensor<3xf32>>)
  }
}

// -----

step.program @type arena(persistent 0, argument 0, saved 0, transient 128) {
  step.entry @f () -> () {
    // expected-error @below {{makes 'tensor<6xbf16>' of 'tensor<6xf32>' on 2 ranks}}
    step.collective 0 all_reduce in <"a"> axis "tp" ranks 2 sent 0 (<transient, 0x0, tensor<6xf32>>) -> (<transient, 0x40, tensor<6xbf16>>)
  }
}

// -----

step.program @gathered arena(persistent 0, argument 0, saved 0, transient 128) {
  step.entry @f () -> () {
    // expected-error @below {{makes 'tensor<6xf32>' of 'tensor<6xf32>' on 2 ranks}}
    step.collective 0 all_gather in <"a"> axis "tp" ranks 2 sent 0 (<transient, 0x0, tensor<6xf32>>) -> (<transient, 0x40, tensor<6xf32>>)
  }
}

// -----

step.program @scattered arena(persistent 0, argument 0, saved 0, transient 128) {
  step.entry @f () -> () {
    // expected-error @below {{makes 'tensor<2xf32>' of 'tensor<6xf32>' on 2 ranks}}
    step.collective 0 reduce_scatter in <"a"> axis "tp" ranks 2 sent 0 (<transient, 0x0, tensor<6xf32>>) -> (<transient, 0x40, tensor<2xf32>>)
  }
}

// -----

step.program @in_place arena(persistent 0, argument 0, saved 0, transient 128) {
  step.entry @f () -> () {
    // expected-error @below {{writes #step.buffer<transient, 0x0, tensor<6xf32>> over #step.buffer<transient, 0x0, tensor<6xf32>>, which it reads}}
    step.collective 0 all_to_all in <"a"> axis "tp" ranks 2 sent 0 (<transient, 0x0, tensor<6xf32>>) -> (<transient, 0x0, tensor<6xf32>>)
  }
}

// -----

step.program @overlap arena(persistent 0, argument 0, saved 0, transient 128) {
  step.entry @f () -> () {
    // expected-error @below {{writes #step.buffer<transient, 0x14, tensor<6xf32>> over #step.buffer<transient, 0x0, tensor<6xf32>>, which it reads}}
    step.collective 0 all_reduce in <"a"> axis "tp" ranks 2 sent 0 (<transient, 0x0, tensor<6xf32>>) -> (<transient, 0x14, tensor<6xf32>>)
  }
}

// -----

step.program @beyond arena(persistent 0, argument 0, saved 0, transient 128) {
  step.entry @f () -> () {
    // expected-error @below {{reaches beyond its segment with #step.buffer<transient, 0x78, tensor<6xf32>>}}
    step.collective 0 all_reduce in <"a"> axis "tp" ranks 2 sent 0 (<transient, 0x0, tensor<6xf32>>) -> (<transient, 0x78, tensor<6xf32>>)
  }
}
