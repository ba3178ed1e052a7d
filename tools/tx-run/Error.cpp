//===- Error.cpp - What ends tx-run, in one line ------------------------------------------------------------------===//

#include "Error.h"

#include <cstdio>

namespace txrun {

void complain(const char *kind, const std::string &text) {
  std::fprintf(stderr, "tx-run: %s: %s\n", kind, printable(text, std::string::npos).c_str());
}

} // namespace txrun
