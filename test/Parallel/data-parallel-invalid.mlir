// RUN: split-file %s %t
// RUN: not tx-opt %t/taken.mlir --tx-data-parallel=size=2 2>&1 | FileCheck %t/taken.mlir
// RUN: not tx-opt %t/size.mlir --tx-data-parallel=size=0 2>&1 | FileCheck %t/size.mlir
// RUN: not tx-opt %t/many.mlir --tx-data-parallel=size=2000000 2>&1 | FileCheck %t/many.mlir

//--- taken.mlir
// CHECK: error: @dp exists already; is the batch split?
tx.mesh_axis @dp size 4 batch

//--- size.mlir
// CHECK: error: option size is 0, must be 1 to
module {
}

//--- many.mlir
// CHECK: error: option size is 2000000, must be 1 to
module {
}
