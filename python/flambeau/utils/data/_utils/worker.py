from ..worker import *
