#include "comm/socket/Acceptor.h"
#include "core/Failure.h"

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <netinet/in.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

using namespace txrt;

// The most connections whose hello is not yet complete. A further connection takes the place of the oldest.
static constexpr size_t mostGuests = 128;
static constexpr std::chrono::seconds patience{10};

Socket::~Socket() {
  if (number >= 0)
    ::close(number);
}

static Socket listenOn(sockaddr *address, socklen_t length) {
  Socket made(::socket(address->sa_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
  const int yes = 1, no = 0;
  if (!made)
    return made;
  ::setsockopt(made.get(), SOL_SOCKET, SO_REUSEADDR, &yes, sizeof yes);
  if (address->sa_family == AF_INET6) // accept IPv4 connections too
    ::setsockopt(made.get(), IPPROTO_IPV6, IPV6_V6ONLY, &no, sizeof no);
  if (::bind(made.get(), address, length) || ::listen(made.get(), SOMAXCONN)) {
    const int reason = errno;
    made = Socket();
    errno = reason;
  }
  return made;
}

Acceptor::Acceptor(uint16_t port, bool onlyLoopback, size_t helloBytes) : helloBytes(helloBytes) {
  sockaddr_in6 six = {};
  six.sin6_family = AF_INET6;
  six.sin6_addr = in6addr_any;
  six.sin6_port = htons(port);
  sockaddr_in four = {};
  four.sin_family = AF_INET;
  four.sin_addr.s_addr = htonl(onlyLoopback ? INADDR_LOOPBACK : INADDR_ANY);
  four.sin_port = htons(port);
  if (!onlyLoopback)
    listening = listenOn(reinterpret_cast<sockaddr *>(&six), sizeof six);
  if (!listening) // the machine has no IPv6
    listening = listenOn(reinterpret_cast<sockaddr *>(&four), sizeof four);
  if (!listening)
    fail(TXRT_PEER,
         "start: rank 0 cannot listen on port %u: %s (another MASTER_PORT may be "
         "free)",
         port, strerror(errno));
  sockaddr_storage bound = {};
  socklen_t length = sizeof bound;
  ::getsockname(listening.get(), reinterpret_cast<sockaddr *>(&bound), &length);
  number = ntohs(bound.ss_family == AF_INET6 ? reinterpret_cast<sockaddr_in6 *>(&bound)->sin6_port
                                             : reinterpret_cast<sockaddr_in *>(&bound)->sin_port);
}

void Acceptor::letIn() {
  for (;;) {
    Socket guest(::accept4(listening.get(), nullptr, nullptr, SOCK_CLOEXEC | SOCK_NONBLOCK));
    if (!guest)
      return;
    if (guests.size() == mostGuests)
      guests.erase(guests.begin());
    guests.push_back({std::move(guest), {}, Clock::now()});
  }
}

bool Acceptor::next(Clock::time_point end, int (*interrupted)(void), std::vector<char> &hello, Socket &from) {
  std::vector<pollfd> polled;
  for (;;) {
    const Clock::time_point now = Clock::now();
    if (now >= end || (interrupted && interrupted()))
      return false;
    guests.erase(
        std::remove_if(guests.begin(), guests.end(), [&](const Guest &guest) { return now - guest.came > patience; }),
        guests.end());
    polled.assign(1, {listening.get(), POLLIN, 0});
    for (const Guest &guest : guests)
      polled.push_back({guest.socket.get(), POLLIN, 0});
    const auto left = std::chrono::duration_cast<std::chrono::milliseconds>(end - now);
    const auto wait = static_cast<int>(std::clamp<int64_t>(left.count(), 1, 500));
    if (::poll(polled.data(), polled.size(), wait) <= 0)
      continue;
    for (size_t i = guests.size(); i-- > 0;) {
      Guest &guest = guests[i];
      if (!polled[i + 1].revents)
        continue;
      char part[256];
      const ssize_t length =
          ::recv(guest.socket.get(), part, std::min(sizeof part, helloBytes - guest.heard.size()), MSG_DONTWAIT);
      if (length < 0 && (errno == EAGAIN || errno == EINTR))
        continue;
      if (length <= 0) {
        guests.erase(guests.begin() + static_cast<ptrdiff_t>(i));
        continue;
      }
      guest.heard.insert(guest.heard.end(), part, part + length);
      if (guest.heard.size() < helloBytes)
        continue;
      hello = std::move(guest.heard);
      from = std::move(guest.socket);
      guests.erase(guests.begin() + static_cast<ptrdiff_t>(i));
      return true;
    }
    if (polled[0].revents)
      letIn();
  }
}
