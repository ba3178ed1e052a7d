//===- Notes.h - Messages that are no errors ------------------------------------------------------------*- C++ -*-===//

#ifndef TXRT_TRAIN_NOTES_H
#define TXRT_TRAIN_NOTES_H

#include <functional>
#include <string>

namespace txrt::train {

/// The caller's function that gets such messages, one line each. The library itself prints nothing.
using Notes = std::function<void(const std::string &line)>;

} // namespace txrt::train

#endif // TXRT_TRAIN_NOTES_H
