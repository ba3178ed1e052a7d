# What `cmake --install` puts where, in two components:
#
#   runtime   tx-run, libtxrt_train, C headers
#   compiler  tx-opt, tx-compile, tx-plan, tx-place, tx-lsp-server, libTxCompiler, headers (the generated ones too),
#             TableGen files
#
# The tree can be moved: programs find their libraries, and find_package(Tx) its files, from where they are themselves.
# `cpack` in the build folder makes a .tar.xz of each component; both unpack into one folder.

set(TX_PACKAGE_DIR ${CMAKE_INSTALL_LIBDIR}/cmake/Tx)
set(TX_COMPONENTS runtime)
if(TX_BUILD_COMPILER)
  list(APPEND TX_COMPONENTS compiler)
endif()

# Programs and shared libraries of a component, as far as they are built; find_package(Tx) gives them as Tx::NAME.
set(TX_TARGETS_runtime txrt_train tx-run)
set(TX_TARGETS_compiler TxCompiler tx-opt tx-compile tx-plan tx-place tx-lsp-server)
foreach(component IN LISTS TX_COMPONENTS)
  foreach(target IN LISTS TX_TARGETS_${component})
    if(NOT TARGET ${target})
      list(REMOVE_ITEM TX_TARGETS_${component} ${target})
    endif()
  endforeach()
endforeach()

set_target_properties(txrt_train PROPERTIES EXPORT_NAME runtime)
if(TX_BUILD_COMPILER)
  set_target_properties(TxCompiler PROPERTIES EXPORT_NAME compiler)
endif()

include(CMakePackageConfigHelpers)
configure_package_config_file(cmake/TxConfig.cmake.in ${PROJECT_BINARY_DIR}/cmake/TxConfig.cmake
  INSTALL_DESTINATION ${TX_PACKAGE_DIR} NO_SET_AND_CHECK_MACRO NO_CHECK_REQUIRED_COMPONENTS_MACRO)
# Names and layouts may change with each minor version until there is a first major one.
write_basic_package_version_file(${PROJECT_BINARY_DIR}/cmake/TxConfigVersion.cmake COMPATIBILITY SameMinorVersion)
foreach(component IN LISTS TX_COMPONENTS)
  install(FILES ${PROJECT_BINARY_DIR}/cmake/TxConfig.cmake ${PROJECT_BINARY_DIR}/cmake/TxConfigVersion.cmake
          DESTINATION ${TX_PACKAGE_DIR} COMPONENT ${component})
  install(TARGETS ${TX_TARGETS_${component}} EXPORT tx-${component}
          RUNTIME DESTINATION ${CMAKE_INSTALL_BINDIR} COMPONENT ${component}
          LIBRARY DESTINATION ${CMAKE_INSTALL_LIBDIR} COMPONENT ${component}
          INCLUDES DESTINATION ${CMAKE_INSTALL_INCLUDEDIR})
  install(EXPORT tx-${component} NAMESPACE Tx:: FILE Tx-${component}.cmake DESTINATION ${TX_PACKAGE_DIR}
          COMPONENT ${component})
endforeach()

install(DIRECTORY runtime/include/txrt DESTINATION ${CMAKE_INSTALL_INCLUDEDIR} COMPONENT runtime)
if(TX_BUILD_COMPILER)
  install(DIRECTORY include/tx ${PROJECT_BINARY_DIR}/include/tx DESTINATION ${CMAKE_INSTALL_INCLUDEDIR}
          COMPONENT compiler
          FILES_MATCHING PATTERN *.h PATTERN *.td PATTERN *.def PATTERN *.inc PATTERN CMakeFiles EXCLUDE)
  # Headers of the compiler include this one of the runtime.
  install(FILES runtime/include/txrt/abi.h DESTINATION ${CMAKE_INSTALL_INCLUDEDIR}/txrt COMPONENT compiler)
  install(FILES cmake/TxFindMLIR.cmake cmake/TxPassPlugin.cmake DESTINATION ${TX_PACKAGE_DIR} COMPONENT compiler)
endif()

set(CPACK_GENERATOR TXZ)
set(CPACK_PACKAGE_NAME tx)
set(CPACK_PACKAGE_VERSION ${PROJECT_VERSION})
set(CPACK_PACKAGE_FILE_NAME tx-${PROJECT_VERSION}-${CMAKE_SYSTEM_NAME}-${CMAKE_SYSTEM_PROCESSOR})
set(CPACK_COMPONENTS_ALL ${TX_COMPONENTS})
set(CPACK_ARCHIVE_COMPONENT_INSTALL ON)
set(CPACK_COMPONENTS_GROUPING IGNORE)
set(CPACK_COMPONENT_INCLUDE_TOPLEVEL_DIRECTORY ON)
set(CPACK_STRIP_FILES ON)
set(CPACK_THREADS 0)
include(CPack)
