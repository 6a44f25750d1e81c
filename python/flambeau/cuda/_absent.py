"""The ways in which a build without CUDA answers."""

from flambeau._absent_device import fails

NOT_BUILT = "Torch not compiled with CUDA enabled"

not_built = fails(AssertionError, NOT_BUILT)
# Functions that only a CUDA build has at all: an AttributeError there, as in PyTorch's CPU build.
not_present = fails(AttributeError, f"this function exists in CUDA builds only: {NOT_BUILT}")
no_stream = fails(RuntimeError, f"torch.cuda.Stream requires CUDA support: {NOT_BUILT}")
no_instance = fails(RuntimeError, f"Tried to instantiate dummy base class: {NOT_BUILT}")
no_nvml = fails(ModuleNotFoundError, "nvidia-ml-py does not seem to be installed or it can't be imported.")
