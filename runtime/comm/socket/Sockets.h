//===- Sockets.h - Messages between ranks over stream sockets -------------------------------------------*- C++ -*-===//
//
// One connected socket to each other rank, however it was made (inherited from tx-run, or over TCP). On the wire a
// message is a header and its bytes; the header repeats size and number, so that ranks that run different programs are
// told so instead of adding each other's wrong tensors.
//
// A rank that leaves after an error sends a farewell, with its exit code and the reason; one that is killed sends
// nothing, but its sockets close. Every wait looks at all sockets, and has an end. A rank that comes to that end asks
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
  /// Takes over one descriptor for each rank; that of `rank` itself is unused.
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
  /// Lets every rank come to its end; the last exchange.
  void finish();
  /// Tells the others; takes a fraction of a second at most.
  void sayFarewell(int code, const char *why);

private:
  using Clock = std::chrono::steady_clock;
  static constexpr uint32_t messageMark = 0x31787274, farewellMark = 0x30787274, positionMark = 0x32787274;
  static constexpr size_t reasonBytes = 400;

  struct Header {
    uint32_t mark;
    int32_t code; // of a farewell
    uint64_t number, bytes;
  };
  /// One direction of a link: the messages of the exchange that go there, one after another.
  struct Lane {
    uint32_t next = 0;   // in the exchange's list, of those not yet done
    uint64_t done = 0;   // bytes of header and data of that one
    uint64_t number = 0; // messages since the start
    Header header;       // of that one, on its way
    bool isPosition() const { return done >= sizeof(Header) && header.mark == positionMark; }
  };
  struct Link {
    int descriptor = -1;
    Lane out, in;
    bool isClosed = false; // no more can come
    int farewell = 0;      // the code it has left with
    std::string reason;
    PositionMessage position; // on its way in
    bool isTold = false;      // where we are, in this operation
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
  std::string blame;                  // what the last refusal says of other ranks
  const txrt_message *list = nullptr; // of the exchange that runs
  uint32_t listed = 0;
  Positions positions;
  std::vector<char> heard; // what waits to be read, to look for positions in it
  const char *doing = "";  // the operation that runs
};

} // namespace txrt

#endif // TXRT_COMM_SOCKET_SOCKETS_H
