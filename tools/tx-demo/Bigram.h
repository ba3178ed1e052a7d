//===- Bigram.h - How well pairs of letters predict a text ----------------------------------------------*- C++ -*-===//

#ifndef TXDEMO_BIGRAM_H
#define TXDEMO_BIGRAM_H

#include <cstddef>
#include <string>

namespace txdemo {

/// The entropy, in nats, of a byte given the byte before it, from the counts of pairs in the text itself. It is the
/// loss that the best possible bigram model of this text reaches. 0 for fewer than two bytes.
double bigramEntropy(const std::string &text);

} // namespace txdemo

#endif // TXDEMO_BIGRAM_H
