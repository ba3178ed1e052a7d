//===- Ranks.cpp - The processes that run one step together -------------------------------------------------------===//

#include "Ranks.h"
#include "Interrupt.h"
#include "Options.h"

#include <algorithm>
#include <cstring>
#include <exception>

namespace txrun {

/// The world that is left in error.
static txrt_world *current = nullptr;

void leaveRanks(ExitCode code, const std::string &why) {
  if (current)
    txrt_world_abort(current, static_cast<int>(code), why.c_str());
}

std::string rankPrefix() {
  return current ? format("rank %d of %d: ", txrt_world_rank(current), txrt_world_size(current)) : "";
}

Ranks &Ranks::alone() {
  static Ranks one;
  return one;
}

Ranks::Ranks(const Options &options) {
  const int launched = txrt_world_launched_ranks();
  if (launched > 0 && options.ranks > 0 && options.ranks != launched)
    fail(ExitCode::Usage, "--ranks %lld, and the launcher has started %d: give one of the two",
         (long long)options.ranks, launched);
  if (launched <= 1)
    return;
  txrt_world_options world = {};
  world.timeout_seconds = options.timeoutMinutes * 60;
  world.stopping = [] { return int(terminated()); };
  world.interrupted = [] { return int(txrun::interrupted()); };
  txrt_error error;
  check(txrt_world_create(&world, &joined, &error), error);
  current = joined;
  number = txrt_world_rank(joined);
  count = txrt_world_size(joined);
}

Ranks::~Ranks() {
  if (!joined || (std::uncaught_exceptions() > 0 && !hasAgreed))
    return;
  current = nullptr;
  txrt_world_destroy(joined);
}

/// Every rank's text, in their order.
std::vector<std::string> Ranks::gather(const std::string &mine, const char *what) {
  if (!joined)
    return {mine};
  txrt_error error;
  const uint64_t length = mine.size();
  std::vector<uint64_t> lengths(static_cast<size_t>(count));
  check(txrt_world_all_gather(joined, &length, lengths.data(), sizeof length, what, &error), error);
  const uint64_t most = *std::max_element(lengths.begin(), lengths.end());
  constexpr uint64_t sensible = uint64_t(1) << 24;
  if (most > sensible)
    fail(ExitCode::Peer, "%s: a rank has %llu bytes to say", what, (unsigned long long)most);
  std::vector<char> padded(most), all(most * static_cast<size_t>(count));
  std::copy(mine.begin(), mine.end(), padded.begin());
  check(txrt_world_all_gather(joined, padded.data(), all.data(), most, what, &error), error);
  std::vector<std::string> texts;
  for (size_t i = 0; i < lengths.size(); ++i)
    texts.emplace_back(all.data() + i * most, lengths[i]);
  return texts;
}

void Ranks::failOnAll(ExitCode code, const std::string &message) {
  hasAgreed = true;
  // Before the world ends: a launcher drops what a rank says once another has left.
  if (isFirst())
    complain("error", message);
  Error error(code, message);
  error.quiet = true;
  throw error;
}

void Ranks::together(const std::function<void()> &work) {
  if (!joined)
    return work();
  std::string outcome; // empty, or the exit code and a message
  std::exception_ptr mine;
  auto note = [&](ExitCode code, const std::string &message) {
    mine = std::current_exception();
    outcome = std::to_string(static_cast<int>(code)) + " " + message;
  };
  try {
    work();
  } catch (const std::exception &error) {
    note(codeOf(error), messageOf(error));
  }
  std::vector<std::string> outcomes;
  try {
    outcomes = gather(outcome, "agreement");
  } catch (const Error &) {
    // Ranks that are out of step can not agree any more.
    if (mine)
      std::rethrow_exception(mine);
    throw;
  }
  auto failed = std::find_if(outcomes.begin(), outcomes.end(), [](const std::string &o) { return !o.empty(); });
  if (failed == outcomes.end())
    return;
  if (mine && isFirst()) {
    hasAgreed = true;
    std::rethrow_exception(mine);
  }
  const size_t space = failed->find(' ');
  const auto who = static_cast<int>(failed - outcomes.begin());
  failOnAll(static_cast<ExitCode>(std::stoi(*failed)),
            (who ? format("rank %d of %d: ", who, count) : "") + failed->substr(space + 1));
}

bool Ranks::any(bool mine) {
  if (!joined)
    return mine;
  int32_t ranks = mine;
  txrt_error error;
  check(txrt_world_all_reduce(joined, &ranks, 1, TXRT_DTYPE_I32, "agreement", &error), error);
  return ranks != 0;
}

bool Ranks::interrupted() { return any(txrun::interrupted()); }

/// Fields as one text: names and values have no NUL.
static std::string join(const std::vector<Ranks::Field> &fields) {
  std::string text;
  for (const Ranks::Field &field : fields)
    text += field.first + '\0' + field.second + '\0';
  return text;
}

static std::vector<Ranks::Field> split(const std::string &text) {
  std::vector<Ranks::Field> fields;
  auto part = [&](size_t &at) {
    const size_t end = std::min(text.find('\0', at), text.size());
    std::string found = text.substr(at, end - at);
    at = end + 1;
    return found;
  };
  for (size_t at = 0; at < text.size();) {
    std::string name = part(at);
    fields.emplace_back(name, at < text.size() ? part(at) : "");
  }
  return fields;
}

/// All values of a name, for flags that are repeated.
static std::string valueOf(const std::vector<Ranks::Field> &fields, const std::string &name) {
  std::string all;
  for (const Ranks::Field &field : fields)
    if (field.first == name)
      all += (all.empty() ? "" : " ") + (field.second.empty() ? "given" : printable(field.second, 200));
  return all.empty() ? "nothing" : all;
}

void Ranks::requireSame(const std::vector<Field> &fields) {
  if (!joined)
    return;
  const std::vector<std::string> all = gather(join(fields), "handshake");
  const std::vector<Field> first = split(all[0]);
  for (size_t rank = 1; rank < all.size(); ++rank) {
    const std::vector<Field> other = split(all[rank]);
    for (const std::vector<Field> *list : {&first, &other})
      for (const Field &field : *list) {
        const std::string expected = valueOf(first, field.first);
        const std::string found = valueOf(other, field.first);
        if (found != expected)
          failOnAll(ExitCode::BadInput, format("rank %zu differs from rank 0 in %s: %s and %s; all "
                                               "ranks of a run need the same",
                                               rank, printable(field.first).c_str(), found.c_str(), expected.c_str()));
      }
  }
}

} // namespace txrun
