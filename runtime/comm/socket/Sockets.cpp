#include "comm/socket/Sockets.h"
#include "core/Failure.h"

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <sys/socket.h>
#include <sys/uio.h>
#include <unistd.h>

using namespace txrt;

// A rank that closes its socket while nothing is expected of it has come to its
// end before us, or was lost: after this long without progress it was lost.
static constexpr double secondsOfGrace = 2.0;
static constexpr int pollMilliseconds = 200, millisecondsToDrain = 200;

Sockets::Sockets(int rank, std::vector<int> descriptors, double timeoutSeconds,
                 std::string description)
    : self(rank), timeout(timeoutSeconds), text(std::move(description)),
      links(descriptors.size()), polled(descriptors.size()) {
  for (size_t peer = 0; peer < descriptors.size(); ++peer)
    links[peer].descriptor = descriptors[peer];
}

Sockets::~Sockets() {
  for (int peer = 0; peer < size(); ++peer)
    if (peer != self && links[peer].descriptor >= 0)
      ::close(links[peer].descriptor);
}

std::string Sockets::who(const char *what) const {
  return format("rank %d of %d: %s", self, size(), printable(what).c_str());
}

void Sockets::refuse(const std::string &message) const {
  fail(TXRT_PEER, "%s", message.c_str());
}

/// Moves to the next message of the lane; false if there is none.
bool Sockets::find(Lane &lane, int peer, int sends) const {
  while (lane.next < listed &&
         (list[lane.next].peer != peer || list[lane.next].sends != sends))
    ++lane.next;
  return lane.next < listed;
}

void Sockets::push(int peer, const char *what) {
  Link &link = links[peer];
  Lane &lane = link.out;
  while (find(lane, peer, 1)) {
    const txrt_message &message = list[lane.next];
    if (lane.done == 0)
      lane.header = {messageMark, 0, lane.number, message.bytes};
    // Header and data in one call, so that a small message is one packet.
    iovec parts[2];
    int count = 0;
    if (lane.done < sizeof(Header))
      parts[count++] = {reinterpret_cast<char *>(&lane.header) + lane.done,
                        sizeof(Header) - lane.done};
    const uint64_t sent =
        lane.done < sizeof(Header) ? 0 : lane.done - sizeof(Header);
    if (sent < message.bytes)
      parts[count++] = {static_cast<char *>(message.data) + sent,
                        message.bytes - sent};
    msghdr packet = {};
    packet.msg_iov = parts;
    packet.msg_iovlen = static_cast<size_t>(count);
    const ssize_t length =
        ::sendmsg(link.descriptor, &packet, MSG_DONTWAIT | MSG_NOSIGNAL);
    if (length < 0) {
      if (errno == EINTR)
        continue;
      if (errno == EAGAIN || errno == EWOULDBLOCK)
        return;
      if (errno == EPIPE || errno == ECONNRESET) {
        // It may have said why before it left.
        noticeClosed(peer);
        reportLost(what, 0);
      }
      refuse(who(what) + format(": sending to rank %d: %s", peer,
                                strerror(errno)));
    }
    lane.done += static_cast<uint64_t>(length);
    if (lane.done < sizeof(Header) + message.bytes)
      continue;
    lane.done = 0;
    ++lane.number;
    ++lane.next;
  }
}

void Sockets::pull(int peer, const char *what) {
  Link &link = links[peer];
  Lane &lane = link.in;
  while (find(lane, peer, 0)) {
    const txrt_message &message = list[lane.next];
    char *to;
    uint64_t room;
    if (lane.done < sizeof(Header)) {
      to = reinterpret_cast<char *>(&lane.header) + lane.done;
      room = sizeof(Header) - lane.done;
    } else {
      to = static_cast<char *>(message.data) + lane.done - sizeof(Header);
      room = message.bytes + sizeof(Header) - lane.done;
    }
    const ssize_t length = ::recv(link.descriptor, to, room, MSG_DONTWAIT);
    if (length < 0) {
      if (errno == EINTR)
        continue;
      if (errno == EAGAIN || errno == EWOULDBLOCK)
        return;
      if (errno == ECONNRESET)
        continue; // it has left what we sent unread; then comes what it sent
      refuse(who(what) + format(": receiving from rank %d: %s", peer,
                                strerror(errno)));
    }
    if (length == 0) {
      link.isClosed = true;
      reportLost(what, 0);
    }
    const bool hadHeader = lane.done >= sizeof(Header);
    lane.done += static_cast<uint64_t>(length);
    if (!hadHeader && lane.done == sizeof(Header))
      readHeader(peer, what);
    if (lane.done < sizeof(Header) + message.bytes)
      continue;
    lane.done = 0;
    ++lane.number;
    ++lane.next;
  }
}

void Sockets::readHeader(int peer, const char *what) {
  const Lane &lane = links[peer].in;
  if (lane.header.mark == farewellMark) {
    readFarewell(peer);
    reportLost(what, 0);
  }
  const uint64_t expected = list[lane.next].bytes;
  if (lane.header.mark == messageMark && lane.header.number == lane.number &&
      lane.header.bytes == expected)
    return;
  refuse(who(what) +
         format(": message %llu from rank %d has %llu bytes, where message "
                "%llu of %llu is due: it runs another program, or something "
                "else than tx-run writes to its socket",
                static_cast<unsigned long long>(lane.header.number), peer,
                static_cast<unsigned long long>(lane.header.bytes),
                static_cast<unsigned long long>(lane.number),
                static_cast<unsigned long long>(expected)));
}

/// After the header: as much of the reason as is there.
void Sockets::readFarewell(int peer) {
  Link &link = links[peer];
  char reason[reasonBytes];
  const uint64_t room =
      std::min<uint64_t>(link.in.header.bytes, sizeof reason);
  const ssize_t length = ::recv(link.descriptor, reason, room, MSG_DONTWAIT);
  link.isClosed = true;
  link.farewell = link.in.header.code;
  link.reason.assign(reason, length > 0 ? static_cast<size_t>(length) : 0);
}

/// The socket is closed at the other end; is a farewell the next to be read?
void Sockets::noticeClosed(int peer) {
  Link &link = links[peer];
  if (link.isClosed)
    return;
  link.isClosed = true;
  if (link.in.done != 0)
    return; // in the midst of a message
  Header next;
  auto peek = [&] {
    return ::recv(link.descriptor, &next, sizeof next,
                  MSG_DONTWAIT | MSG_PEEK);
  };
  ssize_t length = peek();
  if (length < 0 && errno == ECONNRESET)
    length = peek(); // see pull
  if (length == static_cast<ssize_t>(sizeof next) && next.mark == farewellMark)
    skimToFarewell(peer);
}

/// Reads what is there up to a farewell, when the messages before it have no use
/// any more.
void Sockets::skimToFarewell(int peer) {
  Link &link = links[peer];
  Lane &lane = link.in;
  char ignored[4096];
  for (;;) {
    char *to = ignored;
    uint64_t room = sizeof ignored;
    if (lane.done < sizeof(Header)) {
      to = reinterpret_cast<char *>(&lane.header) + lane.done;
      room = sizeof(Header) - lane.done;
    } else if (lane.header.mark == farewellMark) {
      return readFarewell(peer);
    } else {
      room = std::min(room, lane.header.bytes + sizeof(Header) - lane.done);
    }
    const ssize_t length =
        room ? ::recv(link.descriptor, to, room, MSG_DONTWAIT) : 0;
    if (room && length <= 0)
      return;
    lane.done += static_cast<uint64_t>(length);
    if (lane.done >= sizeof(Header) && lane.header.mark == messageMark &&
        lane.done == sizeof(Header) + lane.header.bytes)
      lane.done = 0;
  }
}

/// Who is to blame: the ranks that left for a reason of their own; if there is
/// none, those that do not answer.
void Sockets::reportLost(const char *what, double seconds) {
  std::vector<bool> isAwaited(links.size());
  for (int peer = 0; peer < size(); ++peer) {
    if (peer == self)
      continue;
    Lane in = links[peer].in, out = links[peer].out;
    isAwaited[peer] = find(in, peer, 0) || find(out, peer, 1);
    // Others may have seen it first, and have left since.
    pollfd probe = {links[peer].descriptor, POLLRDHUP, 0};
    if (::poll(&probe, 1, 0) == 1 &&
        (probe.revents & (POLLRDHUP | POLLHUP | POLLERR)))
      noticeClosed(peer);
    if (links[peer].isClosed && links[peer].farewell == 0)
      skimToFarewell(peer);
  }
  std::string left, silent, told;
  for (int peer = 0; peer < size(); ++peer) {
    const Link &link = links[peer];
    const std::string comma = left.empty() ? "" : "; ";
    if (link.isClosed && link.farewell == 0)
      left += comma + format("rank %d was lost: its process has ended", peer);
    else if (link.isClosed && link.farewell != TXRT_PEER)
      left += comma + format("rank %d has left with exit code %d: %s", peer,
                             link.farewell, printable(link.reason, reasonBytes).c_str());
    else if (link.isClosed && told.empty())
      told = link.reason;
    else if (!link.isClosed && isAwaited[peer])
      silent += (silent.empty() ? "" : ", ") + std::to_string(peer);
  }
  blame = !left.empty() ? left
          : silent.empty() || seconds == 0
              // Somebody has given up before us, and said on whom.
              ? (told.empty() ? "the other ranks have left" : printable(told, reasonBytes))
              : format("no answer from rank %s for %.1f s: stuck, or much "
                       "slower (see --distributed-timeout-minutes)",
                       silent.c_str(), seconds);
  refuse(who(what) + ": " + blame);
}

void Sockets::exchange(const txrt_message *messages, uint32_t count,
                       const char *what) {
  list = messages;
  listed = count;
  for (Link &link : links)
    link.out.next = link.in.next = 0;
  Clock::time_point progress = Clock::now();
  auto waited = [&] {
    return std::chrono::duration<double>(Clock::now() - progress).count();
  };
  for (;;) {
    bool isDone = true;
    for (int peer = 0; peer < size(); ++peer) {
      Link &link = links[peer];
      polled[peer] = {-1, 0, 0};
      if (peer == self)
        continue;
      short events = POLLRDHUP;
      if (find(link.in, peer, 0))
        events |= POLLIN;
      if (find(link.out, peer, 1))
        events |= POLLOUT;
      isDone &= events == POLLRDHUP;
      // A closed one would wake us at once, every time.
      if (!link.isClosed || events != POLLRDHUP)
        polled[peer] = {link.descriptor, events, 0};
    }
    if (isDone)
      return;
    const int ready = ::poll(polled.data(), polled.size(), pollMilliseconds);
    if (ready < 0 && errno != EINTR)
      refuse(who(what) + ": poll: " + strerror(errno));
    bool moved = false, lost = false;
    for (int peer = 0; ready > 0 && peer < size(); ++peer) {
      const short events = polled[peer].revents;
      if (events & POLLIN)
        pull(peer, what);
      if (events & POLLOUT)
        push(peer, what);
      moved |= (events & (POLLIN | POLLOUT)) != 0;
      if (events & (POLLRDHUP | POLLHUP | POLLERR) && !(events & POLLIN)) {
        noticeClosed(peer);
        lost = true;
      }
    }
    if (moved)
      progress = Clock::now();
    for (int peer = 0; lost && peer < size(); ++peer)
      if (peer != self && links[peer].isClosed &&
          (links[peer].farewell || find(links[peer].in, peer, 0)))
        reportLost(what, 0);
    const double seconds = waited();
    const bool anyClosed = std::any_of(
        links.begin(), links.end(), [](const Link &l) { return l.isClosed; });
    if (anyClosed && seconds > secondsOfGrace)
      reportLost(what, 0);
    if (timeout > 0 && seconds > timeout)
      reportLost(what, seconds);
  }
}

void Sockets::watch(const char *what, double seconds) {
  listed = 0;
  for (int peer = 0; peer < size(); ++peer) {
    if (peer == self)
      continue;
    pollfd probe = {links[peer].descriptor, POLLRDHUP, 0};
    if (::poll(&probe, 1, 0) == 1 &&
        (probe.revents & (POLLRDHUP | POLLHUP | POLLERR)))
      reportLost(what, 0);
  }
  if (timeout > 0 && seconds > timeout)
    refuse(who(what) + format(": not done after %.1f s: another rank is stuck, "
                              "or much slower (see "
                              "--distributed-timeout-minutes)",
                              seconds));
}

void Sockets::finish() {
  std::vector<txrt_message> messages;
  std::vector<char> bytes(2 * links.size());
  for (int peer = 0; peer < size(); ++peer)
    for (int sends = 0; sends < 2 && peer != self; ++sends)
      messages.push_back({peer, sends, &bytes[2 * peer + sends], 1});
  exchange(messages.data(), static_cast<uint32_t>(messages.size()),
           "the end of the run");
}

void Sockets::sayFarewell(int code, const char *why) {
  // Whom we blame, and not where we stood.
  if (code == TXRT_PEER && !blame.empty())
    why = blame.c_str();
  char packet[sizeof(Header) + reasonBytes];
  const size_t length = std::min(strlen(why), reasonBytes);
  const Header header = {farewellMark, code, 0, length};
  memcpy(packet, &header, sizeof header);
  memcpy(packet + sizeof header, why, length);
  for (int peer = 0; peer < size(); ++peer) {
    if (peer == self)
      continue;
    // In the midst of a message it would be taken for data.
    if (links[peer].out.done == 0)
      (void)::send(links[peer].descriptor, packet, sizeof header + length,
                   MSG_DONTWAIT | MSG_NOSIGNAL);
    ::shutdown(links[peer].descriptor, SHUT_WR);
  }
  drain();
}

/// TCP takes back what it has sent when a socket is closed with data unread.
void Sockets::drain() {
  const Clock::time_point end =
      Clock::now() + std::chrono::milliseconds(millisecondsToDrain);
  std::vector<char> ignored(65536);
  for (;;) {
    for (int peer = 0; peer < size(); ++peer)
      polled[peer] = {peer == self || links[peer].isClosed
                          ? -1
                          : links[peer].descriptor,
                      POLLIN, 0};
    const auto left = std::chrono::duration_cast<std::chrono::milliseconds>(
        end - Clock::now());
    if (left.count() <= 0 ||
        ::poll(polled.data(), polled.size(), static_cast<int>(left.count())) <=
            0)
      return;
    for (int peer = 0; peer < size(); ++peer)
      if (polled[peer].revents &&
          ::recv(links[peer].descriptor, ignored.data(), ignored.size(),
                 MSG_DONTWAIT) <= 0)
        links[peer].isClosed = true;
  }
}
