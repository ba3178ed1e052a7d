# Headers that most sources of the compiler and of its tests include, compiled once: parsing them takes half of a clean
# build. Every source includes what it uses all the same; presets without precompiled headers see whether it does.
option(TX_PRECOMPILE_HEADERS "Compile common headers once (Clang)" ON)

set(TX_MLIR_HEADERS
  <mlir/Dialect/Func/IR/FuncOps.h>
  <mlir/IR/Builders.h>
  <mlir/IR/BuiltinOps.h>
  <mlir/IR/PatternMatch.h>
  <mlir/Interfaces/SideEffectInterfaces.h>
  <mlir/Pass/Pass.h>
  <llvm/ADT/StringExtras.h>
  <llvm/Support/FormatVariadic.h>)
set(TX_OP_HEADERS
  <tx/Dialect/Tx/IR/TxOps.h>
  <tx/Dialect/Step/IR/StepOps.h>)
# What lowerings of kernels build.
set(TX_KERNEL_HEADERS
  <mlir/Dialect/Arith/IR/Arith.h>
  <mlir/Dialect/GPU/IR/GPUDialect.h>
  <mlir/Dialect/LLVMIR/LLVMDialect.h>
  <mlir/Dialect/LLVMIR/NVVMDialect.h>
  <mlir/Dialect/Math/IR/Math.h>
  <mlir/Dialect/MemRef/IR/MemRef.h>
  <mlir/Dialect/SCF/IR/SCF.h>
  <mlir/Dialect/Vector/IR/VectorOps.h>)

# tx_precompile(Name HEADERS headers... [OPTIONS flags...] [LINK libs...] [DEPENDS targets...])
# A target that holds precompiled headers; OPTIONS must be those of the targets that use it.
function(tx_precompile name)
  cmake_parse_arguments(ARG "" "" "HEADERS;OPTIONS;LINK;DEPENDS" ${ARGN})
  if(NOT TX_PRECOMPILE_HEADERS OR NOT CMAKE_CXX_COMPILER_ID MATCHES Clang)
    return()
  endif()
  file(GENERATE OUTPUT ${name}.cpp CONTENT "// Nothing: its precompiled headers are what ${name} is for.\n")
  add_library(${name} OBJECT EXCLUDE_FROM_ALL ${CMAKE_CURRENT_BINARY_DIR}/${name}.cpp)
  # Without the headers' times, so that compiler caches can keep what is compiled with them.
  target_compile_options(${name} PRIVATE ${ARG_OPTIONS} "SHELL:-Xclang -fno-pch-timestamp")
  target_precompile_headers(${name} PRIVATE ${ARG_HEADERS})
  if(ARG_LINK)
    target_link_libraries(${name} PRIVATE ${ARG_LINK})
  endif()
  if(ARG_DEPENDS)
    add_dependencies(${name} ${ARG_DEPENDS})
  endif()
endfunction()

# tx_use_precompiled(target name): where there are any.
function(tx_use_precompiled target name)
  if(TARGET ${name})
    target_precompile_headers(${target} REUSE_FROM ${name})
  endif()
endfunction()
