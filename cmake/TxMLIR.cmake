# Finds MLIR/LLVM 22.1 and sets up what Tx's compiler libraries need of it.

set(TX_MLIR_REQUIRED REQUIRED)
include(${CMAKE_CURRENT_LIST_DIR}/TxFindMLIR.cmake)
message(STATUS "Using MLIR ${MLIR_VERSION} from ${MLIR_DIR}")

# Without this mlir-doc writes outside of the build tree.
set(MLIR_BINARY_DIR ${PROJECT_BINARY_DIR})
# The default names a file that Debian's package does not have.
set(LLVM_EXTERNAL_LIT "${LLVM_TOOLS_BINARY_DIR}/lit" CACHE FILEPATH "" FORCE)

list(APPEND CMAKE_MODULE_PATH "${MLIR_CMAKE_DIR}" "${LLVM_CMAKE_DIR}")
include(TableGen)
include(AddLLVM)
include(AddMLIR)
separate_arguments(TX_LLVM_DEFINITIONS NATIVE_COMMAND "${LLVM_DEFINITIONS}")
add_definitions(${TX_LLVM_DEFINITIONS})
include_directories(SYSTEM ${LLVM_INCLUDE_DIRS} ${MLIR_INCLUDE_DIRS})
include_directories(${PROJECT_SOURCE_DIR}/include ${PROJECT_BINARY_DIR}/include
                    ${PROJECT_SOURCE_DIR}/runtime/include)
add_compile_options(-Wall -Wextra -Wno-unused-parameter $<$<CXX_COMPILER_ID:Clang>:-Wno-unused-but-set-variable>)
if(NOT LLVM_ENABLE_RTTI)
  add_compile_options($<$<COMPILE_LANGUAGE:CXX>:-fno-rtti>)
endif()

include(TxPrecompile)
tx_precompile(tx-mlir-headers OPTIONS -fno-exceptions HEADERS ${TX_MLIR_HEADERS})
tx_precompile(tx-op-headers OPTIONS -fno-exceptions HEADERS ${TX_MLIR_HEADERS} ${TX_OP_HEADERS}
              DEPENDS TxDialectIncGen StepDialectIncGen)
tx_precompile(tx-kernel-headers OPTIONS -fno-exceptions
              HEADERS ${TX_MLIR_HEADERS} ${TX_OP_HEADERS} ${TX_KERNEL_HEADERS}
              DEPENDS TxDialectIncGen StepDialectIncGen)

# tx_add_library(Name SOURCES... [DEPENDS ...] [LINK tx-libs...] [MLIR mlir-libs...])
# One library of the compiler: static, linked against the shared MLIR.
function(tx_add_library name)
  cmake_parse_arguments(ARG "" "" "DEPENDS;LINK;MLIR" ${ARGN})
  add_library(${name} STATIC ${ARG_UNPARSED_ARGUMENTS})
  target_compile_options(${name} PRIVATE -fno-exceptions)
  if(name MATCHES "Dialect$")
    tx_use_precompiled(${name} tx-mlir-headers)
  elseif(name MATCHES "^Tx(Conversion|Target|HostCodeGen)")
    tx_use_precompiled(${name} tx-kernel-headers)
  else()
    tx_use_precompiled(${name} tx-op-headers)
  endif()
  if(ARG_DEPENDS)
    add_dependencies(${name} ${ARG_DEPENDS})
  endif()
  target_link_libraries(${name} PUBLIC ${ARG_LINK})
  if(ARG_MLIR)
    mlir_target_link_libraries(${name} PUBLIC ${ARG_MLIR})
  endif()
endfunction()

# tx_static_libraries_below(FOLDER VARIABLE): the static libraries that the CMakeLists.txt of the folder, and of those
# in it, define.
function(tx_static_libraries_below folder variable)
  get_property(targets DIRECTORY ${folder} PROPERTY BUILDSYSTEM_TARGETS)
  set(libraries "")
  foreach(target IN LISTS targets)
    get_target_property(type ${target} TYPE)
    if(type STREQUAL STATIC_LIBRARY)
      list(APPEND libraries ${target})
    endif()
  endforeach()
  get_property(folders DIRECTORY ${folder} PROPERTY SUBDIRECTORIES)
  foreach(sub IN LISTS folders)
    tx_static_libraries_below(${sub} below)
    list(APPEND libraries ${below})
  endforeach()
  set(${variable} ${libraries} PARENT_SCOPE)
endfunction()
