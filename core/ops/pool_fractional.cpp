#include "op/build.h"
#include "ops.h"

namespace fb {

FB_GROUP(pool_fractional)

}  // namespace fb
