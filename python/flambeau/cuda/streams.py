"""Streams and events of CUDA devices: names to test against, which cannot be instantiated."""

from flambeau._absent_device import absent_class
from flambeau.cuda._absent import no_instance, no_stream

__all__ = ["Stream", "ExternalStream", "Event", "GreenContext"]

Stream = absent_class(__name__, "Stream", no_stream)
ExternalStream = absent_class(__name__, "ExternalStream", no_stream, (Stream,))
Event = absent_class(__name__, "Event", no_instance)
GreenContext = absent_class(__name__, "GreenContext", no_instance)
