//===- Sockets.h - Messages between ranks over stream sockets -------------------------------------------*- C++ -*-===//
//
// A rank has one connected socket to each other rank: inherited from tx-run, or over TCP. On the wire a message is a
// header and its bytes. The header has the message's size and number: if two ranks run different programs, these
// differ, and the receiver fails instead of adding a wrong tensor.
//
// A rank that leaves after an error sends a farewell with its exit code and the reason; a rank that is killed sends
// nothing, but its sockets close. Every wait watches all sockets and has a timeout. A rank whose wait times out asks
// the others where they are (comm/Positions.h).
//
//===--------------------------------------------------------------------------------------------------------------===//

#ifndef TXRT_COMM_SOCKET_SOCKETS_H
#define TXRT_COMM_SOCKET_SOCKETS_H

#include "comm/Positions.h"
#include "txrt/comm.h"

#include <chrono>
#include <poll.h>
#include <string>
#include <vector>

namespace txrt {

class Sockets {
public:
  /// Takes over one descriptor for each rank; the one at `rank` is unused.
  Sockets(int rank, std::vector<int> descriptors, double timeoutSeconds, std::string description);
  ~Sockets();
  Sockets(const Sockets &) = delete;
  Sockets &operator=(const Sockets &) = delete;

  int rank() const { return self; }
  int size() const { return static_cast<int>(links.size()); }
  const std::string &description() const { return text; }

  /// As txrt_transport's.
  void exchange(const txrt_message *list, uint32_t count, const char *what);
  /// As txrt_transport's.
  void watch(const char *what, double seconds);
  /// Waits until every rank has called it; the last exchange of a run.
  void finish();
  /// Tells the other ranks that this rank leaves, and why; takes a fraction of a second at most.
  void sayFarewell(int code, const char *why);

private:
  using Clock = std::chrono::steady_clock;
  static constexpr uint32_t messageMark = 0x31787274, farewellMark = 0x30787274, positionMark = 0x32787274;
  static constexpr size_t reasonBytes = 400;

  struct Header {
    uint32_t mark;
    int32_t code; // of a farewell: the exit code
    uint64_t number, bytes;
  };
  /// One direction of a link. It carries the messages of the exchange that go this way, one after another.
  struct Lane {
    uint32_t next = 0;   // index in the exchange's list of the current message
    uint64_t done = 0;   // bytes of the current message, with its header, that are sent or received
    uint64_t number = 0; // how many messages have gone this way since the start
    Header header;       // the current message's header
    bool isPosition() const { return done >= sizeof(Header) && header.mark == positionMark; }
  };
  struct Link {
    int descriptor = -1;
    Lane out, in;
    bool isClosed = false; // the peer has closed the socket: no more can come
    int farewell = 0;      // the exit code in the peer's farewell; 0: no farewell has come
    std::string reason;
    PositionMessage position; // a position message that is being received
    bool isTold = false;      // whether the peer knows where this rank is, in this operation
  };

  bool find(Lane &lane, int peer, int sends) const;
  void push(int peer, const char *what);
  void pull(int peer, const char *what);
  void readHeader(int peer, const char *what);
  void readFarewell(int peer);
  void noticeClosed(int peer);
  void skimToFarewell(int peer);
  void drain();
  void tell(int peer, bool asks);
  void hear(int peer, const PositionMessage &message);
  void listen(int peer);
  void ask();
  [[noreturn]] void reportLost(const char *what, double seconds);
  [[noreturn]] void refuse(const std::string &message) const;
  std::string who(const char *what) const;

  const int self;
  const double timeout;
  const std::string text;
  std::vector<Link> links;
  std::vector<pollfd> polled;
  std::string blame;                  // what this rank's last error says about other ranks
  const txrt_message *list = nullptr; // the messages of the exchange that runs
  uint32_t listed = 0;
  Positions positions;
  std::vector<char> heard; // a copy of the bytes that wait in a socket, to look for position messages in them
  const char *doing = "";  // the operation that runs
};

} // namespace txrt

#endif // TXRT_COMM_SOCKET_SOCKETS_H
