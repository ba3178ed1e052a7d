#include "core/Session.h"

#include "backends/host/Gemm.h"
