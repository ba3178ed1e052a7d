# tx_add_pass_plugin(Name SOURCES...)
# A shared library NAME.so with passes, for --load-pass-plugin of tx-opt and tx-compile. It is compiled as Tx is: C++17,
# and with type information only where LLVM has it.
function(tx_add_pass_plugin name)
  add_library(${name} MODULE ${ARGN})
  set_target_properties(${name} PROPERTIES PREFIX "" CXX_STANDARD 17 CXX_STANDARD_REQUIRED ON)
  target_link_libraries(${name} PRIVATE Tx::compiler)
  if(NOT LLVM_ENABLE_RTTI)
    target_compile_options(${name} PRIVATE -fno-rtti)
  endif()
endfunction()
