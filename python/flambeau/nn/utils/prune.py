"""Pruning: parts of a parameter held at zero by a mask that is multiplied in before every forward."""

from __future__ import annotations

import numbers
from abc import ABC, abstractmethod
from collections.abc import Iterable, Iterator
from typing import Any

from flambeau import _C

__all__ = [
    "BasePruningMethod",
    "PruningContainer",
    "Identity",
    "RandomUnstructured",
    "L1Unstructured",
    "RandomStructured",
    "LnStructured",
    "CustomFromMask",
    "identity",
    "random_unstructured",
    "l1_unstructured",
    "random_structured",
    "ln_structured",
    "global_unstructured",
    "custom_from_mask",
    "remove",
    "is_pruned",
]


class BasePruningMethod(ABC):
    """A rule that says which elements of a parameter stay; subclass it and write `compute_mask`.

    After `apply`, the module holds the parameter as `name_orig` and the mask as the buffer `name_mask`, and sets
    `name` to their product before each forward. `PRUNING_TYPE` is "unstructured", "structured" or "global".
    """

    _tensor_name: str

    def __call__(self, module: Any, inputs: Any) -> None:
        setattr(module, self._tensor_name, self.apply_mask(module))

    @abstractmethod
    def compute_mask(self, t: Any, default_mask: Any) -> Any:
        """The mask for importance scores `t` of the parameter's shape, on top of `default_mask`."""

    def apply_mask(self, module: Any) -> Any:
        """The module's original parameter times its mask."""
        if self._tensor_name is None:
            raise AssertionError(f"{module} is not pruned")
        mask = getattr(module, self._tensor_name + "_mask")
        original = getattr(module, self._tensor_name + "_orig")
        return mask.to(dtype=original.dtype) * original

    @classmethod
    def apply(cls, module: Any, name: str, *args: Any, importance_scores: Any = None, **kwargs: Any) -> Any:
        """Prune parameter `name` of `module` and keep it pruned; returns the method, or the container it joined.

        Args:
            importance_scores: judge by these, of the parameter's shape, and not by the parameter itself.
        """
        method, fresh = cls._method_for(module, name, args, kwargs), not hasattr(module, name + "_orig")
        parameter = getattr(module, name)
        scores = parameter if importance_scores is None else importance_scores
        if scores.shape != parameter.shape:
            raise AssertionError(f"importance_scores has shape {scores.shape}, it needs that of parameter "
                                 f"{name} of {module}, {parameter.shape}")
        if fresh:
            module.register_parameter(name + "_orig", parameter)
            del module._parameters[name]
            default_mask = _C.ones_like(parameter)
        else:
            default_mask = getattr(module, name + "_mask").detach().clone()
        try:
            mask = method.compute_mask(scores, default_mask=default_mask)
            module.register_buffer(name + "_mask", mask)
            setattr(module, name, method.apply_mask(module))
            module.register_forward_pre_hook(method)
        except Exception:
            if fresh:
                module.register_parameter(name, module._parameters.pop(name + "_orig"))
            raise
        return method

    @classmethod
    def _method_for(cls, module: Any, name: str, args: tuple, kwargs: dict) -> Any:
        """A new method, joined with those that prune this parameter already, whose hook is taken off."""
        found = [(key, hook) for key, hook in module._forward_pre_hooks.items()
                 if isinstance(hook, BasePruningMethod) and hook._tensor_name == name]
        if len(found) > 1:
            raise AssertionError(f"{name} of {module} has several pruning methods already; combine them in a "
                                 "PruningContainer")
        method = cls(*args, **kwargs)
        method._tensor_name = name
        if not found:
            return method
        key, old = found[0]
        del module._forward_pre_hooks[key]
        container = old
        if not isinstance(old, PruningContainer):
            container = PruningContainer(old)
        container.add_pruning_method(method)
        return container

    def prune(self, t: Any, default_mask: Any = None, importance_scores: Any = None) -> Any:
        """Tensor `t` with the elements zeroed that this rule would prune; nothing is kept."""
        scores = t if importance_scores is None else importance_scores
        if scores.shape != t.shape:
            raise AssertionError(f"importance_scores has shape {scores.shape}, it needs that of the tensor, "
                                 f"{t.shape}")
        mask = _C.ones_like(t) if default_mask is None else default_mask
        return t * self.compute_mask(scores, default_mask=mask)

    def remove(self, module: Any) -> None:
        """Make the pruning permanent: the parameter takes its masked values, mask and original go."""
        name = self._tensor_name
        if name is None:
            raise AssertionError(f"{module} is not pruned, there is nothing to remove")
        weight = self.apply_mask(module)
        if hasattr(module, name):
            delattr(module, name)
        original = module._parameters.pop(name + "_orig")
        original.data = weight.data
        del module._buffers[name + "_mask"]
        setattr(module, name, original)


class PruningContainer(BasePruningMethod):
    """Pruning methods applied to one parameter in turn, each to what the ones before left.

    Args:
        args: methods, all for the same parameter.
    """

    def __init__(self, *args: Any) -> None:
        self._pruning_methods: tuple = ()
        if isinstance(args, Iterable) and len(args) == 1 and isinstance(args[0], Iterable):
            args = tuple(args[0])
        if args:
            self._tensor_name = args[0]._tensor_name
        for method in args:
            self.add_pruning_method(method)

    def add_pruning_method(self, method: Any) -> None:
        """Add a method for the same parameter."""
        if method is not None and not isinstance(method, BasePruningMethod):
            raise TypeError(f"{type(method).__name__} is no BasePruningMethod")
        mine, given = getattr(self, "_tensor_name", None), getattr(method, "_tensor_name", None)
        if method is not None and mine is not None and given is not None and mine != given:
            raise ValueError(f"PruningContainer: its methods prune '{mine}', one for '{given}' cannot join "
                             "them")
        self._pruning_methods += (method,)

    def __len__(self) -> int:
        return len(self._pruning_methods)

    def __iter__(self) -> Iterator:
        return iter(self._pruning_methods)

    def __getitem__(self, idx: int) -> Any:
        return self._pruning_methods[idx]

    def compute_mask(self, t: Any, default_mask: Any) -> Any:
        """The mask of the latest method on the part of `t` that `default_mask` has kept, times `default_mask`."""
        method = self._pruning_methods[-1]
        mask = default_mask.to(dtype=t.dtype)
        part = _kept_part(method, mask)
        result = mask.clone()
        result[part] = method.compute_mask(t[part], default_mask=mask[part]).to(dtype=mask.dtype)
        return result


def _kept_part(method: Any, mask: Any) -> Any:
    """An index for the elements, or the channels, that `mask` keeps."""
    kind = method.PRUNING_TYPE
    if kind == "unstructured":
        return mask == 1
    if kind == "structured":
        if not hasattr(method, "dim"):
            raise AttributeError(f"{method} prunes structures and must say along which `dim`")
        dims = mask.dim()
        dim = method.dim if method.dim >= 0 else dims + method.dim
        others = [i for i in range(dims) if i != dim]
        keep = mask.sum(dim=others) != 0
        return (slice(None),) * dim + (keep,)
    if kind == "global":
        return (slice(None),) * mask.dim()
    raise ValueError(f"Unrecognized PRUNING_TYPE {kind}")


class Identity(BasePruningMethod):
    """Prunes nothing, but puts parameter and mask in place."""

    PRUNING_TYPE = "unstructured"

    def compute_mask(self, t: Any, default_mask: Any) -> Any:
        return default_mask

    @classmethod
    def apply(cls, module: Any, name: str) -> Any:
        return super().apply(module, name)


class _Amount(BasePruningMethod):
    """A rule for a number of elements or channels: an int, or a float for a share of them."""

    def __init__(self, amount: float) -> None:
        _validate_pruning_amount_init(amount)
        self.amount = amount

    def _count(self, of: int) -> int:
        count = _compute_nparams_toprune(self.amount, of)
        _validate_pruning_amount(count, of)
        return count


class RandomUnstructured(_Amount):
    """Prunes elements drawn at random.

    Args:
        amount: how many: an int, or a float in [0, 1] for a share.
    """

    PRUNING_TYPE = "unstructured"

    def compute_mask(self, t: Any, default_mask: Any) -> Any:
        count = self._count(t.nelement())
        mask = default_mask.clone(memory_format=_C.contiguous_format)
        if count:
            chosen = _C.topk(_C.rand_like(t).view(-1), k=count).indices
            mask.view(-1)[chosen] = 0
        return mask

    @classmethod
    def apply(cls, module: Any, name: str, amount: float) -> Any:
        return super().apply(module, name, amount=amount)


class L1Unstructured(_Amount):
    """Prunes the elements of the smallest absolute value.

    Args:
        amount: how many: an int, or a float in [0, 1] for a share.
    """

    PRUNING_TYPE = "unstructured"

    def compute_mask(self, t: Any, default_mask: Any) -> Any:
        count = self._count(t.nelement())
        mask = default_mask.clone(memory_format=_C.contiguous_format)
        if count:
            chosen = _C.topk(_C.abs(t).view(-1), k=count, largest=False).indices
            mask.view(-1)[chosen] = 0
        return mask

    @classmethod
    def apply(cls, module: Any, name: str, amount: float, importance_scores: Any = None) -> Any:
        return super().apply(module, name, amount=amount, importance_scores=importance_scores)


class RandomStructured(_Amount):
    """Prunes channels drawn at random.

    Args:
        amount: how many: an int, or a float in [0, 1] for a share.
        dim: the dimension whose slices are the channels.
    """

    PRUNING_TYPE = "structured"

    def __init__(self, amount: float, dim: int = -1) -> None:
        super().__init__(amount)
        self.dim = dim

    def compute_mask(self, t: Any, default_mask: Any) -> Any:
        _validate_structured_pruning(t)
        _validate_pruning_dim(t, self.dim)
        count = self._count(t.shape[self.dim])
        prob = _C.rand(t.shape[self.dim])
        if not count:
            return default_mask
        keep = prob > _C.kthvalue(prob, k=count).values
        return default_mask * _along(keep, t, self.dim).to(dtype=default_mask.dtype)

    @classmethod
    def apply(cls, module: Any, name: str, amount: float, dim: int = -1) -> Any:
        return super().apply(module, name, amount=amount, dim=dim)


class LnStructured(_Amount):
    """Prunes the channels of the smallest n-norm.

    Args:
        amount: how many: an int, or a float in [0, 1] for a share.
        n: order of the norm, as in `torch.norm`.
        dim: the dimension whose slices are the channels.
    """

    PRUNING_TYPE = "structured"

    def __init__(self, amount: float, n: Any, dim: int = -1) -> None:
        super().__init__(amount)
        self.n = n
        self.dim = dim

    def compute_mask(self, t: Any, default_mask: Any) -> Any:
        _validate_structured_pruning(t)
        _validate_pruning_dim(t, self.dim)
        size = t.shape[self.dim]
        count = self._count(size)
        if not count:
            return default_mask
        kept = _C.topk(_compute_norm(t, self.n, self.dim), k=size - count, largest=True).indices
        keep = _C.zeros(size)
        keep[kept] = 1
        return default_mask * _along(keep, t, self.dim).to(dtype=default_mask.dtype)

    @classmethod
    def apply(cls, module: Any, name: str, amount: float, n: Any, dim: int, importance_scores: Any = None) -> Any:
        return super().apply(module, name, amount=amount, n=n, dim=dim, importance_scores=importance_scores)


class CustomFromMask(BasePruningMethod):
    """Prunes by a given mask.

    Args:
        mask: of the parameter's shape; zero where it is pruned.
    """

    PRUNING_TYPE = "global"

    def __init__(self, mask: Any) -> None:
        self.mask = mask

    def compute_mask(self, t: Any, default_mask: Any) -> Any:
        if default_mask.shape != self.mask.shape:
            raise AssertionError(f"default_mask has shape {default_mask.shape}, it needs that of the mask, "
                                 f"{self.mask.shape}")
        return default_mask * self.mask.to(dtype=default_mask.dtype)

    @classmethod
    def apply(cls, module: Any, name: str, mask: Any) -> Any:
        return super().apply(module, name, mask=mask)


def _along(channels: Any, t: Any, dim: int) -> Any:
    """A vector laid along dimension `dim` and spread over the shape of `t`."""
    shape = [1] * t.dim()
    shape[dim] = -1
    return channels.reshape(shape).expand_as(t)


def identity(module: Any, name: str) -> Any:
    """Put parameter `name` under a mask of ones; returns the module."""
    Identity.apply(module, name)
    return module


def random_unstructured(module: Any, name: str, amount: float) -> Any:
    """Prune `amount` elements of parameter `name`, drawn at random; returns the module.

    >>> _ = fb.manual_seed(0)
    >>> m = fb.nn.utils.prune.random_unstructured(fb.nn.Linear(4, 1), "weight", amount=2)
    >>> int((m.weight == 0).sum())
    2
    """
    RandomUnstructured.apply(module, name, amount)
    return module


def l1_unstructured(module: Any, name: str, amount: float, importance_scores: Any = None) -> Any:
    """Prune the `amount` elements of parameter `name` that have the smallest absolute value; returns the module."""
    L1Unstructured.apply(module, name, amount=amount, importance_scores=importance_scores)
    return module


def random_structured(module: Any, name: str, amount: float, dim: int) -> Any:
    """Prune `amount` channels of parameter `name` along `dim`, drawn at random; returns the module."""
    RandomStructured.apply(module, name, amount, dim)
    return module


def ln_structured(module: Any, name: str, amount: float, n: Any, dim: int, importance_scores: Any = None) -> Any:
    """Prune the `amount` channels of parameter `name` along `dim` of the smallest n-norm; returns the module."""
    LnStructured.apply(module, name, amount, n, dim, importance_scores=importance_scores)
    return module


def global_unstructured(parameters: Any, pruning_method: Any, importance_scores: Any = None, **kwargs: Any) -> None:
    """Prune several parameters as if they were one vector.

    Args:
        parameters: pairs of a module and the name of its parameter.
        pruning_method: an unstructured method's class.
        importance_scores: scores by such pairs; the parameters themselves where there are none.
        kwargs: arguments of the method, as `amount`.
    Errors: TypeError for another kind of method, or arguments that are no pairs or no dict.
    """
    if not isinstance(parameters, Iterable):
        raise TypeError("global_unstructured: parameters must be an iterable of (module, name), not "
                        f"{type(parameters).__name__}")
    parameters = list(parameters)
    scores = {} if importance_scores is None else importance_scores
    if not isinstance(scores, dict):
        raise TypeError(f"global_unstructured: importance_scores must be a dict, not {type(scores).__name__}")
    relevant = [scores.get((module, name), getattr(module, name)) for module, name in parameters]
    masks = [getattr(module, name + "_mask", _C.ones_like(getattr(module, name))) for module, name in parameters]
    container = PruningContainer()
    container._tensor_name = "temp"
    method = pruning_method(**kwargs)
    method._tensor_name = "temp"
    if method.PRUNING_TYPE != "unstructured":
        raise TypeError(f"global_unstructured: pruning_method must be unstructured, {pruning_method} is "
                        f"{method.PRUNING_TYPE}")
    container.add_pruning_method(method)
    vector = _C.cat([each.reshape(-1) for each in relevant])
    whole = container.compute_mask(vector, _C.cat([mask.reshape(-1) for mask in masks]))
    start = 0
    for module, name in parameters:
        parameter = getattr(module, name)
        part = whole[start:start + parameter.numel()].view_as(parameter)
        custom_from_mask(module, name, mask=part)
        start += parameter.numel()


def custom_from_mask(module: Any, name: str, mask: Any) -> Any:
    """Prune parameter `name` where `mask`, of its shape, is zero; returns the module."""
    CustomFromMask.apply(module, name, mask)
    return module


def remove(module: Any, name: str) -> Any:
    """Make the pruning of parameter `name` permanent; returns the module.

    Errors: ValueError if it is not pruned.
    """
    for key, hook in module._forward_pre_hooks.items():
        if isinstance(hook, BasePruningMethod) and hook._tensor_name == name:
            hook.remove(module)
            del module._forward_pre_hooks[key]
            return module
    raise ValueError(f"'{name}' of {module} is not pruned, there is nothing to remove")


def is_pruned(module: Any) -> bool:
    """Whether `module` or one inside it has a pruned parameter."""
    return any(isinstance(hook, BasePruningMethod) for each in module.modules()
               for hook in each._forward_pre_hooks.values())


def _validate_pruning_amount_init(amount: Any) -> None:
    if not isinstance(amount, numbers.Real):
        raise TypeError(f"amount must be a count or a share, an int or a float; got {amount}")
    if amount < 0 or (not isinstance(amount, numbers.Integral) and amount > 1):
        raise ValueError(f"amount={amount} must be a share from 0 to 1, or a count that is not negative")


def _validate_pruning_amount(amount: float, tensor_size: int) -> None:
    if isinstance(amount, numbers.Integral) and amount > tensor_size:
        raise ValueError(f"amount={amount} is more than the {tensor_size} parameters there are")


def _validate_structured_pruning(t: Any) -> None:
    if t.dim() <= 1:
        raise ValueError(f"a tensor of shape {t.shape} has no structures to prune, it needs two dims at "
                         "least")


def _compute_nparams_toprune(amount: float, tensor_size: int) -> int:
    return amount if isinstance(amount, numbers.Integral) else round(amount * tensor_size)


def _validate_pruning_dim(t: Any, dim: int) -> None:
    if dim >= t.dim():
        raise IndexError(f"dim={dim} is out of range in a tensor of shape {t.shape}")


def _compute_norm(t: Any, n: Any, dim: int) -> Any:
    """The n-norm of each slice along `dim`."""
    others = list(range(t.dim()))
    if dim == -1:
        dim = others[-1]
    others.remove(dim)
    return _C.norm(t, p=n, dim=others)

