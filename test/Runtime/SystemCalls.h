//===- SystemCalls.h - A process that is killed, or whose calls fail --------------------------------------*- C++
//-*-===//
//
// Runs a piece of work in a child process, under ptrace, and does something to it at its n-th system call:
//
//   for (int n = 0; runUntil({Fault::Kill, n}, [&] { save(); }) == Ended::Killed; ++n)
//     expectOldOrNew();
//
//===--------------------------------------------------------------------------------------------------------------===//

#ifndef TXRT_TEST_SYSTEMCALLS_H
#define TXRT_TEST_SYSTEMCALLS_H

#include "core/Failure.h"

#include <cerrno>
#include <csignal>
#include <cstdint>
#include <functional>
#include <sys/ptrace.h>
#include <sys/syscall.h>
#include <sys/user.h>
#include <sys/wait.h>
#include <unistd.h>

struct Fault {
  enum Kind {
    Kill, // at the n-th begin or end of a call that changes files; between two of them nothing else can be found
    Fail, // the n-th call that changes files does nothing and returns `error`
  } kind;
  int n;
  int error = ENOSPC;
};

enum class Ended { Killed, Refused, Done, CannotTrace };

#ifdef __x86_64__
/// Whether a system call changes files or what is on the disk.
inline bool changesFiles(uint64_t call) {
  switch (call) {
  case SYS_write:
  case SYS_pwrite64:
  case SYS_fsync:
  case SYS_linkat:
  case SYS_link:
  case SYS_rename:
  case SYS_renameat:
  case SYS_renameat2:
  case SYS_unlink:
  case SYS_unlinkat:
  case SYS_mkdir:
  case SYS_fchmod:
  case SYS_close:
    return true;
  default:
    return false;
  }
}
#endif

/// Killed: the fault came, and the child is dead. Refused: `work` threw a Failure. Done: it ended; `hit`, if given,
/// says whether the fault had come.
inline Ended runUntil(const Fault &fault, const std::function<void()> &work, bool *hit = nullptr) {
#ifdef __x86_64__
  if (hit)
    *hit = false;
  const pid_t child = ::fork();
  if (child == 0) {
    if (::ptrace(PTRACE_TRACEME, 0, nullptr, nullptr) != 0)
      ::_exit(3);
    ::raise(SIGSTOP);
    try {
      work();
    } catch (const txrt::Failure &) {
      ::_exit(1);
    }
    ::_exit(0);
  }
  int status = 0;
  ::waitpid(child, &status, 0);
  if (!WIFSTOPPED(status))
    return Ended::CannotTrace;
  ::ptrace(PTRACE_SETOPTIONS, child, nullptr, PTRACE_O_EXITKILL | PTRACE_O_TRACESYSGOOD);
  int count = 0;
  bool isBegin = false, fails = false;
  for (long signal = 0;;) {
    ::ptrace(PTRACE_SYSCALL, child, nullptr, signal);
    ::waitpid(child, &status, 0);
    if (WIFEXITED(status))
      return WEXITSTATUS(status) == 0 ? Ended::Done : WEXITSTATUS(status) == 1 ? Ended::Refused : Ended::CannotTrace;
    if (WIFSIGNALED(status))
      return Ended::Killed;
    if (WSTOPSIG(status) != (SIGTRAP | 0x80)) {
      signal = WSTOPSIG(status);
      continue;
    }
    signal = 0;
    isBegin = !isBegin;
    struct user_regs_struct registers;
    ::ptrace(PTRACE_GETREGS, child, nullptr, &registers);
    if (fault.kind == Fault::Kill) {
      if (!changesFiles(registers.orig_rax) || count++ != fault.n)
        continue;
      ::kill(child, SIGKILL);
      ::waitpid(child, &status, 0);
      return Ended::Killed;
    }
    if (isBegin && changesFiles(registers.orig_rax) && count++ == fault.n) {
      fails = true;
      registers.orig_rax = ~0ull; // no such call
      ::ptrace(PTRACE_SETREGS, child, nullptr, &registers);
    } else if (!isBegin && fails) {
      fails = false;
      if (hit)
        *hit = true;
      registers.rax = static_cast<uint64_t>(-int64_t(fault.error));
      ::ptrace(PTRACE_SETREGS, child, nullptr, &registers);
    }
  }
#else
  (void)fault, (void)work, (void)hit;
  return Ended::CannotTrace;
#endif
}

#endif // TXRT_TEST_SYSTEMCALLS_H
