"""nn.utils and nn.init."""

import flambeau as torch
import pytest
from flambeau import nn
from flambeau.nn.utils import parametrizations, parametrize


def with_grads(*grads):
    params = []
    for grad in grads:
        param = nn.Parameter(torch.zeros(len(grad)))
        param.grad = torch.tensor(grad)
        params.append(param)
    return params


def test_clip_grad_norm_scales_all_gradients_alike():
    params = with_grads([3.0, 0.0], [0.0, 4.0])
    assert nn.utils.clip_grad_norm_(params, 1.0) == 5.0
    total = sum(p.grad.square().sum() for p in params).sqrt()
    assert total.item() == pytest.approx(1.0, abs=1e-5)
    largest = nn.utils.clip_grad_norm_(params, 10.0, norm_type=float("inf"))
    assert largest.item() == pytest.approx(0.8, abs=1e-5)
    with pytest.raises(RuntimeError, match="non-finite"):
        nn.utils.clip_grad_norm_(with_grads([float("nan")]), 1.0, error_if_nonfinite=True)


def test_clip_grad_value():
    (param,) = with_grads([-3.0, 0.5])
    nn.utils.clip_grad_value_(param, 1.0)
    assert param.grad.tolist() == [-1.0, 0.5]


def test_vector_round_trip():
    model = nn.Linear(2, 3)
    vector = nn.utils.parameters_to_vector(model.parameters())
    nn.utils.vector_to_parameters(vector * 2, model.parameters())
    torch.testing.assert_close(nn.utils.parameters_to_vector(model.parameters()), vector * 2)


def test_parametrization_computes_and_inverts():
    class Doubled(nn.Module):
        def forward(self, x):
            return 2 * x

        def right_inverse(self, x):
            return x / 2

    layer = nn.Linear(2, 2)
    before = layer.weight.detach().clone()
    parametrize.register_parametrization(layer, "weight", Doubled())
    torch.testing.assert_close(layer.weight.detach(), before)
    torch.testing.assert_close(layer.parametrizations.weight.original.detach(), before / 2)
    layer.weight = torch.ones(2, 2)
    assert layer.weight.tolist() == [[1, 1], [1, 1]] and "weight" not in layer._parameters
    parametrize.remove_parametrizations(layer, "weight")
    assert type(layer) is nn.Linear and isinstance(layer.weight, nn.Parameter)


@pytest.mark.parametrize("orthogonal_map", ["matrix_exp", "cayley", "householder"])
@pytest.mark.parametrize("shape", [(3, 3), (3, 5), (5, 3)])
def test_orthogonal(orthogonal_map, shape):
    layer = parametrizations.orthogonal(nn.Linear(*shape), orthogonal_map=orthogonal_map)
    weight = layer.weight.detach()
    gram = weight @ weight.T if shape[0] >= shape[1] else weight.T @ weight
    torch.testing.assert_close(gram, torch.eye(min(shape)), atol=1e-5, rtol=0)


def test_spectral_and_weight_norm():
    layer = parametrizations.spectral_norm(nn.Linear(4, 3), n_power_iterations=50)
    assert torch.linalg.svdvals(layer.weight)[0].item() == pytest.approx(1.0, abs=1e-3)
    layer = parametrizations.weight_norm(nn.Linear(4, 3))
    assert list(layer.state_dict())[1:] == [f"parametrizations.weight.original{i}" for i in range(2)]
    torch.testing.assert_close(layer.parametrizations.weight.original0.flatten(), layer.weight.norm(dim=1))


def test_fused_conv_gives_the_same_results():
    conv, norm = nn.Conv2d(2, 3, 3), nn.BatchNorm2d(3)
    norm(conv(torch.randn(4, 2, 5, 5)))
    conv.eval(), norm.eval()
    x = torch.randn(1, 2, 5, 5)
    fused = nn.utils.fuse_conv_bn_eval(conv, norm)
    torch.testing.assert_close(fused(x), norm(conv(x)), atol=1e-5, rtol=1e-5)


@pytest.mark.parametrize("bounds", [(-2.0, 2.0), (3.0, 4.0), (-0.1, 0.1)])
def test_truncated_normal_stays_inside(bounds):
    import warnings

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        values = nn.init.trunc_normal_(torch.empty(2000), a=bounds[0], b=bounds[1])
    assert bounds[0] <= values.min() and values.max() <= bounds[1] and values.unique().numel() > 100


def test_orthogonal_initialiser_and_gains():
    matrix = nn.init.orthogonal_(torch.empty(3, 5), gain=2)
    torch.testing.assert_close(matrix @ matrix.T, 4 * torch.eye(3), atol=1e-5, rtol=0)
    assert nn.init.calculate_gain("tanh") == 5 / 3
    with pytest.raises(ValueError):
        nn.init.kaiming_normal_(torch.empty(3))
    with pytest.warns(FutureWarning, match="xavier_uniform_"):
        nn.init.xavier_uniform(torch.empty(2, 2))
