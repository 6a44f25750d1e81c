"""All transforms under the module path `transforms.transforms`."""

from .color import *
from .compose import *
from .convert import *
from .functional import InterpolationMode
from .geometry import *
from .size import *
