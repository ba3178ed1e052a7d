#include "comm/Positions.h"
#include "core/Failure.h"

#include <algorithm>
#include <cstdio>
#include <cstring>

using namespace txrt;

PositionMessage::PositionMessage(bool asks, const char *what) : asks(asks) { snprintf(name, sizeof name, "%s", what); }

const char *OperationName::set(const char *name, uint64_t number) {
  constexpr size_t numberBytes = 24, room = sizeof text - numberBytes;
  constexpr size_t half = room / 2 - 2;
  const size_t length = strlen(name);
  if (length < room)
    snprintf(text, sizeof text, "%s #%llu", name, static_cast<unsigned long long>(number));
  else
    snprintf(text, sizeof text, "%.*s...%s #%llu", static_cast<int>(half), name, name + length - half,
             static_cast<unsigned long long>(number));
  return text;
}

std::string txrt::rankList(const std::vector<int> &ranks) {
  std::string text = ranks.size() == 1 ? "rank " : "ranks ";
  for (size_t i = 0; i < ranks.size(); ++i)
    text += (i == 0 ? "" : i + 1 == ranks.size() ? " and " : ", ") + std::to_string(ranks[i]);
  return text;
}

void Positions::clear() {
  for (std::string &name : names)
    name.clear();
}

void Positions::hear(int rank, const PositionMessage &message) {
  names[static_cast<size_t>(rank)] = std::string(message.name, strnlen(message.name, sizeof message.name));
}

std::string Positions::report(const char *what) const {
  std::vector<std::string> all = names;
  all[static_cast<size_t>(self)] = PositionMessage(false, what).name; // a long name is cut as the others' are
  std::vector<std::string> told;                                      // each distinct operation once, this rank's first
  told.push_back(all[static_cast<size_t>(self)]);
  std::vector<int> silent;
  for (size_t rank = 0; rank < all.size(); ++rank)
    if (all[rank].empty())
      silent.push_back(static_cast<int>(rank));
    else if (std::find(told.begin(), told.end(), all[rank]) == told.end())
      told.push_back(all[rank]);
  if (told.size() == 1 && silent.empty())
    return "all ranks are in it";
  std::string text;
  for (const std::string &name : told) {
    std::vector<int> ranks;
    for (size_t rank = 0; rank < all.size(); ++rank)
      if (all[rank] == name)
        ranks.push_back(static_cast<int>(rank));
    text += (text.empty() ? "" : "; ") + rankList(ranks) + (ranks.size() == 1 ? " is in " : " are in ") +
            printable(name, 120);
  }
  if (!silent.empty())
    text += "; " + rankList(silent) + (silent.size() == 1 ? " does not say where it is" : " do not say where they are");
  return text;
}
