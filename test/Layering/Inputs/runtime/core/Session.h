#include "txrt/backend.h"
