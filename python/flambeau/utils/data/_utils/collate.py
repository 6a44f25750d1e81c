from ..collate import *
from ..collate import collate
