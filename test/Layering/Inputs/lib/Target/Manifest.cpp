// Of the runtime the compiler knows one header.
#include "txrt/abi.h"

#include "txrt/runtime.h"
