//===- Bigram.h - How well pairs of letters predict a text ----------------------------------------------*- C++ -*-===//

#ifndef TXDEMO_BIGRAM_H
#define TXDEMO_BIGRAM_H

#include <cstddef>
#include <string>

namespace txdemo {

/// The entropy of a byte given the byte before it, in nats, under the text's own pair counts: what the best possible
/// bigram model of this very text reaches. 0 for fewer than two bytes.
double bigramEntropy(const std::string &text);

} // namespace txdemo

#endif // TXDEMO_BIGRAM_H
