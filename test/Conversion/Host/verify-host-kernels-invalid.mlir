// What no kernel may hold: accesses whose code no test reads for each kind of CPU, and what CPUs do in several ways.
// RUN: tx-opt %s --tx-verify-host-kernels --split-input-file --verify-diagnostics

// LLVM 22 makes this a store of four bytes on all CPUs with AVX-512, where one lane is left.
func.func @masked_store(%row: memref<3xi16>, %at: index, %wide: vector<16xi32>, %mask: vector<16xi1>) {
  %narrow = arith.trunci %wide : vector<16xi32> to vector<16xi16>
  // expected-error @below {{'vector.maskedstore' op may access memory; host kernels do it by memref.load and store, vector.load and store, and amx.tile_load and store}}
  vector.maskedstore %row[%at], %mask, %narrow : memref<3xi16>, vector<16xi1>, vector<16xi16>
  return
}

// -----

func.func @masked_load(%row: memref<3xf32>, %at: index, %mask: vector<16xi1>, %rest: vector<16xf32>) {
  // expected-error @below {{'vector.maskedload' op may access memory; host kernels do it by memref.load and store}}
  %0 = vector.maskedload %row[%at], %mask, %rest : memref<3xf32>, vector<16xi1>, vector<16xf32> into vector<16xf32>
  return
}

// -----

// Becomes a masked load at the end of the row.
func.func @transfer(%row: memref<20xf32>, %at: index, %rest: f32) {
  // expected-error @below {{'vector.transfer_read' op may access memory; host kernels do it by memref.load and store}}
  %0 = vector.transfer_read %row[%at], %rest : memref<20xf32>, vector<16xf32>
  return
}

// -----

func.func private @other(%row: memref<3xf32>)

func.func @call(%row: memref<3xf32>) {
  // expected-error @below {{'func.call' op may access memory; host kernels do it by memref.load and store}}
  func.call @other(%row) : (memref<3xf32>) -> ()
  return
}

// -----

// Inside of loops, too.
func.func @three(%row: memref<16xf32>, %begin: index, %end: index, %step: index) {
  scf.for %at = %begin to %end step %step {
    // expected-error @below {{'vector.load' op accesses 3 neighbours, 12 bytes; host kernels access a power of two, at most 64 bytes}}
    %0 = vector.load %row[%at] : memref<16xf32>, vector<3xf32>
  }
  return
}

// -----

func.func @long(%row: memref<64xf32>, %at: index, %value: vector<32xf32>) {
  // expected-error @below {{'vector.store' op accesses 32 neighbours, 128 bytes; host kernels access a power of two, at most 64 bytes}}
  vector.store %value, %row[%at] : memref<64xf32>, vector<32xf32>
  return
}

// -----

func.func @matrix(%tile: memref<16x16xf32>, %at: index) {
  // expected-error @below {{'vector.load' op accesses 'vector<2x16xf32>' in memory of 'f32'; host kernels access a vector of neighbours, of one dimension}}
  %0 = vector.load %tile[%at, %at] : memref<16x16xf32>, vector<2x16xf32>
  return
}

// -----

func.func @half(%row: memref<16xf16>, %at: index) {
  // expected-error @below {{'memref.load' op accesses 'f16' in memory; host kernels access i8, i16, bf16, i32 and f32}}
  %0 = memref.load %row[%at] : memref<16xf16>
  return
}

// -----

func.func @apart(%column: memref<16xf32, strided<[3]>>, %at: index) {
  // expected-error @below {{'memref.load' op accesses memory whose elements are apart; host kernels access neighbours}}
  %0 = memref.load %column[%at] : memref<16xf32, strided<[3]>>
  return
}

// -----

func.func @tile(%rows: memref<16x32xbf16>, %at: index) {
  // expected-error @below {{'amx.tile_load' op accesses a tile outside of the stack, where rows may be shorter}}
  %0 = amx.tile_load %rows[%at, %at] : memref<16x32xbf16> into !amx.tile<16x32xbf16>
  return
}

// -----

// Where a CPU has AVX512-BF16, LLVM takes its vcvtneps2bf16.
func.func @narrow(%row: memref<16xbf16>, %at: index, %wide: vector<16xf32>) {
  // expected-error @below {{'arith.truncf' op leaves the rounding to bf16 to the CPU, which may take denormals for 0; host kernels round on integers, as Emitter::roundToBf16 does}}
  %narrow = arith.truncf %wide : vector<16xf32> to vector<16xbf16>
  vector.store %narrow, %row[%at] : memref<16xbf16>, vector<16xbf16>
  return
}
