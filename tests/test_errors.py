"""Mistakes: the class of the exception, and what its message has to say."""

import io
import re

import flambeau as torch
import numpy
import pytest
from flambeau import nn
from flambeau.nn import functional as F


def leaf(*shape):
    return torch.ones(*shape, requires_grad=True)


def run(code):
    def call():
        exec(code, {"torch": torch, "nn": nn, "F": F, "np": numpy, "io": io, "leaf": leaf})
    return call


MISTAKES = [
    # indexing
    ("torch.ones(2, 3)[0, 3]", IndexError, ["3", "dim 1"]),
    ("torch.ones(2, 3)[None, 5]", IndexError, ["5", "dim 0", "size 2"]),
    ("torch.ones(2, 3)[0, 0, 0]", IndexError, ["2 dims"]),
    ("torch.ones(2, 3)['a']", TypeError, ["str"]),
    ("x = torch.ones(2, 3); x[0, 3] = 1", IndexError, ["dim 1"]),
    ("torch.ones(2, 3)[..., ..., 0]", IndexError, ["ellips"]),
    ("torch.ones(2, 3).index_add_(0, torch.tensor([0]), torch.ones(2, 3))", RuntimeError, ["1", "2", "dim 0"]),
    ("torch.ones(2, 3).index_copy_(0, torch.tensor([0]), torch.ones(2, 3))", IndexError, ["1", "2"]),
    ("torch.ones(2, 3).index_fill_(0, torch.tensor([7]), 1)", IndexError, ["7", "dim 0", "size 2"]),
    # data
    ("torch.tensor(['a'])", ValueError, ["str"]),
    ("torch.tensor([1, 'a'])", TypeError, ["str"]),
    ("torch.tensor(None)", RuntimeError, ["NoneType"]),
    ("torch.tensor([1, None])", RuntimeError, ["NoneType"]),
    ("torch.tensor([1, [2]])", TypeError, ["list"]),
    ("torch.tensor([[1], 2])", TypeError, ["int"]),
    ("torch.tensor([1j], dtype=torch.float32)", TypeError, ["complex"]),
    ("torch.tensor(2 ** 70)", ValueError, ["long long"]),
    ("torch.ones(2) + 2 ** 70", OverflowError, ["too big"]),
    ("torch.tensor(300, dtype=torch.uint8)", RuntimeError, ["uint8"]),
    ("torch.tensor([200], dtype=torch.int8)", RuntimeError, ["int8"]),
    ("torch.tensor(float('nan'), dtype=torch.int32)", RuntimeError, ["int32"]),
    ("torch.full((2,), 1e6, dtype=torch.float16)", RuntimeError, ["float16"]),
    ("torch.ones(2).fill_(1e39)", RuntimeError, ["float32"]),
    ("torch.from_numpy(np.array(['a']))", TypeError, ["str_"]),
    ("torch.ones([2, 'a'])", TypeError, ["size[1]", "str"]),
    ("torch.cat([torch.ones(2), 1])", TypeError, ["element 1", "argument 0", "int"]),
    # positions, which methods count without self
    ("torch.ones(2, 3).argmin('a')", TypeError, ["dim", "position 1", "str"]),
    ("torch.argmin(torch.ones(2, 3), 'a')", TypeError, ["dim", "position 2", "str"]),
    ("torch.ones(2, 3).reshape('a')", TypeError, ["shape", "position 1", "got str"]),
    ("torch.ones(2, 3).view()", TypeError, ["size"]),
    ("torch.ones(2, 3).permute()", TypeError, ["dims"]),
    ("torch.ones(2, 3).copy_('a')", TypeError, ["copy_", "position 1", "str"]),
    ("torch.ones(2, 3).double('a')", TypeError, []),
    ("torch.ones(2, 3).to(torch.float32, 'a')", TypeError, ["str"]),
    ("torch.ones(2, 3) + torch.ones(4, 5)", RuntimeError, ["3", "5", "dim 1"]),
    ("torch.ones(2, 3).index_select(1, torch.tensor([3]))", RuntimeError, ["3"]),
    ("torch.ones(2, 3).index_select(0, torch.tensor([3]))", IndexError, ["3"]),
    ("x = torch.ones(2); x[0] = None", TypeError, ["NoneType"]),
    # numbers from tensors
    ("float(torch.ones(3))", ValueError, ["one element"]),
    ("int(torch.ones(3))", ValueError, ["one element"]),
    ("~torch.ones(3)", TypeError, ["invert", "float32"]),
    ("torch.exp(1)", TypeError, ["input", "position 1", "int"]),
    ("torch.exp()", TypeError, ["1 required", "input"]),
    ("torch.equal(torch.ones(2), 1)", TypeError, ["other", "position 2", "int"]),
    ("torch.promote_types(torch.float32, 1)", TypeError, ["type2", "position 2", "int"]),
    ("torch.ones(2).size('a')", TypeError, ["dim", "str"]),
    ("torch.ones(3).shape = (3, 1)", AttributeError, ["shape"]),
    ("torch.ones(2, 3).repeat(-1, 2)", RuntimeError, ["-2", "6"]),
    ("torch.ones(2, 3).sum_to_size(4)", RuntimeError, ["[4]", "[2, 3]"]),
    ("torch.device('cpu', -2)", RuntimeError, ["negative"]),
    ("torch.set_num_threads('a')", RuntimeError, ["str"]),
    ("torch.Generator().manual_seed('a')", RuntimeError, ["str"]),
    ("torch.Generator(device='cuda')", RuntimeError, ["cuda"]),
    ("torch.ones(2).long().normal_()", NotImplementedError, ["Long"]),
    # autograd
    ("x = leaf(3); x.grad = torch.ones(4)", RuntimeError, ["3", "4"]),
    ("x = leaf(3); x.grad = torch.ones(3).double()", RuntimeError, ["float32", "float64"]),
    ("x, z = leaf(3), leaf(2); torch.autograd.grad(x.sum(), [x, z])", RuntimeError, ["input 1", "allow_unused"]),
    ("x = leaf(3); x.register_hook(lambda g: g[:2]); x.sum().backward()", RuntimeError, ["lambda", "[3]", "[2]"]),
    ("x = leaf(3); y = x.tanh(); y.zero_(); y.sum().backward()", RuntimeError, ["version 1,", "version 0"]),
    ("x = leaf(3); x.sum().backward(1.0)", TypeError, ["float"]),
    ("torch.ones(3).requires_grad_('a')", TypeError, ["requires_grad", "str"]),
    ("x = leaf(3); torch.autograd.grad(x.sum(), [])", RuntimeError, ["inputs", "empty"]),
    ("x = leaf(3); torch.autograd.grad('a', x)", AssertionError, ["str"]),
    ("x = leaf(3); torch.autograd.grad(x.sum(), 'a')", RuntimeError, ["str"]),
    ("x = torch.ones(3); x.requires_grad = 3", RuntimeError, ["bool", "int"]),
    # modules and functions
    ("nn.LSTM(2, 3, batch_first='a')", TypeError, ["batch_first", "str"]),
    ("nn.CrossEntropyLoss(reduction=None)(torch.ones(1, 2), torch.tensor([0]))", ValueError, ["None"]),
    ("F.pad(torch.ones(1, 1, 2, 2), (3, 3), mode='circular')", NotImplementedError, ["2", "4 dims"]),
    ("nn.utils.rnn.pad_sequence([1])", TypeError, ["item 0", "int"]),
    ("nn.Conv2d(3, 4, 3)(torch.ones(2, 3, 8, 8).double())", RuntimeError, ["float64", "float32"]),
    ("F.avg_pool2d(torch.ones(4, 4), 2)", IndexError, ["-3"]),
    ("F.unfold(torch.ones(1, 1, 4, 4), 9)", RuntimeError, ["-4"]),
    ("F.pad(torch.ones(2), (1, 1, 1))", RuntimeError, ["2", "3"]),
    ("F.cross_entropy(torch.ones(3), torch.tensor([0, 1]))", ValueError, ["1", "2"]),
    ("F.softmax(torch.ones(2).long(), 0)", NotImplementedError, ["softmax_lastdim", "Long"]),
    ("F.binary_cross_entropy_with_logits(torch.ones(2), torch.ones(2).long())", RuntimeError, ["float32", "Long"]),
    ("nn.Hardtanh(2, 1)", AssertionError, ["2", "1"]),
    ("nn.Parameter('a')", AttributeError, ["detach"]),
    ("nn.GRUCell(2, 3)(torch.ones(1, 2).long())", RuntimeError, ["floating", "int64"]),
    ("nn.utils.clip_grad_norm_([leaf(2)], 'a')", ValueError, ["a"]),
    # files
    ("torch.load(io.BytesIO(b'this is no checkpoint'))", IndexError, []),
    ("f = io.BytesIO(); torch.save(nn.Linear(1, 1), f); f.seek(0); torch.load(f)", Exception,
     ["weights_only=False", "Linear"]),
]


@pytest.mark.parametrize(("code", "error", "told"), MISTAKES, ids=[code for code, _, _ in MISTAKES])
def test_mistakes(code, error, told):
    with pytest.raises(error) as raised:
        run(code)()
    for word in told:
        assert re.search(re.escape(word), str(raised.value)), str(raised.value)


class TestInferenceTensors:
    def setup_method(self):
        with torch.inference_mode():
            self.x = torch.ones(3)

    def test_are_not_recorded(self):
        with pytest.raises(RuntimeError, match="inference"):
            leaf(3) * self.x
        assert (leaf(3) + self.x).requires_grad  # addition keeps no input

    def test_do_not_change(self):
        for write in (lambda: self.x.add_(1), lambda: self.x[0].zero_(), lambda: self.x.requires_grad_()):
            with pytest.raises(RuntimeError, match="nference"):
                write()
        with torch.inference_mode():
            assert self.x.add_(1).tolist() == [2, 2, 2]

    def test_have_no_version(self):
        with pytest.raises(RuntimeError, match="version"):
            self.x._version  # noqa: B018

    def test_copies_are_normal_and_views_are_as_their_bases(self):
        assert not self.x.clone().is_inference() and self.x[1:].is_inference()
        normal = torch.ones(3)
        with torch.inference_mode():
            assert not normal.view(3).is_inference()


def test_a_write_counts_once():
    x = torch.ones(3)
    for count, write in enumerate([x.zero_, lambda: x.fill_(1), lambda: x.add_(1), lambda: x.clamp_(0, 1)], 1):
        write()
        assert x._version == count


def test_lists_of_indices_stand_for_tuples():
    x = torch.arange(9).view(3, 3)
    with pytest.warns(UserWarning, match="tuple"):
        assert x[[[0, 1], [0, 2]]].tolist() == [0, 5]
    assert x[[0, 2]].tolist() == [[0, 1, 2], [6, 7, 8]]


def test_copies_share_memory():
    import copy
    x = leaf(2)
    y = copy.copy(x)
    assert y is not x and y.data_ptr() == x.data_ptr() and y.requires_grad and y.is_leaf
    assert type(copy.copy(nn.Parameter(x.detach()))) is nn.Parameter


def test_arrays_compare_from_both_sides():
    x, a = torch.tensor([1.0, 2.0]), numpy.array([1.0, 3.0])
    assert (x == a).tolist() == [True, False] and (a == x).tolist() == [True, False]
    assert (x != a).tolist() == [False, True]
    assert not x == "a" and x is not None


def test_composed_writes_keep_what_they_saved():
    x = leaf(3)
    y = x * 2
    y.index_reduce_(0, torch.tensor([0, 0]), torch.tensor([3.0, 4.0]), "prod")
    y.sum().backward()
    assert x.grad.tolist() == [24.0, 2.0, 2.0]


def test_classes_for_except_clauses():
    assert torch.OutOfMemoryError is torch.cuda.OutOfMemoryError and issubclass(torch.OutOfMemoryError, RuntimeError)
    assert torch.AcceleratorError is torch.cuda.AcceleratorError
