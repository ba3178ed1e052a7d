/* The header is C99, and a C program links with the library. */

#include "txrt/txrt_train.h"

const char *tryFromC(void);

static txrt_error error;

const char *tryFromC(void) {
  txrt_train_options options = {0};
  txrt_train *train = NULL;
  options.session.threads = 1;
  if (txrt_train_open("no such file", &options, &train, &error) == TXRT_IO && !train)
    return error.message;
  return "opened";
}
