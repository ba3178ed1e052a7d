#include "Bigram.h"

#include <cmath>
#include <cstdint>
#include <vector>

double txdemo::bigramEntropy(const std::string &text) {
  if (text.size() < 2)
    return 0;
  std::vector<uint64_t> pairs(256 * 256), firsts(256);
  for (size_t i = 0; i + 1 < text.size(); ++i) {
    auto first = static_cast<unsigned char>(text[i]);
    auto second = static_cast<unsigned char>(text[i + 1]);
    ++pairs[first * 256 + second];
    ++firsts[first];
  }
  double sum = 0;
  for (size_t pair = 0; pair < pairs.size(); ++pair)
    if (pairs[pair])
      sum -= double(pairs[pair]) * std::log(double(pairs[pair]) / double(firsts[pair / 256]));
  return sum / double(text.size() - 1);
}
