"""The ways in which a build without CUDA answers."""

from flambeau._absent_device import fails, not_built_text

NOT_BUILT = not_built_text("CUDA")

not_built = fails(AssertionError, NOT_BUILT)
# Functions that only a CUDA build has at all: an AttributeError there, as in PyTorch's CPU build.
not_present = fails(AttributeError, f"only a build for CUDA has this function. {NOT_BUILT}")
no_stream = fails(RuntimeError, f"torch.cuda.Stream: {NOT_BUILT}")
no_instance = fails(RuntimeError, f"this class has no instances here. {NOT_BUILT}")
no_nvml = fails(ModuleNotFoundError, "install nvidia-ml-py to ask about NVIDIA's devices")
