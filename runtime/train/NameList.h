//===- NameList.h - Many names in one line of a message -------------------------------------------------*- C++ -*-===//

#ifndef TXRT_TRAIN_NAMELIST_H
#define TXRT_TRAIN_NAMELIST_H

#include "core/Failure.h"

#include <string>

namespace txrt::train {

/// Collects names for one line of a message; it lists the first 20 and counts the others.
class NameList {
public:
  void add(const std::string &name) {
    if (++count <= most)
      text += (text.empty() ? "" : ", ") + printable(name, 120);
  }
  bool empty() const { return count == 0; }
  size_t size() const { return count; }
  std::string str() const { return count > most ? text + format(" and %zu more", count - most) : text; }

private:
  static constexpr size_t most = 20;
  size_t count = 0;
  std::string text;
};

} // namespace txrt::train

#endif // TXRT_TRAIN_NAMELIST_H
