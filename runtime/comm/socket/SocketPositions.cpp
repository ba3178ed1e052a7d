// Position messages (comm/Positions.h): ranks send them between the messages of exchanges. If one is lost, only an
// error's text says less.

#include "comm/socket/Sockets.h"

#include <algorithm>
#include <cstring>
#include <sys/socket.h>
#include <thread>

using namespace txrt;

// How long a rank waits for answers: longer than the time after which waiting ranks look for questions.
static constexpr std::chrono::milliseconds timeToAnswer{1000}, interval{10};

void Sockets::tell(int peer, bool asks) {
  Link &link = links[peer];
  link.isTold |= !asks;
  // In the middle of another message, the peer would take it for that message's data.
  if (link.isClosed || link.out.done != 0)
    return;
  struct {
    Header header;
    PositionMessage message;
  } packet = {{positionMark, 0, 0, sizeof(PositionMessage)}, {asks, doing}};
  static_assert(sizeof packet == sizeof(Header) + sizeof(PositionMessage));
  const ssize_t sent = ::send(link.descriptor, &packet, sizeof packet, MSG_DONTWAIT | MSG_NOSIGNAL);
  // If only a part was sent, the stream is unreadable from here on, so close it. The peer was not reading it anyway:
  // its buffer is full.
  if (sent > 0 && sent < static_cast<ssize_t>(sizeof packet))
    ::shutdown(link.descriptor, SHUT_WR);
}

void Sockets::hear(int peer, const PositionMessage &message) {
  positions.hear(peer, message);
  if (message.asks && !links[peer].isTold)
    tell(peer, false);
}

/// Looks for position messages among the bytes that wait in a peer's socket. If a position message is behind messages
/// of an operation that this rank has not reached, it is noted but stays in the socket.
void Sockets::listen(int peer) {
  const Link &link = links[peer];
  const Lane &in = link.in;
  if (in.done != 0 && in.done < sizeof(Header))
    return;
  const ssize_t length = ::recv(link.descriptor, heard.data(), heard.size(), MSG_DONTWAIT | MSG_PEEK);
  if (length <= 0)
    return;
  const auto end = static_cast<uint64_t>(length);
  uint64_t at = in.done ? sizeof(Header) + in.header.bytes - in.done : 0;
  bool isFirst = at == 0;
  while (at + sizeof(Header) <= end) {
    Header header;
    memcpy(&header, &heard[at], sizeof header);
    const uint64_t next = at + sizeof(Header) + header.bytes;
    if (header.mark != positionMark) {
      if (header.mark != messageMark)
        return;
      isFirst = false;
    } else if (next <= end && header.bytes == sizeof(PositionMessage)) {
      PositionMessage message;
      memcpy(static_cast<void *>(&message), &heard[at + sizeof(Header)], sizeof message);
      if (isFirst)
        (void)!::recv(link.descriptor, heard.data(), next - at, MSG_DONTWAIT);
      hear(peer, message);
    }
    at = next;
  }
}

/// Asks all ranks that have not said where they are, and waits for answers for timeToAnswer at most.
void Sockets::ask() {
  auto isDone = [&](int peer) { return peer == self || links[peer].isClosed || positions.isKnown(peer); };
  for (int peer = 0; peer < size(); ++peer)
    if (!isDone(peer))
      tell(peer, true);
  const Clock::time_point end = Clock::now() + timeToAnswer;
  for (bool isAwaited = true; isAwaited && Clock::now() < end;) {
    isAwaited = false;
    for (int peer = 0; peer < size(); ++peer) {
      if (peer != self && !links[peer].isClosed)
        listen(peer);
      pollfd probe = {links[peer].descriptor, POLLRDHUP, 0};
      if (!isDone(peer) && ::poll(&probe, 1, 0) == 1 && (probe.revents & (POLLRDHUP | POLLHUP | POLLERR)))
        noticeClosed(peer);
      isAwaited |= !isDone(peer);
    }
    if (isAwaited)
      std::this_thread::sleep_for(interval);
  }
}
