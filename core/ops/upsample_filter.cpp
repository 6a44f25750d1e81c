#include "op/build.h"
#include "ops.h"

namespace fb {

FB_GROUP(upsample_filter)

}  // namespace fb
