#include "core/Session.h"

#include <llvm/ADT/StringRef.h>
#include "../backends/host/Gemm.h"
