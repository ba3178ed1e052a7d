//===- Notes.h - What is worth a word and no failure ----------------------------------------------------*- C++ -*-===//

#ifndef TXRT_TRAIN_NOTES_H
#define TXRT_TRAIN_NOTES_H

#include <functional>
#include <string>

namespace txrt::train {

/// Gets one line, for people. The library itself prints nothing.
using Notes = std::function<void(const std::string &line)>;

} // namespace txrt::train

#endif // TXRT_TRAIN_NOTES_H
