//===- MpiApi.h - The part of MPI in use ----------------------------------------------------------------*- C++ -*-===//
//
// Open MPI's binary interface (libmpi.so.40), declared here so that the runtime builds where no MPI is; a test compares
// these declarations with mpi.h where there is one. MPI's constants are addresses of objects in the library.
//
//===--------------------------------------------------------------------------------------------------------------===//

#ifndef TXRT_COMM_MPI_MPIAPI_H
#define TXRT_COMM_MPI_MPIAPI_H

namespace txrt::mpi {

using Communicator = struct ompi_communicator_t *;
using Datatype = struct ompi_datatype_t *;
using ErrorHandler = struct ompi_errhandler_t *;
using Request = struct ompi_request_t *;
struct Status; // never used: calls get a null pointer

enum { Success = 0, ThreadSerialized = 2, MaxErrorString = 256, MaxVersion = 256 };

// TXRT_MPI_FUNCTIONS(X): X(member of Mpi, MPI's name, parameter types...)
#define TXRT_MPI_FUNCTIONS(X)                                                                                          \
  X(initThread, MPI_Init_thread, int *, char ***, int, int *)                                                          \
  X(finalize, MPI_Finalize, void)                                                                                      \
  X(abort, MPI_Abort, Communicator, int)                                                                               \
  X(setErrorHandler, MPI_Comm_set_errhandler, Communicator, ErrorHandler)                                              \
  X(rank, MPI_Comm_rank, Communicator, int *)                                                                          \
  X(size, MPI_Comm_size, Communicator, int *)                                                                          \
  X(send, MPI_Isend, const void *, int, Datatype, int, int, Communicator, Request *)                                   \
  X(receive, MPI_Irecv, void *, int, Datatype, int, int, Communicator, Request *)                                      \
  X(test, MPI_Test, Request *, int *, Status *)                                                                        \
  X(probe, MPI_Iprobe, int, int, Communicator, int *, Status *)                                                        \
  X(receiveNow, MPI_Recv, void *, int, Datatype, int, int, Communicator, Status *)                                     \
  X(errorString, MPI_Error_string, int, char *, int *)                                                                 \
  X(libraryVersion, MPI_Get_library_version, char *, int *)

// TXRT_MPI_HANDLES(X): X(member of Mpi, type, MPI's name, the object)
#define TXRT_MPI_HANDLES(X)                                                                                            \
  X(world, Communicator, MPI_COMM_WORLD, ompi_mpi_comm_world)                                                          \
  X(byte, Datatype, MPI_BYTE, ompi_mpi_byte)                                                                           \
  X(errorsReturn, ErrorHandler, MPI_ERRORS_RETURN, ompi_mpi_errors_return)

struct Mpi {
#define TXRT_DECLARE(member, function, ...) int (*member)(__VA_ARGS__);
  TXRT_MPI_FUNCTIONS(TXRT_DECLARE)
#undef TXRT_DECLARE
#define TXRT_DECLARE(member, type, name, object) type member;
  TXRT_MPI_HANDLES(TXRT_DECLARE)
#undef TXRT_DECLARE
};

} // namespace txrt::mpi

#endif // TXRT_COMM_MPI_MPIAPI_H
