// How ranks leave, and how the others find out why.

#include "comm/socket/Sockets.h"
#include "core/Failure.h"

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <sys/socket.h>

using namespace txrt;

static constexpr int millisecondsToDrain = 200;
static const char *const gaveUp = " gave up: ";

/// Reads the reason of a farewell, after its header, as far as it has arrived.
void Sockets::readFarewell(int peer) {
  Link &link = links[peer];
  char reason[reasonBytes];
  const uint64_t room = std::min<uint64_t>(link.in.header.bytes, sizeof reason);
  const ssize_t length = ::recv(link.descriptor, reason, room, MSG_DONTWAIT);
  link.isClosed = true;
  link.farewell = link.in.header.code;
  link.reason.assign(reason, length > 0 ? static_cast<size_t>(length) : 0);
}

/// The peer has closed its socket. Reads the farewell if that is the next message.
void Sockets::noticeClosed(int peer) {
  Link &link = links[peer];
  if (link.isClosed)
    return;
  link.isClosed = true;
  if (link.in.done != 0)
    return; // in the middle of a message
  listen(peer);
  Header next;
  auto peek = [&] { return ::recv(link.descriptor, &next, sizeof next, MSG_DONTWAIT | MSG_PEEK); };
  ssize_t length = peek();
  if (length < 0 && errno == ECONNRESET)
    length = peek(); // see pull
  if (length == static_cast<ssize_t>(sizeof next) && next.mark == farewellMark)
    skimToFarewell(peer);
}

/// Reads and drops all messages up to a farewell. Call it when this rank will leave and no longer needs the messages.
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
    const ssize_t length = room ? ::recv(link.descriptor, to, room, MSG_DONTWAIT) : 0;
    if (room && length <= 0)
      return;
    lane.done += static_cast<uint64_t>(length);
    if (lane.done >= sizeof(Header) && lane.header.mark != farewellMark &&
        lane.done == sizeof(Header) + lane.header.bytes)
      lane.done = 0;
  }
}

/// Fails with an error that says which ranks are the cause: those that left for a reason of their own; if there are
/// none, those that do not answer.
void Sockets::reportLost(const char *what, double seconds) {
  if (seconds > 0)
    ask();
  // This rank leaves, and cannot answer later questions: tell all ranks now where it is.
  for (int peer = 0; peer < size(); ++peer)
    if (peer != self && !links[peer].isTold)
      tell(peer, false);
  std::vector<bool> isAwaited(links.size());
  for (int peer = 0; peer < size(); ++peer) {
    if (peer == self)
      continue;
    Lane in = links[peer].in, out = links[peer].out;
    isAwaited[peer] = find(in, peer, 0) || find(out, peer, 1);
    // Other ranks may have seen the loss first, and may have left because of it.
    pollfd probe = {links[peer].descriptor, POLLRDHUP, 0};
    if (::poll(&probe, 1, 0) == 1 && (probe.revents & (POLLRDHUP | POLLHUP | POLLERR)))
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
      left += comma + format("rank %d has left with exit code %d: %s", peer, link.farewell,
                             printable(link.reason, reasonBytes).c_str());
    else if (link.isClosed && told.empty())
      // The peer gave up earlier, and its farewell says on which rank, or repeats what another rank's farewell said.
      told =
          link.reason.find(gaveUp) != std::string::npos ? link.reason : format("rank %d%s", peer, gaveUp) + link.reason;
    else if (!link.isClosed && isAwaited[peer])
      silent += (silent.empty() ? "" : ", ") + std::to_string(peer);
  }
  blame = !left.empty()                    ? left
          : silent.empty() || seconds == 0 ? (told.empty() ? "the other ranks have left" : printable(told, reasonBytes))
                                           : format("no answer from rank %s for %.1f s: stuck, or much "
                                                    "slower (see --distributed-timeout-minutes); ",
                                                    silent.c_str(), seconds) +
                                                 positions.report(what);
  refuse(who(what) + ": " + blame);
}

void Sockets::sayFarewell(int code, const char *why) {
  // The farewell says which ranks are the cause, and leaves out the operation that this rank was in.
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
    // In the middle of another message, the peer would take it for that message's data.
    if (links[peer].out.done == 0)
      (void)::send(links[peer].descriptor, packet, sizeof header + length, MSG_DONTWAIT | MSG_NOSIGNAL);
    ::shutdown(links[peer].descriptor, SHUT_WR);
  }
  drain();
}

/// Reads and drops what the peers still send, for millisecondsToDrain at most: if a socket is closed while received
/// data is unread, TCP resets the connection and the peer loses the farewell.
void Sockets::drain() {
  const Clock::time_point end = Clock::now() + std::chrono::milliseconds(millisecondsToDrain);
  std::vector<char> ignored(65536);
  for (;;) {
    for (int peer = 0; peer < size(); ++peer)
      polled[peer] = {peer == self || links[peer].isClosed ? -1 : links[peer].descriptor, POLLIN, 0};
    const auto left = std::chrono::duration_cast<std::chrono::milliseconds>(end - Clock::now());
    if (left.count() <= 0 || ::poll(polled.data(), polled.size(), static_cast<int>(left.count())) <= 0)
      return;
    for (int peer = 0; peer < size(); ++peer)
      if (polled[peer].revents && ::recv(links[peer].descriptor, ignored.data(), ignored.size(), MSG_DONTWAIT) <= 0)
        links[peer].isClosed = true;
  }
}
