//===- Acceptor.h - Accept connections and read their hellos --------------------------------------------*- C++ -*-===//

#ifndef TXRT_COMM_SOCKET_ACCEPTOR_H
#define TXRT_COMM_SOCKET_ACCEPTOR_H

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <utility>
#include <vector>

namespace txrt {

/// Owns a socket's descriptor and closes it.
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

/// Listens on a port, and reads a hello of a fixed size from every process that connects. A connection that is slow, or
/// sends nothing, does not delay the others.
class Acceptor {
public:
  using Clock = std::chrono::steady_clock;

  /// Listens on `port` of this machine (0: the system chooses one), with `onlyLoopback` only for connections from this
  /// machine.
  Acceptor(uint16_t port, bool onlyLoopback, size_t helloBytes);

  uint16_t port() const { return number; }
  /// Waits for the next whole hello, and gives it and its connection. Returns false at the time `end`, or when
  /// `interrupted` (may be null) returns 1.
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
  std::vector<Guest> guests; // connections whose hello is not yet complete, the oldest first
};

} // namespace txrt

#endif // TXRT_COMM_SOCKET_ACCEPTOR_H
