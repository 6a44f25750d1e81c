#include "op/build.h"
#include "ops.h"

namespace fb {

FB_GROUP(conv)

}  // namespace fb
