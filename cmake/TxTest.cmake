# What the test folders need: GoogleTest, and one list of all test programs.

find_package(GTest CONFIG QUIET)
if(NOT GTest_FOUND)
  find_package(GTest REQUIRED) # Debian 12 has the config; other systems may not
endif()

include(TxPrecompile)
tx_precompile(tx-test-headers OPTIONS -fPIE HEADERS <gtest/gtest.h> <nlohmann/json.hpp>
              LINK GTest::gtest nlohmann_json::nlohmann_json)
if(TX_BUILD_COMPILER)
  tx_precompile(tx-compiler-test-headers OPTIONS -fPIE HEADERS <gtest/gtest.h> ${TX_MLIR_HEADERS} ${TX_OP_HEADERS}
                LINK GTest::gtest DEPENDS TxDialectIncGen StepDialectIncGen)
endif()

# `ninja tests` builds every test program.
if(NOT TARGET tests)
  add_custom_target(tests)
endif()
set_property(GLOBAL PROPERTY TX_GTESTS "")

# tx_add_gtest(Name SOURCES... [LINK libs...] [MLIR mlir-libs...] [COMPILER] [PLAIN])
# One GoogleTest program; `Name` ends with -tests. `tests` builds it into the folder `unit` of the build tree, where
# finds it; ctest knows it, too. TX_SOURCE_DIR, TX_BINARY_DIR (the build tree) and TX_TEST_DATA_DIR are defined in it as
# strings. COMPILER marks a test that needs the compiler's libraries: it is left out of a runtime-only build;
# PLAIN one that takes nothing of MLIR all the same.
function(tx_add_gtest name)
  cmake_parse_arguments(ARG "COMPILER;PLAIN" "" "LINK;MLIR" ${ARGN})
  if(ARG_COMPILER AND NOT TX_BUILD_COMPILER)
    return()
  endif()
  add_executable(${name} EXCLUDE_FROM_ALL ${ARG_UNPARSED_ARGUMENTS})
  if(ARG_COMPILER AND NOT ARG_PLAIN)
    tx_use_precompiled(${name} tx-compiler-test-headers)
  else()
    tx_use_precompiled(${name} tx-test-headers)
  endif()
  set_target_properties(${name} PROPERTIES RUNTIME_OUTPUT_DIRECTORY ${PROJECT_BINARY_DIR}/unit)
  target_compile_definitions(${name} PRIVATE
    TX_SOURCE_DIR="${PROJECT_SOURCE_DIR}"
    TX_BINARY_DIR="${PROJECT_BINARY_DIR}"
    TX_TEST_DATA_DIR="${PROJECT_SOURCE_DIR}/test/Data")
  target_link_libraries(${name} PRIVATE ${ARG_LINK} GTest::gtest GTest::gtest_main)
  if(ARG_MLIR)
    mlir_target_link_libraries(${name} PRIVATE ${ARG_MLIR})
  endif()
  add_dependencies(tests ${name})
  add_test(NAME ${name} COMMAND ${name} WORKING_DIRECTORY ${PROJECT_BINARY_DIR})
  set_property(GLOBAL APPEND PROPERTY TX_GTESTS ${name})
endfunction()

# tx_use_fake_cuda(target): a test program whose cuda backend is the fake one.
function(tx_use_fake_cuda target)
  add_dependencies(${target} tx-fake-cuda)
  set_property(TARGET ${target} APPEND PROPERTY BUILD_RPATH
    ${PROJECT_BINARY_DIR}/test/Runtime/FakeCuda/lib)
endfunction()

# Writes gtests.txt: one line `name path` for each test program. Called once, last. tools/check compares it with what
# lit has run.
function(tx_write_gtest_list)
  get_property(names GLOBAL PROPERTY TX_GTESTS)
  set(lines "")
  foreach(name IN LISTS names)
    string(APPEND lines "${name} $<TARGET_FILE:${name}>\n")
  endforeach()
  file(GENERATE OUTPUT ${PROJECT_BINARY_DIR}/gtests.txt CONTENT "${lines}")
endfunction()
