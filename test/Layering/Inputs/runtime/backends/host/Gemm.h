#include "txrt/abi.h"
