# tx_use_version(target): its sources may include TxVersion.inc, which defines TX_VERSION: the project's version as a
# string. CMakeLists.txt has it once.
function(tx_use_version target)
  file(CONFIGURE OUTPUT ${CMAKE_CURRENT_BINARY_DIR}/TxVersion.inc
       CONTENT "#define TX_VERSION \"${PROJECT_VERSION}\"\n")
  target_include_directories(${target} PRIVATE ${CMAKE_CURRENT_BINARY_DIR})
endfunction()
