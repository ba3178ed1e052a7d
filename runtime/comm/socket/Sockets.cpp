#include "comm/socket/Sockets.h"
#include "core/Failure.h"

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <sys/socket.h>
#include <sys/uio.h>
#include <unistd.h>

using namespace txrt;

// A rank that closes its socket while this rank expects nothing from it has either finished earlier or was lost. If the
// exchange makes no progress for so many seconds, the rank counts as lost.
static constexpr double secondsOfGrace = 2.0;
static constexpr int pollMilliseconds = 200;
// After so many seconds without progress, a rank looks for questions where it is.
static constexpr double secondsToListen = 0.1;
static constexpr size_t listenBytes = 64 << 10;

Sockets::Sockets(int rank, std::vector<int> descriptors, double timeoutSeconds, std::string description)
    : self(rank), timeout(timeoutSeconds), text(std::move(description)), links(descriptors.size()),
      polled(descriptors.size()), positions(rank, static_cast<int>(descriptors.size())), heard(listenBytes) {
  for (size_t peer = 0; peer < descriptors.size(); ++peer)
    links[peer].descriptor = descriptors[peer];
}

Sockets::~Sockets() {
  for (int peer = 0; peer < size(); ++peer)
    if (peer != self && links[peer].descriptor >= 0)
      ::close(links[peer].descriptor);
}

std::string Sockets::who(const char *what) const {
  return format("rank %d of %d: %s", self, size(), printable(what, 120).c_str());
}

void Sockets::refuse(const std::string &message) const { fail(TXRT_PEER, "%s", message.c_str()); }

/// Moves to the next message of the lane; false if there is none.
bool Sockets::find(Lane &lane, int peer, int sends) const {
  while (lane.next < listed && (list[lane.next].peer != peer || list[lane.next].sends != sends))
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
    // Send header and data in one call, so that a small message is one packet.
    iovec parts[2];
    int count = 0;
    if (lane.done < sizeof(Header))
      parts[count++] = {reinterpret_cast<char *>(&lane.header) + lane.done, sizeof(Header) - lane.done};
    const uint64_t sent = lane.done < sizeof(Header) ? 0 : lane.done - sizeof(Header);
    if (sent < message.bytes)
      parts[count++] = {static_cast<char *>(message.data) + sent, message.bytes - sent};
    msghdr packet = {};
    packet.msg_iov = parts;
    packet.msg_iovlen = static_cast<size_t>(count);
    const ssize_t length = ::sendmsg(link.descriptor, &packet, MSG_DONTWAIT | MSG_NOSIGNAL);
    if (length < 0) {
      if (errno == EINTR)
        continue;
      if (errno == EAGAIN || errno == EWOULDBLOCK)
        return;
      if (errno == EPIPE || errno == ECONNRESET) {
        // The peer may have sent a farewell before it left.
        noticeClosed(peer);
        reportLost(what, 0);
      }
      refuse(who(what) + format(": sending to rank %d: %s", peer, strerror(errno)));
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
    } else if (lane.isPosition()) {
      to = reinterpret_cast<char *>(&link.position) + lane.done - sizeof(Header);
      room = sizeof link.position + sizeof(Header) - lane.done;
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
        continue; // the peer closed with our data unread; the next call gives what the peer had sent before
      refuse(who(what) + format(": receiving from rank %d: %s", peer, strerror(errno)));
    }
    if (length == 0) {
      link.isClosed = true;
      reportLost(what, 0);
    }
    const bool hadHeader = lane.done >= sizeof(Header);
    lane.done += static_cast<uint64_t>(length);
    if (!hadHeader && lane.done == sizeof(Header))
      readHeader(peer, what);
    const bool isPosition = lane.isPosition();
    if (lane.done < sizeof(Header) + (isPosition ? sizeof link.position : message.bytes))
      continue;
    lane.done = 0;
    if (isPosition) {
      hear(peer, link.position);
      continue;
    }
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
  if (lane.isPosition() && lane.header.bytes == sizeof(PositionMessage))
    return;
  if (lane.header.mark == messageMark && lane.header.number == lane.number && lane.header.bytes == expected)
    return;
  refuse(who(what) + format(": message %llu from rank %d has %llu bytes, where message "
                            "%llu of %llu is due: it runs another program, or something "
                            "else than tx-run writes to its socket",
                            static_cast<unsigned long long>(lane.header.number), peer,
                            static_cast<unsigned long long>(lane.header.bytes),
                            static_cast<unsigned long long>(lane.number), static_cast<unsigned long long>(expected)));
}

void Sockets::exchange(const txrt_message *messages, uint32_t count, const char *what) {
  list = messages;
  listed = count;
  doing = what;
  positions.clear();
  for (Link &link : links) {
    link.out.next = link.in.next = 0;
    link.isTold = false;
  }
  Clock::time_point progress = Clock::now();
  auto waited = [&] { return std::chrono::duration<double>(Clock::now() - progress).count(); };
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
      // poll would return at once, every time, for a closed socket on which nothing is expected.
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
      if (peer != self && links[peer].isClosed && (links[peer].farewell || find(links[peer].in, peer, 0)))
        reportLost(what, 0);
    // A rank with which this one exchanges nothing any more may still ask where this one is.
    for (int peer = 0; ready == 0 && peer < size(); ++peer)
      if (peer != self)
        listen(peer);
    const double seconds = waited();
    const bool anyClosed = std::any_of(links.begin(), links.end(), [](const Link &l) { return l.isClosed; });
    if (anyClosed && seconds > secondsOfGrace)
      reportLost(what, 0);
    if (timeout > 0 && seconds > timeout)
      reportLost(what, seconds);
  }
}

void Sockets::watch(const char *what, double seconds) {
  listed = 0;
  doing = what;
  for (int peer = 0; peer < size(); ++peer) {
    if (peer == self)
      continue;
    if (seconds > secondsToListen)
      listen(peer);
    pollfd probe = {links[peer].descriptor, POLLRDHUP, 0};
    if (::poll(&probe, 1, 0) == 1 && (probe.revents & (POLLRDHUP | POLLHUP | POLLERR)))
      reportLost(what, 0);
  }
  if (timeout <= 0 || seconds <= timeout)
    return;
  ask();
  blame = format("not done after %.1f s: stuck, or much slower (see "
                 "--distributed-timeout-minutes); ",
                 seconds) +
          positions.report(what);
  refuse(who(what) + ": " + blame);
}

void Sockets::finish() {
  std::vector<txrt_message> messages;
  std::vector<char> bytes(2 * links.size());
  for (int peer = 0; peer < size(); ++peer)
    for (int sends = 0; sends < 2 && peer != self; ++sends)
      messages.push_back({peer, sends, &bytes[2 * peer + sends], 1});
  exchange(messages.data(), static_cast<uint32_t>(messages.size()), "the end of the run");
}
