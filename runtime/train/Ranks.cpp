//===- Ranks.cpp - The processes that run one step together -------------------------------------------------------===//

#include "train/Ranks.h"

#include <algorithm>
#include <exception>

namespace txrt::train {

Ranks::Ranks(txrt_world *world, std::function<bool()> interruption)
    : joined(world && txrt_world_size(world) > 1 ? world : nullptr), interruption(std::move(interruption)) {
  if (!joined)
    return;
  number = txrt_world_rank(joined);
  count = txrt_world_size(joined);
}

/// Every rank's text, in the order of ranks.
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
    fail(TXRT_PEER, "%s: a rank has %llu bytes to say", what, (unsigned long long)most);
  std::vector<char> padded(most), all(most * static_cast<size_t>(count));
  std::copy(mine.begin(), mine.end(), padded.begin());
  check(txrt_world_all_gather(joined, padded.data(), all.data(), most, what, &error), error);
  std::vector<std::string> texts;
  for (size_t i = 0; i < lengths.size(); ++i)
    texts.emplace_back(all.data() + i * most, lengths[i]);
  return texts;
}

void Ranks::failOnAll(txrt_status code, const std::string &message) {
  hasAgreed = true;
  throw AgreedFailure(code, message);
}

void Ranks::together(const std::function<void()> &work) {
  if (!joined)
    return work();
  std::string outcome; // empty: this rank succeeded; else its status and message
  std::exception_ptr mine;
  try {
    work();
  } catch (const Failure &failure) {
    mine = std::current_exception();
    outcome = std::to_string(failure.code) + " " + failure.what();
  } catch (...) {
    mine = std::current_exception();
    txrt_error error;
    const txrt_status code = statusOfException(&error);
    outcome = std::to_string(code) + " " + error.message;
  }
  std::vector<std::string> outcomes;
  try {
    outcomes = gather(outcome, "agreement");
  } catch (const Failure &) {
    // The exchange itself failed: ranks that are out of step cannot agree any more. Throw this rank's own error.
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
  failOnAll(static_cast<txrt_status>(std::stoi(*failed)),
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

bool Ranks::interrupted() { return any(interruption && interruption()); }

/// Joins fields into one text with NULs between them: names and values contain none.
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

/// All values of the fields with this name: a flag may be given several times.
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
          failOnAll(TXRT_BAD_INPUT, format("rank %zu differs from rank 0 in %s: %s and %s; all "
                                           "ranks of a run need the same",
                                           rank, printable(field.first).c_str(), found.c_str(), expected.c_str()));
      }
  }
}

} // namespace txrt::train
