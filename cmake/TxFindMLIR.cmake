# Finds the MLIR that Tx is built with: in Tx's own build, and where an installed Tx is used. TX_MLIR_REQUIRED is
# REQUIRED or nothing.
set(TX_MLIR_VERSION 22.1)
# Debian's package unless MLIR_DIR (a cache or environment variable) says otherwise.
find_package(MLIR ${TX_MLIR_VERSION} ${TX_MLIR_REQUIRED} QUIET CONFIG HINTS /usr/lib/llvm-22/lib/cmake/mlir)
# Two shared libraries instead of archives: tools of 1 MB instead of 104 MB, and one copy of LLVM in a process.
set(LLVM_LINK_LLVM_DYLIB ON)
set(MLIR_LINK_MLIR_DYLIB ON)
