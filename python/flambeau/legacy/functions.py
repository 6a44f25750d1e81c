"""autograd.Function with instance methods, as PyTorch 0.3 had it: `MyFunction(options)(x)`."""
from __future__ import annotations

from . import enabled, note


def retain_variables(former, retain_graph):
    """What `backward(retain_variables=…)` means today; TypeError for any other unknown keyword."""
    unknown = next((name for name in former if name != "retain_variables" or not enabled()), None)
    if unknown is not None:
        raise TypeError(f"Tensor.backward() got an unexpected keyword argument {unknown!r}")
    note("backward(retain_variables=True)", "backward(retain_graph=True)", stacklevel=4)
    return former["retain_variables"] if retain_graph is None else retain_graph


def call_instance(function, args):
    """Run `function.forward(*args)`, an instance method, and record `function.backward`."""
    from ..autograd.function import Function
    if not enabled():
        raise RuntimeError("autograd.Function: forward must be a static method that takes ctx first")
    note("calling an instance of autograd.Function", "static forward and backward methods and Function.apply")

    class Adapter(Function):
        @staticmethod
        def forward(ctx, *inputs):
            result = function.forward(*inputs)
            ctx.save_for_backward(*getattr(function, "to_save", ()))
            ctx.mark_dirty(*function._dirty)
            ctx.mark_non_differentiable(*function._constant)
            return result

        @staticmethod
        def backward(ctx, *grads):
            function.__dict__["_legacy_saved"] = ctx.saved_tensors
            function.__dict__["_legacy_needs"] = ctx.needs_input_grad
            return function.backward(*grads)

    Adapter.__name__ = type(function).__name__
    Adapter._backward_cls.__name__ = type(function).__name__ + "Backward"
    return Adapter.apply(*args)
