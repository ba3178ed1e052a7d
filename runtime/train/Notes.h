//===- Notes.h - Messages that are no errors ------------------------------------------------------------*- C++ -*-===//

#ifndef TXRT_TRAIN_NOTES_H
#define TXRT_TRAIN_NOTES_H

#include <cstdint>
#include <functional>
#include <string>

namespace txrt::train {

/// The caller's function that gets such messages, one line each. The library itself prints nothing.
using Notes = std::function<void(const std::string &line)>;

/// The caller's function that gets, many times, how far long work is: "loading", bytes done, bytes in all. May be null.
using Progress = std::function<void(const char *what, uint64_t done, uint64_t all)>;

} // namespace txrt::train

#endif // TXRT_TRAIN_NOTES_H
