// Faults on purpose: each is found on the addresses alone.
// RUN: tx-opt %s --tx-verify-placement --split-input-file --verify-diagnostics

// expected-error @below {{has a value without an address}}
func.func @no_address(%x: tensor<2x6xf32>) {
  return
}

// -----

// The product overwrites what the last kernel still needs.
func.func @overwritten(%x: tensor<2x6xf32> {step.buffer = #step.buffer<argument, 0x0, tensor<2x6xf32>>}, %w: tensor<6x6xf32> {step.buffer = #step.buffer<argument, 0x40, tensor<6x6xf32>>}) -> tensor<2x6xf32> {
  %0 = step.group row [2, 6] in <"a"> (%a = %x) {step.buffers = [#step.buffer<transient, 0x0, tensor<2x6xf32>>]} : (tensor<2x6xf32>) -> tensor<2x6xf32> {
    %3 = tx.gelu %a in <"a"> : tensor<2x6xf32>
    step.yield %3 : tensor<2x6xf32>
  }
  %1 = tx.linear %x, %w in <"b"> {step.buffers = [#step.buffer<transient, 0x10, tensor<2x6xf32>>]} : tensor<2x6xf32>, tensor<6x6xf32> -> tensor<2x6xf32>
  // expected-error @below {{reads #step.buffer<transient, 0x0, tensor<2x6xf32>> after something else was written there}}
  %2 = step.group row [2, 6] in <"c"> (%a = %0, %b = %1) {step.buffers = [#step.buffer<transient, 0x80, tensor<2x6xf32>>]} : (tensor<2x6xf32>, tensor<2x6xf32>) -> tensor<2x6xf32> {
    %3 = tx.add %a, %b in <"c"> : tensor<2x6xf32>
    step.yield %3 : tensor<2x6xf32>
  }
  return %2 : tensor<2x6xf32>
}

// -----

// A matrix product reads its operands many times: no result may lie there.
func.func @product_in_place(%x: tensor<6x6xf32> {step.buffer = #step.buffer<argument, 0x0, tensor<6x6xf32>>}) -> tensor<6x6xf32> {
  // expected-error @below {{over #step.buffer<argument, 0x0, tensor<6x6xf32>>, which it reads in another order}}
  %0 = tx.linear %x, %x in <"a"> {step.buffers = [#step.buffer<argument, 0x0, tensor<6x6xf32>>]} : tensor<6x6xf32>, tensor<6x6xf32> -> tensor<6x6xf32>
  return %0 : tensor<6x6xf32>
}

// -----

// Two results of one kernel in one place.
func.func @two_results(%x: tensor<2x6xf32> {step.buffer = #step.buffer<argument, 0x0, tensor<2x6xf32>>}) -> tensor<2x6xf32> {
  // expected-error @below {{which it writes, too}}
  %0:2 = step.group row [2, 6] in <"a"> (%a = %x) {step.buffers = [#step.buffer<transient, 0x0, tensor<2x6xf32>>, #step.buffer<transient, 0x0, tensor<2x6xf32>>]} : (tensor<2x6xf32>) -> (tensor<2x6xf32>, tensor<2x6xf32>) {
    %3 = tx.gelu %a in <"a"> : tensor<2x6xf32>
    %4 = tx.add %3, %a in <"a"> : tensor<2x6xf32>
    step.yield %3, %4 : tensor<2x6xf32>, tensor<2x6xf32>
  }
  return %0#1 : tensor<2x6xf32>
}


// -----

// Columns from 6 on begin 24 bytes after the whole.
func.func @view_elsewhere(%qkv: tensor<2x18xf32> {step.buffer = #step.buffer<argument, 0x0, tensor<2x18xf32>>}) {
  // expected-error @below {{takes #step.buffer<argument, 0x30, tensor<2x6xf32>, stride 18> for the columns from 6 on of #step.buffer<argument, 0x0, tensor<2x18xf32>>}}
  %k = tx.slice %qkv 6 size 6 in <"a"> {step.buffers = [#step.buffer<argument, 0x30, tensor<2x6xf32>, stride 18>]} : tensor<2x18xf32>
  return
}

// -----

// The rows of a view are as far apart as those of the whole.
func.func @view_of_other_rows(%qkv: tensor<2x18xf32> {step.buffer = #step.buffer<argument, 0x0, tensor<2x18xf32>>}) {
  // expected-error @below {{for the columns from 0 on}}
  %q = tx.slice %qkv 0 size 6 in <"a"> {step.buffers = [#step.buffer<argument, 0x0, tensor<2x6xf32>>]} : tensor<2x18xf32>
  return
}

// -----

// A sum that goes on elsewhere lacks what was there before.
tx.global @w parameter {step.buffer = #step.buffer<persistent, 0x0, tensor<6xf32>>} : tensor<6xf32>
tx.global @w.grad gradient of @w {step.buffer = #step.buffer<persistent, 0x40, tensor<6xf32>>} : tensor<6xf32>
func.func @accumulator_elsewhere(%dy: tensor<2x6xf32> {step.buffer = #step.buffer<argument, 0x0, tensor<2x6xf32>>}) {
  %g = tx.load @w.grad {step.buffers = [#step.buffer<persistent, 0x40, tensor<6xf32>>]} : tensor<6xf32>
  // expected-error @below {{writes #step.buffer<transient, 0x0, tensor<6xf32>>, but continues what lies at #step.buffer<persistent, 0x40, tensor<6xf32>>}}
  %0 = step.group column [2, 6] in <backward, "a"> (%a = %dy, %acc = %g) {step.buffers = [#step.buffer<transient, 0x0, tensor<6xf32>>]} : (tensor<2x6xf32>, tensor<6xf32>) -> tensor<6xf32> {
    %1 = tx.bias_grad %a into %acc in <backward, "a"> : tensor<2x6xf32>, tensor<6xf32>
    step.yield %1 : tensor<6xf32>
  }
  tx.store %0, @w.grad : tensor<6xf32>
  return
}

// -----

// A store writes nothing: its value has to be there already.
tx.global @w parameter {step.buffer = #step.buffer<persistent, 0x0, tensor<6xf32>>} : tensor<6xf32>
func.func @stored_elsewhere(%x: tensor<6xf32> {step.buffer = #step.buffer<argument, 0x0, tensor<6xf32>>}) {
  // expected-error @below {{stores what does not lie at its global's place}}
  tx.store %x, @w : tensor<6xf32>
  return
}

// -----

// A load computes nothing: its value lies where the global does.
tx.global @w parameter {step.buffer = #step.buffer<persistent, 0x0, tensor<6xf32>>} : tensor<6xf32>
func.func @loaded_elsewhere() {
  // expected-error @below {{is not where its global lies}}
  %0 = tx.load @w {step.buffers = [#step.buffer<persistent, 0x40, tensor<6xf32>>]} : tensor<6xf32>
  return
}

// -----

func.func @view_without_address(%qkv: tensor<2x18xf32> {step.buffer = #step.buffer<argument, 0x0, tensor<2x18xf32>>}) {
  // expected-error @below {{has a result without an address}}
  %k = tx.slice %qkv 6 size 6 in <"a"> : tensor<2x18xf32>
  return
}

// -----

func.func @no_scratch(%x: tensor<6x6xf32> {step.buffer = #step.buffer<argument, 0x0, tensor<6x6xf32>>}) -> tensor<6x6xf32> {
  // expected-error @below {{has no scratch, of which it needs some}}
  %0 = tx.linear %x, %x in <"a"> {step.scratch_bytes = 512 : i64, step.buffers = [#step.buffer<transient, 0x0, tensor<6x6xf32>>]} : tensor<6x6xf32>, tensor<6x6xf32> -> tensor<6x6xf32>
  return %0 : tensor<6x6xf32>
}

// -----

func.func @scratch_over_result(%x: tensor<6x6xf32> {step.buffer = #step.buffer<argument, 0x0, tensor<6x6xf32>>}) -> tensor<6x6xf32> {
  // expected-error @below {{has its scratch #step.buffer<transient, 0x80, tensor<512xi8>> over its result #step.buffer<transient, 0x0, tensor<6x6xf32>>}}
  %0 = tx.linear %x, %x in <"a"> {step.scratch = #step.buffer<transient, 0x80, tensor<512xi8>>, step.buffers = [#step.buffer<transient, 0x0, tensor<6x6xf32>>]} : tensor<6x6xf32>, tensor<6x6xf32> -> tensor<6x6xf32>
  return %0 : tensor<6x6xf32>
}

// -----

func.func @scratch_over_operand(%x: tensor<6x6xf32> {step.buffer = #step.buffer<argument, 0x0, tensor<6x6xf32>>}) -> tensor<6x6xf32> {
  // expected-error @below {{over #step.buffer<argument, 0x0, tensor<6x6xf32>>, which it reads}}
  %0 = tx.linear %x, %x in <"a"> {step.scratch = #step.buffer<argument, 0x0, tensor<512xi8>>, step.buffers = [#step.buffer<transient, 0x0, tensor<6x6xf32>>]} : tensor<6x6xf32>, tensor<6x6xf32> -> tensor<6x6xf32>
  return %0 : tensor<6x6xf32>
}

// -----

// Whatever lies there is lost.
func.func @scratch_over_live(%x: tensor<6x6xf32> {step.buffer = #step.buffer<argument, 0x0, tensor<6x6xf32>>}) -> tensor<6x6xf32> {
  %0 = tx.linear %x, %x in <"a"> {step.buffers = [#step.buffer<transient, 0x0, tensor<6x6xf32>>]} : tensor<6x6xf32>, tensor<6x6xf32> -> tensor<6x6xf32>
  %1 = tx.linear %x, %x in <"a"> {step.scratch = #step.buffer<transient, 0x0, tensor<256xi8>>, step.buffers = [#step.buffer<transient, 0x200, tensor<6x6xf32>>]} : tensor<6x6xf32>, tensor<6x6xf32> -> tensor<6x6xf32>
  // expected-error @below {{reads #step.buffer<transient, 0x0, tensor<6x6xf32>> after something else was written there}}
  %2 = tx.linear %0, %1 in <"b"> {step.buffers = [#step.buffer<transient, 0x400, tensor<6x6xf32>>]} : tensor<6x6xf32>, tensor<6x6xf32> -> tensor<6x6xf32>
  return %2 : tensor<6x6xf32>
}

// -----

// The second part of a pack starts at its element 64.
tx.global @w parameter {step.buffer = #step.buffer<persistent, 0x0, tensor<6xf32>>} : tensor<6xf32>
tx.global @b parameter {step.buffer = #step.buffer<persistent, 0x40, tensor<6xf32>>} : tensor<6xf32>
func.func @run_elsewhere() {
  %w = tx.load @w {step.buffers = [#step.buffer<persistent, 0x0, tensor<6xf32>>]} : tensor<6xf32>
  %b = tx.load @b {step.buffers = [#step.buffer<persistent, 0x40, tensor<6xf32>>]} : tensor<6xf32>
  // expected-error @below {{takes #step.buffer<persistent, 0x40, tensor<6xf32>> for the elements from 64 on of #step.buffer<persistent, 0x0, tensor<128xf32>>}}
  %p = tx.pack %w, %b in <"a"> {step.buffers = [#step.buffer<persistent, 0x0, tensor<128xf32>>]} : tensor<6xf32>, tensor<6xf32> -> tensor<128xf32>
  return
}

// -----

// What is read through a view may not be written over either.
func.func @under_a_view(%qkv: tensor<6x18xf32> {step.buffer = #step.buffer<argument, 0x0, tensor<6x18xf32>>}) -> tensor<6x6xf32> {
  %q = tx.slice %qkv 0 size 6 in <"a"> {step.buffers = [#step.buffer<argument, 0x0, tensor<6x6xf32>, stride 18>]} : tensor<6x18xf32>
  // expected-error @below {{over #step.buffer<argument, 0x0, tensor<6x6xf32>, stride 18>, which it reads in another order}}
  %0 = tx.linear %q, %q in <"a"> {step.buffers = [#step.buffer<argument, 0x0, tensor<6x6xf32>, stride 18>]} : tensor<6x6xf32>, tensor<6x6xf32> -> tensor<6x6xf32>
  return %0 : tensor<6x6xf32>
}

// -----

// A part that was overwritten is not in the pack any more.
tx.global @w parameter {step.buffer = #step.buffer<persistent, 0x0, tensor<6xf32>>} : tensor<6xf32>
func.func @overwritten_part(%dy: tensor<2x6xf32> {step.buffer = #step.buffer<argument, 0x0, tensor<2x6xf32>>}) -> tensor<1xf32> {
  %w = tx.load @w {step.buffers = [#step.buffer<persistent, 0x0, tensor<6xf32>>]} : tensor<6xf32>
  %p = tx.pack %w in <"a"> {step.buffers = [#step.buffer<persistent, 0x0, tensor<64xf32>>]} : tensor<6xf32> -> tensor<64xf32>
  %w1 = step.group column [2, 6] in <backward, "a"> (%a = %dy, %acc = %w) {step.buffers = [#step.buffer<persistent, 0x0, tensor<6xf32>>]} : (tensor<2x6xf32>, tensor<6xf32>) -> tensor<6xf32> {
    %1 = tx.bias_grad %a into %acc in <backward, "a"> : tensor<2x6xf32>, tensor<6xf32>
    step.yield %1 : tensor<6xf32>
  }
  // expected-error @below {{reads #step.buffer<persistent, 0x0, tensor<64xf32>> after something else was written there}}
  %0 = step.group flat [1, 64] in <"a"> (%x = %p) {step.buffers = [#step.buffer<transient, 0x0, tensor<1xf32>>]} : (tensor<64xf32>) -> tensor<1xf32> {
    %1 = tx.sum_of_squares %x in <"a"> : tensor<64xf32>
    step.yield %1 : tensor<1xf32>
  }
  tx.store %w1, @w : tensor<6xf32>
  return %0 : tensor<1xf32>
}

// -----

// Addresses end where their segment does: of an argument,
// expected-error @below {{'func.func' op has #step.buffer<argument, 0x40, tensor<2x6xf32>>, which ends at byte 112 of a segment of 64}}
func.func @argument_outside(%x: tensor<2x6xf32> {step.buffer = #step.buffer<argument, 0x40, tensor<2x6xf32>>}) attributes {step.argument_bytes = 64 : i64} {
  return
}

// -----

// of a result,
func.func @result_outside(%x: tensor<6x6xf32> {step.buffer = #step.buffer<argument, 0x0, tensor<6x6xf32>>}) attributes {step.argument_bytes = 192 : i64, step.transient_bytes = 192 : i64} {
  // expected-error @below {{has #step.buffer<transient, 0x40, tensor<6x6xf32>>, which ends at byte 208 of a segment of 192}}
  %0 = tx.linear %x, %x in <"a"> {step.buffers = [#step.buffer<transient, 0x40, tensor<6x6xf32>>]} : tensor<6x6xf32>, tensor<6x6xf32> -> tensor<6x6xf32>
  return
}

// -----

// of scratch,
func.func @scratch_outside(%x: tensor<6x6xf32> {step.buffer = #step.buffer<argument, 0x0, tensor<6x6xf32>>}) attributes {step.argument_bytes = 192 : i64, step.transient_bytes = 256 : i64} {
  // expected-error @below {{has #step.buffer<transient, 0xc0, tensor<128xi8>>, which ends at byte 320 of a segment of 256}}
  %0 = tx.linear %x, %x in <"a"> {step.scratch = #step.buffer<transient, 0xc0, tensor<128xi8>>, step.buffers = [#step.buffer<transient, 0x0, tensor<6x6xf32>>]} : tensor<6x6xf32>, tensor<6x6xf32> -> tensor<6x6xf32>
  return
}

// -----

// of state.
module attributes {step.persistent_bytes = 64 : i64} {
  // expected-error @below {{has #step.buffer<persistent, 0x40, tensor<6xf32>>, which ends at byte 88 of a segment of 64}}
  tx.global @w parameter {step.buffer = #step.buffer<persistent, 0x40, tensor<6xf32>>} : tensor<6xf32>
}

// -----

// Nothing is in flight between entries yet.
// expected-error @below {{has #step.buffer<saved, 0x0, tensor<6xf32>>, which ends at byte 24 of a segment of 0}}
func.func @saved(%x: tensor<6xf32> {step.buffer = #step.buffer<saved, 0x0, tensor<6xf32>>}) {
  return
}

// -----

// expected-error @below {{'func.func' op has #step.buffer<argument, 0x0, tensor<6xf32>> for a value of type 'tensor<7xf32>'}}
func.func @other_type(%x: tensor<7xf32> {step.buffer = #step.buffer<argument, 0x0, tensor<6xf32>>}) {
  return
}

// -----

// expected-error @below {{has #step.buffer<argument, 0x2, tensor<6xf32>>, which is not aligned to its elements of 4 bytes}}
func.func @odd(%x: tensor<6xf32> {step.buffer = #step.buffer<argument, 0x2, tensor<6xf32>>}) {
  return
}

// -----

tx.global @w parameter {step.buffer = #step.buffer<persistent, 0x0, tensor<6xf32>>} : tensor<6xf32>
// expected-error @below {{lies at #step.buffer<persistent, 0x10, tensor<6xf32>>, over @w at #step.buffer<persistent, 0x0, tensor<6xf32>>}}
tx.global @b parameter {step.buffer = #step.buffer<persistent, 0x10, tensor<6xf32>>} : tensor<6xf32>

// -----

// State that the function does not load is there all the same.
tx.global @w parameter {step.buffer = #step.buffer<persistent, 0x0, tensor<6x6xf32>>} : tensor<6x6xf32>
func.func @over_state(%x: tensor<6x6xf32> {step.buffer = #step.buffer<argument, 0x0, tensor<6x6xf32>>}) {
  // expected-error @below {{writes #step.buffer<persistent, 0x0, tensor<6x6xf32>>, where state lies, which it does not continue}}
  %0 = tx.linear %x, %x in <"a"> {step.buffers = [#step.buffer<persistent, 0x0, tensor<6x6xf32>>]} : tensor<6x6xf32>, tensor<6x6xf32> -> tensor<6x6xf32>
  return
}

// -----

func.func @scratch_elsewhere(%x: tensor<6x6xf32> {step.buffer = #step.buffer<argument, 0x0, tensor<6x6xf32>>}) {
  // expected-error @below {{has its scratch #step.buffer<persistent, 0x0, tensor<64xi8>>; scratch is transient}}
  %0 = tx.linear %x, %x in <"a"> {step.scratch = #step.buffer<persistent, 0x0, tensor<64xi8>>, step.buffers = [#step.buffer<transient, 0x0, tensor<6x6xf32>>]} : tensor<6x6xf32>, tensor<6x6xf32> -> tensor<6x6xf32>
  return
}

// -----

func.func @small_scratch(%x: tensor<6x6xf32> {step.buffer = #step.buffer<argument, 0x0, tensor<6x6xf32>>}) {
  // expected-error @below {{has its scratch #step.buffer<transient, 0x100, tensor<64xi8>>, of which it needs 128 bytes}}
  %0 = tx.linear %x, %x in <"a"> {step.scratch_bytes = 128 : i64, step.scratch = #step.buffer<transient, 0x100, tensor<64xi8>>, step.buffers = [#step.buffer<transient, 0x0, tensor<6x6xf32>>]} : tensor<6x6xf32>, tensor<6x6xf32> -> tensor<6x6xf32>
  return
}

// -----

// Where nothing is checked, that is said.
// expected-remark @below {{does not say how long segment argument is; no address was checked against its end}}
// expected-remark @below {{does not say how long segment transient is; no address was checked against its end}}
module {
  func.func @unbounded(%x: tensor<6x6xf32> {step.buffer = #step.buffer<argument, 0x0, tensor<6x6xf32>>}) {
    %0 = tx.linear %x, %x in <"a"> {step.buffers = [#step.buffer<transient, 0x0, tensor<6x6xf32>>]} : tensor<6x6xf32>, tensor<6x6xf32> -> tensor<6x6xf32>
    return
  }
}

// -----

// expected-remark @below {{has no function whose placement could be checked}}
module {
  func.func private @declared(tensor<6xf32>)
}
