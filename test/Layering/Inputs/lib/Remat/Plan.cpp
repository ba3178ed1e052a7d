#include "tx/Remat/Plan.h"
