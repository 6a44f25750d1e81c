from ..fetch import *
