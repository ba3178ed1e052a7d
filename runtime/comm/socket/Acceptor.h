//===- Acceptor.h - Connections that have said who they are ---------------------------------------------*- C++ -*-===//

#ifndef TXRT_COMM_SOCKET_ACCEPTOR_H
#define TXRT_COMM_SOCKET_ACCEPTOR_H

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <utility>
#include <vector>

namespace txrt {

/// A descriptor that is closed with it.
class Socket {
public:
  Socket() = default;
  explicit Socket(int descriptor) : number(descriptor) {}
  Socket(Socket &&other) noexcept : number(other.release()) {}
  Socket &operator=(Socket &&other) noexcept {
    std::swap(number, other.number);
    return *this;
  }
  ~Socket();

  explicit operator bool() const { return number >= 0; }
  int get() const { return number; }
  int release() { return std::exchange(number, -1); }

private:
  int number = -1;
};

/// Listens, and reads a hello of a fixed size from everybody who comes. A connection that is slow, or says nothing,
/// holds up no other.
class Acceptor {
public:
  using Clock = std::chrono::steady_clock;

  /// On a port of this machine, 0 for any; on the loopback alone if asked.
  Acceptor(uint16_t port, bool onlyLoopback, size_t helloBytes);

  uint16_t port() const { return number; }
  /// The next whole hello and its connection; false when it is `end` before, or `interrupted` (which may be null) says
  /// so.
  bool next(Clock::time_point end, int (*interrupted)(void), std::vector<char> &hello, Socket &from);

private:
  struct Guest {
    Socket socket;
    std::vector<char> heard;
    Clock::time_point came;
  };
  void letIn();

  Socket listening;
  uint16_t number = 0;
  size_t helloBytes;
  std::vector<Guest> guests; // the oldest first
};

} // namespace txrt

#endif // TXRT_COMM_SOCKET_ACCEPTOR_H
