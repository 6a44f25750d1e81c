#include "op/build.h"
#include "ops.h"

namespace fb {

FB_GROUP(grid)

}  // namespace fb
