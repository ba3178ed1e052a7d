// Where this rank is and where the others are: messages between those of the exchanges, of which nothing else depends.

#include "comm/socket/Sockets.h"

#include <algorithm>
#include <cstring>
#include <sys/socket.h>
#include <thread>

using namespace txrt;

// For an answer: whoever waits for ranks looks for questions more often.
static constexpr std::chrono::milliseconds timeToAnswer{1000}, interval{10};

void Sockets::tell(int peer, bool asks) {
  Link &link = links[peer];
  link.isTold |= !asks;
  // In the midst of a message it would be taken for data.
  if (link.isClosed || link.out.done != 0)
    return;
  struct {
    Header header;
    PositionMessage message;
  } packet = {{positionMark, 0, 0, sizeof(PositionMessage)}, {asks, doing}};
  static_assert(sizeof packet == sizeof(Header) + sizeof(PositionMessage));
  const ssize_t sent = ::send(link.descriptor, &packet, sizeof packet, MSG_DONTWAIT | MSG_NOSIGNAL);
  // Half of it makes the stream unreadable; its reader was not reading anyway.
  if (sent > 0 && sent < static_cast<ssize_t>(sizeof packet))
    ::shutdown(link.descriptor, SHUT_WR);
}

void Sockets::hear(int peer, const PositionMessage &message) {
  positions.hear(peer, message);
  if (message.asks && !links[peer].isTold)
    tell(peer, false);
}

/// Takes note of what a peer says of its position. That may lie behind messages of an operation that we have not come
/// to: then it stays where it is.
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

/// Asks all who have not said so where they are, and waits a moment for answers.
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
