#include "comm/socket/Rendezvous.h"
#include "comm/Positions.h"
#include "comm/socket/Acceptor.h"
#include "core/Failure.h"

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <fcntl.h>
#include <netdb.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <sys/random.h>
#include <sys/socket.h>
#include <thread>
#include <unistd.h>

using namespace txrt;

namespace {

using Clock = std::chrono::steady_clock;

constexpr char mark[8] = {'t', 'x', 'r', 'a', 'n', 'k', '0', '1'};

/// The first message of a rank on a connection. Its key is that of the run; to rank 0, which has not yet given the key,
/// it is made of the run's name.
struct Hello {
  char mark[8];
  uint64_t key;
  uint32_t rank, ranks;
  uint16_t port; // the port on which the sender listens
  uint16_t reserved[3];
};

/// The address of a rank, as rank 0 sees it.
struct Place {
  uint8_t address[16]; // IPv6, or IPv4 mapped to it
  uint16_t port;
  uint16_t isWithFirst; // 1: the rank is on rank 0's machine; reach it by the address that reaches rank 0
  uint8_t reserved[4];
};

/// Rank 0's message to all ranks: the run's key, followed by the places of all ranks. With the other mark: a status,
/// followed by the reason why the ranks do not meet.
struct Answer {
  char mark[8];
  uint64_t key;
};
constexpr char refusalMark[8] = {'t', 'x', 'r', 'a', 'n', 'k', 'n', 'o'};
constexpr size_t reasonBytes = 256;

// Once rank 0 knows that the ranks will not meet, it waits so long for further ranks, to tell them why. Ranks that have
// reached rank 0 wait so much longer than their own timeout for its message, which names the ranks that are missing.
constexpr std::chrono::seconds farewellTime{3};

sockaddr_in6 peerOf(int socket) {
  sockaddr_storage found = {};
  socklen_t length = sizeof found;
  ::getpeername(socket, reinterpret_cast<sockaddr *>(&found), &length);
  sockaddr_in6 six = {};
  six.sin6_family = AF_INET6;
  if (found.ss_family == AF_INET6) {
    memcpy(&six, &found, sizeof six);
  } else {
    const auto *four = reinterpret_cast<sockaddr_in *>(&found);
    six.sin6_addr.s6_addr[10] = six.sin6_addr.s6_addr[11] = 0xff;
    memcpy(six.sin6_addr.s6_addr + 12, &four->sin_addr, 4);
    six.sin6_port = four->sin_port;
  }
  return six;
}

bool isLoopback(const in6_addr &address) {
  return IN6_IS_ADDR_LOOPBACK(&address) || (IN6_IS_ADDR_V4MAPPED(&address) && address.s6_addr[12] == 127);
}

class Meeting {
public:
  explicit Meeting(const Rendezvous &where)
      : where(where),
        end(where.timeoutSeconds > 0
                ? Clock::now() + std::chrono::milliseconds(static_cast<int64_t>(where.timeoutSeconds * 1000))
                : Clock::time_point::max()),
        links(static_cast<size_t>(where.ranks)) {}

  std::vector<int> run() {
    where.rank == 0 ? receiveAll() : goToFirst();
    std::vector<int> descriptors;
    for (Socket &link : links) {
      if (link)
        tune(link.get());
      descriptors.push_back(link.release());
    }
    return descriptors;
  }

private:
  [[noreturn]] void refuse(const std::string &what) const {
    fail(TXRT_PEER, "rank %d of %d: start: %s", where.rank, where.ranks, what.c_str());
  }
  void endIfInterrupted() const {
    if (where.interrupted && where.interrupted())
      fail(TXRT_INTERRUPTED, "rank %d of %d: start: interrupted", where.rank, where.ranks);
  }
  std::string place() const { return printable(where.host) + ":" + std::to_string(where.port); }
  bool isOnlyLoopback() const { return where.host == "localhost" || where.host.compare(0, 4, "127.") == 0; }
  /// Names the ranks from `from` on without a link: "ranks 2 and 3 have not come".
  std::string missing(int from) const {
    std::vector<int> named;
    int others = 0;
    for (int rank = from; rank < where.ranks; ++rank)
      if (!links[rank] && rank != where.rank) {
        if (named.size() < 8)
          named.push_back(rank);
        else
          ++others;
      }
    return rankList(named) + (others ? format(" and %d more", others) : "") +
           (named.size() == 1 ? " has not come" : " have not come");
  }
  static void tune(int socket) {
    const int yes = 1;
    ::setsockopt(socket, IPPROTO_TCP, TCP_NODELAY, &yes, sizeof yes);
    ::setsockopt(socket, SOL_SOCKET, SO_KEEPALIVE, &yes, sizeof yes);
  }

  /// Takes `from` as the link to the rank that the hello names. Returns false if the hello is not of this run, or if it
  /// is a reason that no ranks can meet (refuseAll).
  bool welcome(const std::vector<char> &bytes, Socket &from, uint64_t key, int lowest, Hello &hello) {
    memcpy(&hello, bytes.data(), sizeof hello);
    if (memcmp(hello.mark, mark, sizeof mark) != 0 || hello.key != key || hello.rank < static_cast<uint32_t>(lowest))
      return false;
    if (hello.ranks != static_cast<uint32_t>(where.ranks))
      return refuseAll(from, TXRT_BAD_INPUT,
                       format("rank %u says that there are %u ranks, rank %d that there are "
                              "%d: start all with one world size",
                              hello.rank, hello.ranks, where.rank, where.ranks));
    if (hello.rank >= static_cast<uint32_t>(where.ranks))
      return false;
    if (links[hello.rank])
      return refuseAll(from, TXRT_PEER, format("two processes say that they are rank %u", hello.rank));
    links[hello.rank] = std::move(from);
    return true;
  }

  /// Keeps the first reason why the ranks cannot meet. leaveTogether tells it to all ranks, and to the one that `from`
  /// belongs to.
  bool refuseAll(Socket &from, txrt_status status, const std::string &why) {
    if (reason.empty()) {
      reason = why;
      verdict = status;
      end = std::min(end, Clock::now() + farewellTime);
    }
    strangers.push_back(std::move(from));
    return false;
  }

  /// On rank 0, tells all ranks that have come the reason. Then fails with it.
  [[noreturn]] void leaveTogether() {
    struct {
      Answer answer;
      char text[reasonBytes];
    } message = {};
    memcpy(message.answer.mark, refusalMark, sizeof refusalMark);
    message.answer.key = static_cast<uint64_t>(verdict);
    snprintf(message.text, sizeof message.text, "%s", reason.c_str());
    for (std::vector<Socket> *list : {&links, &strangers})
      for (Socket &socket : *list)
        if (where.rank == 0 && socket) // the message fits into any socket's buffer
          (void)!::send(socket.get(), &message, sizeof message, MSG_DONTWAIT | MSG_NOSIGNAL);
    fail(verdict, "rank %d of %d: start: %s", where.rank, where.ranks, reason.c_str());
  }

  void collect(Acceptor &door, uint64_t key, int lowest, std::vector<Hello> &hellos) {
    for (int expected = where.ranks - lowest; expected > 0;) {
      std::vector<char> bytes;
      Socket from;
      const bool hasCome = door.next(end, where.interrupted, bytes, from);
      endIfInterrupted();
      if (!hasCome && reason.empty()) {
        reason = format("%s within %.1f s", missing(lowest).c_str(), where.timeoutSeconds);
        verdict = TXRT_PEER;
      }
      if (!hasCome)
        leaveTogether();
      Hello hello;
      if (!welcome(bytes, from, key, lowest, hello))
        continue;
      hellos[hello.rank] = hello;
      --expected;
    }
  }

  void receiveAll() {
    Acceptor door(where.port, isOnlyLoopback(), sizeof(Hello));
    std::vector<Hello> hellos(static_cast<size_t>(where.ranks));
    collect(door, hashOf(where.run), 1, hellos);
    Answer answer;
    memcpy(answer.mark, mark, sizeof mark);
    if (::getrandom(&answer.key, sizeof answer.key, 0) != static_cast<ssize_t>(sizeof answer.key))
      refuse(std::string("no random number for the run's key: ") + strerror(errno));
    std::vector<Place> table(static_cast<size_t>(where.ranks), Place{});
    for (int rank = 1; rank < where.ranks; ++rank) {
      const sockaddr_in6 peer = peerOf(links[rank].get());
      memcpy(table[rank].address, peer.sin6_addr.s6_addr, 16);
      table[rank].port = hellos[rank].port;
      table[rank].isWithFirst = isLoopback(peer.sin6_addr);
    }
    for (int rank = 1; rank < where.ranks; ++rank) {
      sendAll(rank, &answer, sizeof answer);
      sendAll(rank, table.data(), table.size() * sizeof(Place));
    }
  }

  void goToFirst() {
    Acceptor door(0, isOnlyLoopback(), sizeof(Hello));
    links[0] = connectToFirst();
    Hello hello = {};
    memcpy(hello.mark, mark, sizeof mark);
    hello.key = hashOf(where.run);
    hello.rank = static_cast<uint32_t>(where.rank);
    hello.ranks = static_cast<uint32_t>(where.ranks);
    hello.port = door.port();
    sendAll(0, &hello, sizeof hello);
    Answer answer;
    if (end < Clock::time_point::max() - farewellTime)
      end += farewellTime;
    receiveAll(0, &answer, sizeof answer);
    if (memcmp(answer.mark, refusalMark, sizeof refusalMark) == 0)
      hearRefusal(static_cast<txrt_status>(answer.key));
    if (memcmp(answer.mark, mark, sizeof mark) != 0)
      refuse("something else than tx-run answers at " + place());
    std::vector<Place> table(static_cast<size_t>(where.ranks));
    receiveAll(0, table.data(), table.size() * sizeof(Place));
    hello.key = answer.key;
    // The system queues connections until a rank accepts them, so the ranks cannot wait for each other in a circle
    // here.
    const in6_addr first = peerOf(links[0].get()).sin6_addr;
    for (int rank = 1; rank < where.rank; ++rank) {
      sockaddr_in6 address = {};
      address.sin6_family = AF_INET6;
      address.sin6_port = htons(table[rank].port);
      memcpy(address.sin6_addr.s6_addr, table[rank].isWithFirst ? first.s6_addr : table[rank].address, 16);
      std::string problem;
      links[rank] = connectTo(address, problem);
      if (!links[rank])
        refuse(format("no connection to rank %d: %s", rank, problem.c_str()));
      sendAll(rank, &hello, sizeof hello);
    }
    std::vector<Hello> hellos(static_cast<size_t>(where.ranks));
    collect(door, answer.key, where.rank + 1, hellos);
  }

  [[noreturn]] void hearRefusal(txrt_status status) {
    char text[reasonBytes];
    receiveAll(0, text, sizeof text);
    text[reasonBytes - 1] = 0;
    fail(status == TXRT_BAD_INPUT ? status : TXRT_PEER, "rank %d of %d: start: %s", where.rank, where.ranks,
         printable(text, reasonBytes).c_str());
  }

  Socket connectToFirst() {
    addrinfo wanted = {}, *found = nullptr;
    wanted.ai_socktype = SOCK_STREAM;
    std::string problem;
    // Rank 0's process may not have started yet, and even its host's name may not be known yet: try again.
    do {
      const int error = ::getaddrinfo(where.host.c_str(), nullptr, &wanted, &found);
      if (error)
        problem = gai_strerror(error);
      for (addrinfo *each = found; !error && each; each = each->ai_next) {
        sockaddr_in6 address = {};
        address.sin6_family = AF_INET6;
        if (each->ai_family == AF_INET6) {
          memcpy(&address, each->ai_addr, sizeof address);
        } else if (each->ai_family == AF_INET) {
          address.sin6_addr.s6_addr[10] = address.sin6_addr.s6_addr[11] = 0xff;
          memcpy(address.sin6_addr.s6_addr + 12, &reinterpret_cast<sockaddr_in *>(each->ai_addr)->sin_addr, 4);
        } else {
          continue;
        }
        address.sin6_port = htons(where.port);
        if (Socket socket = connectTo(address, problem)) {
          ::freeaddrinfo(found);
          return socket;
        }
      }
      if (!error)
        ::freeaddrinfo(found);
      endIfInterrupted();
      std::this_thread::sleep_for(std::chrono::milliseconds(100));
    } while (Clock::now() < end);
    refuse(format("rank 0 did not answer at %s within %.1f s: %s", place().c_str(), where.timeoutSeconds,
                  problem.c_str()));
  }

  /// Connects to an address. If nobody listens there, returns an empty socket and sets `problem`.
  Socket connectTo(const sockaddr_in6 &six, std::string &problem) {
    sockaddr_in four = {};
    const bool isFour = IN6_IS_ADDR_V4MAPPED(&six.sin6_addr);
    four.sin_family = AF_INET;
    four.sin_port = six.sin6_port;
    memcpy(&four.sin_addr, six.sin6_addr.s6_addr + 12, 4);
    Socket socket(::socket(isFour ? AF_INET : AF_INET6, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
    const auto *address = isFour ? reinterpret_cast<const sockaddr *>(&four) : reinterpret_cast<const sockaddr *>(&six);
    int error = 0;
    if (!socket || (::connect(socket.get(), address, isFour ? sizeof four : sizeof six) && errno != EINPROGRESS)) {
      problem = strerror(errno);
      return Socket();
    }
    socklen_t length = sizeof error;
    if (!await(socket.get(), POLLOUT, std::chrono::seconds(5)))
      error = ETIMEDOUT;
    else
      ::getsockopt(socket.get(), SOL_SOCKET, SO_ERROR, &error, &length);
    if (error == 0)
      return socket;
    problem = strerror(error);
    return Socket();
  }

  /// Waits until the socket is ready and returns true; false at the end of the meeting or after `most`.
  bool await(int socket, short events, Clock::duration most = std::chrono::hours(10000)) const {
    const Clock::time_point now = Clock::now();
    const Clock::time_point until = end - now < most ? end : now + most; // no overflow
    for (;;) {
      const auto left = std::chrono::duration_cast<std::chrono::milliseconds>(until - Clock::now());
      if (left.count() <= 0)
        return false;
      endIfInterrupted();
      pollfd polled = {socket, events, 0};
      if (::poll(&polled, 1, static_cast<int>(std::min<int64_t>(left.count(), 1000))) > 0)
        return true;
    }
  }

  void sendAll(int rank, const void *data, size_t bytes) {
    const char *from = static_cast<const char *>(data);
    while (bytes > 0) {
      const ssize_t length = ::send(links[rank].get(), from, bytes, MSG_DONTWAIT | MSG_NOSIGNAL);
      if (length < 0 && errno != EAGAIN && errno != EINTR)
        refuse(format("rank %d: %s", rank, strerror(errno)));
      if (length < 0 && !await(links[rank].get(), POLLOUT))
        refuse(format("rank %d does not read", rank));
      from += std::max<ssize_t>(length, 0);
      bytes -= static_cast<size_t>(std::max<ssize_t>(length, 0));
    }
  }

  void receiveAll(int rank, void *data, size_t bytes) {
    char *to = static_cast<char *>(data);
    while (bytes > 0) {
      if (!await(links[rank].get(), POLLIN))
        refuse(format("rank %d at %s does not go on within %.1f s: some rank "
                      "has not come to it",
                      rank, place().c_str(), where.timeoutSeconds));
      const ssize_t length = ::recv(links[rank].get(), to, bytes, MSG_DONTWAIT);
      if (length < 0 && (errno == EAGAIN || errno == EINTR))
        continue;
      if (length <= 0)
        refuse(format("rank %d at %s has closed the connection%s%s", rank, place().c_str(), length ? ": " : "",
                      length ? strerror(errno) : ""));
      to += length;
      bytes -= static_cast<size_t>(length);
    }
  }

  const Rendezvous &where;
  Clock::time_point end;
  std::vector<Socket> links;
  std::vector<Socket> strangers; // connections of processes of this run that are refused; they are told the reason
  std::string reason;            // why the ranks cannot meet; empty: they can
  txrt_status verdict = TXRT_OK; // the status for this reason
};

} // namespace

std::vector<int> txrt::meet(const Rendezvous &where) { return Meeting(where).run(); }
