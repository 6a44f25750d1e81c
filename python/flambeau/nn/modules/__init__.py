"""Layers, one family a file."""

from .activation import *  # noqa: F403
from .adaptive import *  # noqa: F403
from .attention import *  # noqa: F403
from .batchnorm import *  # noqa: F403
from .channelshuffle import *  # noqa: F403
from .container import *  # noqa: F403
from .conv import *  # noqa: F403
from .distance import *  # noqa: F403
from .dropout import *  # noqa: F403
from .flatten import *  # noqa: F403
from .fold import *  # noqa: F403
from .instancenorm import *  # noqa: F403
from .lazy_conv import *  # noqa: F403
from .linear import *  # noqa: F403
from .linear_cross_entropy import *  # noqa: F403
from .loss import *  # noqa: F403
from .module import Module  # noqa: F401
from .normalization import *  # noqa: F403
from .padding import *  # noqa: F403
from .parameter_container import *  # noqa: F403
from .pixelshuffle import *  # noqa: F403
from .pooling import *  # noqa: F403
from .rnn import *  # noqa: F403
from .rnn_cell import *  # noqa: F403
from .sparse import *  # noqa: F403
from .transformer import *  # noqa: F403
from .upsampling import *  # noqa: F403

# Classes whose file is a part of what users and saved models know as one module.
_KNOWN_AS = {"rnn_cell": "rnn", "lazy_conv": "conv", "attention": "activation", "parameter_container": "container"}


def _show_where_known():
    import sys
    for file, home in _KNOWN_AS.items():
        part, whole = sys.modules[f"{__name__}.{file}"], sys.modules[f"{__name__}.{home}"]
        for name in part.__all__:
            cls = getattr(part, name)
            cls.__module__ = whole.__name__
            setattr(whole, name, cls)


_show_where_known()

# Submodules such as `linear` are attributes of this package too; only the classes are for flambeau.nn.
__all__ = [name for name, value in globals().items() if isinstance(value, type)]
