#include "core/Session.h"

#include "../backends/host/Gemm.h"
#include <llvm/ADT/StringRef.h>
