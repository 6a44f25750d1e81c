"""Module: the base class of layers and models.

The file holds construction, attributes, calls and conversion; walking the tree, hooks and
state_dict are in module_tree.py, module_hooks.py and module_state.py.
"""

from __future__ import annotations

from ...legacy.modules import eval_with_mode
from collections import OrderedDict

from ... import _C
from ...autograd import no_grad
from ..parameter import Buffer, Parameter
from . import module_hooks
from .layer_path import note_layer
from .module_hooks import *  # noqa: F403 - the public registration functions live under this name
from .module_hooks import ModuleHooks, apply_registration_hooks
from .module_state import _EXTRA_STATE_KEY_SUFFIX, ModuleState, _IncompatibleKeys  # noqa: F401
from .module_tree import ModuleTree

__all__ = [*module_hooks.__all__, "Module"]

Tensor = _C.Tensor
_global_call_hooks = module_hooks._global_call_hooks


def _too_early(kind):
    return AttributeError(f"call super().__init__() first, then assign {kind}")


def _forward_unimplemented(self, *input):
    """Define the computation of the module; every subclass overrides this."""
    raise NotImplementedError(f"{type(self).__name__} has no forward: define `forward(self, …)`")


class Module(ModuleTree, ModuleHooks, ModuleState):
    """Base class of all layers and models: owns parameters, buffers and submodules by attribute.

    Subclasses call `super().__init__()`, assign parameters and submodules as attributes and define
    `forward`; calling the module runs forward and the hooks.

    >>> class Net(fb.nn.Module):
    ...     def __init__(self):
    ...         super().__init__()
    ...         self.linear = fb.nn.Linear(2, 1)
    ...     def forward(self, x):
    ...         return self.linear(x).relu()
    >>> Net()(fb.ones(3, 2)).shape
    torch.Size([3, 1])
    """

    training: bool
    call_super_init = False
    forward = _forward_unimplemented

    def __init__(self, *args, **kwargs):
        if not self.call_super_init:
            if kwargs:
                raise TypeError(
                    f"{type(self).__name__}.__init__() got an unexpected keyword argument "
                    f"'{next(iter(kwargs))}'"
                )
            if args:
                raise TypeError(
                    f"{type(self).__name__}.__init__() takes 1 positional argument "
                    f"but {len(args) + 1} were given"
                )
        self.__dict__.update(
            training=True,
            _parameters={},
            _buffers={},
            _non_persistent_buffers_set=set(),
            _backward_pre_hooks=OrderedDict(),
            _backward_hooks=OrderedDict(),
            _is_full_backward_hook=None,
            _forward_hooks=OrderedDict(),
            _forward_hooks_with_kwargs=OrderedDict(),
            _forward_hooks_always_called=OrderedDict(),
            _forward_pre_hooks=OrderedDict(),
            _forward_pre_hooks_with_kwargs=OrderedDict(),
            _state_dict_hooks=OrderedDict(),
            _state_dict_pre_hooks=OrderedDict(),
            _load_state_dict_pre_hooks=OrderedDict(),
            _load_state_dict_post_hooks=OrderedDict(),
            _modules={},
        )
        if self.call_super_init:
            super().__init__(*args, **kwargs)

    # Calls. With no hooks a call costs one dictionary fetch and four look-ups more than forward itself.

    def __call__(self, *args, **kwargs):
        own = self.__dict__
        try:
            if (
                own["_forward_pre_hooks"]
                or own["_forward_hooks"]
                or own["_backward_pre_hooks"]
                or own["_backward_hooks"]
                or _global_call_hooks
            ):
                return self._call_with_hooks(args, kwargs)
            return self.forward(*args, **kwargs)
        except Exception as error:
            if "_backward_hooks" not in own:
                raise AttributeError(
                    f"'{type(self).__name__}' object has no attribute '_backward_hooks': "
                    "call super().__init__() in its __init__",
                    name="_backward_hooks",
                    obj=self,
                ) from None
            note_layer(self, error)
            raise

    def _call_impl(self, *args, **kwargs):
        return Module.__call__(self, *args, **kwargs)

    # Attributes: parameters, buffers and submodules live in dictionaries of their own.

    def __getattr__(self, name):
        own = self.__dict__
        if "_parameters" in own and name in own["_parameters"]:
            return own["_parameters"][name]
        if "_modules" in own and name in own["_modules"]:
            return own["_modules"][name]
        if "_buffers" in own and name in own["_buffers"]:
            return own["_buffers"][name]
        raise AttributeError(f"'{type(self).__name__}' object has no attribute '{name}'", name=name, obj=self)

    def __setattr__(self, name, value):
        own = self.__dict__
        parameters = own.get("_parameters")
        if isinstance(value, Parameter):
            if parameters is None:
                raise _too_early("a parameter")
            self._forget(name, own, "_buffers", "_modules")
            self.register_parameter(name, value)
        elif parameters is not None and name in parameters:
            if value is not None:
                raise _wrong_kind(value, "parameter", name, "a Parameter or None")
            self.register_parameter(name, value)
        elif isinstance(value, Module):
            if "_modules" not in own:
                raise _too_early("a module")
            self._forget(name, own, "_parameters", "_buffers")
            own["_modules"][name] = apply_registration_hooks(
                module_hooks._global_module_registration_hooks, self, name, value
            )
        elif name in own.get("_modules", ()):
            if value is not None:
                raise _wrong_kind(value, "child module", name, "a Module or None")
            own["_modules"][name] = apply_registration_hooks(
                module_hooks._global_module_registration_hooks, self, name, value
            )
        elif isinstance(value, Tensor) or name in own.get("_buffers", ()):
            self._set_tensor(name, value, own)
        else:
            object.__setattr__(self, name, value)

    def _set_tensor(self, name, value, own):
        """Assign a tensor attribute: a buffer if it is one or takes the place of one."""
        buffers = own.get("_buffers")
        is_buffer = isinstance(value, Buffer)
        if buffers is None or not (is_buffer or name in buffers):
            if is_buffer:
                raise _too_early("a buffer")
            object.__setattr__(self, name, value)
            return
        if value is not None and not isinstance(value, Tensor):
            raise _wrong_kind(value, "buffer", name, "a tensor or None")
        if is_buffer:
            self._forget(name, own, "_parameters", "_modules")
            self.register_buffer(name, value, value.persistent)
        else:
            buffers[name] = apply_registration_hooks(
                module_hooks._global_buffer_registration_hooks, self, name, value
            )

    def _forget(self, name, own, *kinds):
        """Remove an attribute that is about to change its kind."""
        own.pop(name, None)
        for kind in kinds:
            own[kind].pop(name, None)
        own["_non_persistent_buffers_set"].discard(name)

    def __delattr__(self, name):
        if name in self._parameters:
            del self._parameters[name]
        elif name in self._buffers:
            del self._buffers[name]
            self._non_persistent_buffers_set.discard(name)
        elif name in self._modules:
            del self._modules[name]
        else:
            object.__delattr__(self, name)

    def _check_name(self, name, kind, members):
        if not isinstance(name, str):
            raise TypeError(f"the name of a {kind} must be a str, not {_type_name(name)}")
        if "." in name:
            raise KeyError(f'{kind} name can\'t contain ".", got: {name}')
        if name == "":
            raise KeyError(f'{kind} name can\'t be empty string ""')
        if hasattr(self, name) and name not in members:
            raise KeyError(f"attribute '{name}' already exists")

    def register_parameter(self, name, param):
        """Add `param` (or None) as the parameter `name`."""
        if "_parameters" not in self.__dict__:
            raise _too_early("a parameter")
        self._check_name(name, "parameter", self._parameters)
        if param is not None:
            if not isinstance(param, Parameter):
                raise _wrong_kind(param, "parameter", name, "a Parameter or None")
            if param.grad_fn is not None:
                raise ValueError(
                    f"parameter '{name}' must be a leaf, this tensor is computed from others; compute it in "
                    "forward() instead"
                )
            param = apply_registration_hooks(
                module_hooks._global_parameter_registration_hooks, self, name, param
            )
        self._parameters[name] = param

    def register_buffer(self, name, tensor, persistent=True):
        """Add `tensor` (or None) as the buffer `name`: moved with the module, and saved if `persistent`."""
        if "_buffers" not in self.__dict__:
            raise _too_early("a buffer")
        self._check_name(name, "buffer", self._buffers)
        if tensor is not None and not isinstance(tensor, Tensor):
            raise _wrong_kind(tensor, "buffer", name, "a tensor or None")
        self._buffers[name] = apply_registration_hooks(
            module_hooks._global_buffer_registration_hooks, self, name, tensor
        )
        if persistent:
            self._non_persistent_buffers_set.discard(name)
        else:
            self._non_persistent_buffers_set.add(name)

    def add_module(self, name, module):
        """Add `module` (or None) as the child `name`."""
        if module is not None and not isinstance(module, Module):
            raise TypeError(f"{_type_name(module)} is no Module")
        if not isinstance(name, str):
            raise TypeError(f"the name of a module must be a str, not {_type_name(name)}")
        self._check_name(name, "module", self._modules)
        self._modules[name] = apply_registration_hooks(
            module_hooks._global_module_registration_hooks, self, name, module
        )

    def register_module(self, name, module):
        """The same as add_module."""
        self.add_module(name, module)

    def __getstate__(self):
        state = self.__dict__.copy()
        state.pop("_compiled_call_impl", None)
        return state

    def __setstate__(self, state):
        self.__dict__.update(state)
        fresh = {"_non_persistent_buffers_set": set(), "_is_full_backward_hook": None}
        for name in (
            "_backward_pre_hooks",
            "_backward_hooks",
            "_forward_hooks",
            "_forward_hooks_with_kwargs",
            "_forward_hooks_always_called",
            "_forward_pre_hooks",
            "_forward_pre_hooks_with_kwargs",
            "_state_dict_hooks",
            "_state_dict_pre_hooks",
            "_load_state_dict_pre_hooks",
            "_load_state_dict_post_hooks",
        ):
            fresh[name] = OrderedDict()
        for name, value in fresh.items():
            self.__dict__.setdefault(name, value)

    # Conversion of all parameters and buffers.

    def _apply(self, fn, recurse=True):
        if recurse:
            for module in self.children():
                module._apply(fn)
        for param in self._parameters.values():
            if param is None:
                continue
            with no_grad():
                param.data = fn(param.data)
                if param.grad is not None:
                    requires_grad = param.grad.requires_grad
                    param.grad = fn(param.grad.data).requires_grad_(requires_grad)
        for name, buffer in self._buffers.items():
            if buffer is not None:
                self._buffers[name] = fn(buffer)
        return self

    def apply(self, fn):
        """Call fn(module) on every submodule, children first, then on this module."""
        for module in self.children():
            module.apply(fn)
        fn(self)
        return self

    def to(self, *args, **kwargs):
        """Move and convert all parameters and buffers in place: to(device), to(dtype), to(tensor).

        Args:
            device: where to; dtype: floating or complex, applied to floating and complex tensors only.
            non_blocking, memory_format: as for Tensor.to; memory_format applies to 4-d and 5-d tensors.
        Errors: TypeError for a dtype that is neither floating nor complex.
        """
        device, dtype, non_blocking, memory_format = parse_to(*args, **kwargs)
        if dtype is not None and not (dtype.is_floating_point or dtype.is_complex):
            raise TypeError(f"nn.Module.to: dtype must be floating or complex, not {dtype}")

        def convert(tensor):
            numeric = tensor.is_floating_point() or tensor.is_complex()
            wanted = dtype if numeric and dtype is not None else tensor.dtype
            where = tensor.device if device is None else device
            if memory_format is not None and tensor.dim() in (4, 5):
                return tensor.to(where, wanted, non_blocking, memory_format=memory_format)
            return tensor.to(where, wanted, non_blocking)

        return self._apply(convert)

    def to_empty(self, *, device, recurse=True):
        """Move to `device` without copying: the values are undefined afterwards."""
        return self._apply(lambda t: _C.empty_like(t, device=device), recurse=recurse)

    def cpu(self):
        """Move the module's tensors into the CPU's memory."""
        return self._apply(lambda t: t.cpu())

    def cuda(self, device=None):
        """Move all parameters and buffers to a CUDA device."""
        return self._apply(lambda t: t.cuda(device))

    def ipu(self, device=None):
        """Move all parameters and buffers to an IPU device."""
        return self._apply(lambda t: t.to("ipu" if device is None else f"ipu:{device}"))

    def mtia(self, device=None):
        """Move all parameters and buffers to an MTIA device."""
        return self._apply(lambda t: t.to("mtia" if device is None else f"mtia:{device}"))

    def xpu(self, device=None):
        """Move all parameters and buffers to an XPU device."""
        return self._apply(lambda t: t.to("xpu" if device is None else f"xpu:{device}"))

    def type(self, dst_type):
        """Convert the module's tensors to `dst_type`, a dtype or the name of a tensor type."""
        return self._apply(lambda t: t.type(dst_type))

    def _convert_floating(self, dtype):
        return self._apply(lambda t: t.to(dtype) if t.is_floating_point() else t)

    def float(self):
        """Convert floating parameters and buffers to float32."""
        return self._convert_floating(_C.float32)

    def double(self):
        """Convert floating parameters and buffers to float64."""
        return self._convert_floating(_C.float64)

    def half(self):
        """Convert floating parameters and buffers to float16."""
        return self._convert_floating(_C.float16)

    def bfloat16(self):
        """Convert floating parameters and buffers to bfloat16."""
        return self._convert_floating(_C.bfloat16)

    def share_memory(self):
        """Move all parameters and buffers to memory that other processes can map."""
        return self._apply(lambda t: t.share_memory_())

    def train(self, mode=True):
        """Set training mode on this module and those below it."""
        if not isinstance(mode, bool):
            raise ValueError(f"train: mode must be a bool, not {_type_name(mode)}")
        self.training = mode
        for module in self.children():
            module.train(mode)
        return self

    def eval(self, mode=None):
        """Set evaluation mode: the same as train(False)."""
        if mode is None:
            return self.train(False)
        return eval_with_mode(self, mode)

    def requires_grad_(self, requires_grad=True):
        """Set whether the parameters take gradients."""
        for param in self.parameters():
            param.requires_grad_(requires_grad)
        return self

    def zero_grad(self, set_to_none=True):
        """Drop the gradients of all parameters, or fill them with zeros if not `set_to_none`."""
        for param in self.parameters():
            if param.grad is None:
                continue
            if set_to_none:
                param.grad = None
            else:
                if param.grad.grad_fn is not None:
                    param.grad.detach_()
                else:
                    param.grad.requires_grad_(False)
                param.grad.zero_()

    def compile(self, *args, **kwargs):
        """Check the arguments as `torch.compile` does; the module goes on running as it is."""
        from ...compiler import compile

        compile(self, *args, **kwargs)

    # Text.

    def _get_name(self):
        return type(self).__name__

    def extra_repr(self):
        """What stands between the brackets of the module's repr; override to add text."""
        return ""

    def __repr__(self):
        extra = self.extra_repr()
        lines = extra.split("\n") if extra else []
        children = [_indent(f"({name}): {module!r}") for name, module in self._modules.items()]
        if not children and len(lines) <= 1:
            return f"{self._get_name()}({extra})"
        return f"{self._get_name()}(\n  " + "\n  ".join(lines + children) + "\n)"

    def __dir__(self):
        names = {*dir(type(self)), *self.__dict__, *self._parameters, *self._modules, *self._buffers}
        return sorted(name for name in names if not name[:1].isdigit())

    def _replicate_for_data_parallel(self):
        replica = self.__new__(type(self))
        replica.__dict__ = self.__dict__.copy()
        replica._parameters = {}
        replica._buffers = replica._buffers.copy()
        replica._modules = replica._modules.copy()
        return replica


def parse_to(device=None, dtype=None, non_blocking=False, copy=False, *, memory_format=None):
    """(device, dtype, non_blocking, memory_format) from the arguments of `to` in any of its forms."""
    if isinstance(device, Tensor):
        device, dtype, non_blocking = (
            device.device,
            device.dtype,
            dtype if dtype is not None else non_blocking,
        )
    elif isinstance(device, _C.dtype):
        device, dtype, non_blocking = None, device, dtype if dtype is not None else non_blocking
    if device is not None and not isinstance(device, _C.device):
        device = _C.device(device)
    if dtype is not None and not isinstance(dtype, _C.dtype):
        raise TypeError(f"Module.to: {_type_name(dtype)} is no dtype")
    return device, dtype, bool(non_blocking), memory_format


def _type_name(value):
    """The type's name with its module, as in messages of Tensor.type()."""
    if isinstance(value, Tensor):
        return value.type()
    cls = type(value)
    return cls.__qualname__ if cls.__module__ in ("builtins", "") else f"{cls.__module__}.{cls.__qualname__}"


def _wrong_kind(value, kind, name, expected):
    return TypeError(f"{kind} '{name}' takes {expected}, not {_type_name(value)}")


def _indent(text):
    return text.replace("\n", "\n  ")
