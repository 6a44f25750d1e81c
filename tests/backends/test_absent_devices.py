"""Device families that are not there, and the settings of libraries."""

import inspect

import flambeau as torch
import pytest


def test_programs_that_ask_first_stay_on_the_cpu():
    for family in (torch.cuda, torch.mps, torch.xpu, torch.mtia, torch.accelerator):
        assert family.is_available() is False
        assert family.device_count() == 0


@pytest.mark.parametrize(
    "call",
    [
        lambda: torch.cuda.current_device(),
        lambda: torch.cuda.synchronize(),
        lambda: torch.cuda.get_device_name(0),
        lambda: torch.cuda.get_device_properties("cuda:0"),
        lambda: torch.cuda.mem_get_info(),
        lambda: torch.cuda.initial_seed(),
        lambda: torch.cuda.FloatStorage(3),
    ],
)
def test_cuda_not_built(call):
    with pytest.raises(AssertionError, match="CUDA is not there"):
        call()


def test_cuda_calls_that_do_nothing():
    torch.cuda.manual_seed(1)
    torch.cuda.manual_seed_all(seed=1)
    torch.cuda.empty_cache()
    assert torch.cuda.memory_allocated() == torch.cuda.max_memory_reserved(0) == 0
    assert torch.cuda.get_rng_state_all() == torch.cuda.get_arch_list() == []
    assert dict(torch.cuda.memory_stats()) == {}
    with torch.cuda.stream(None), torch.cuda.device(-1), torch.cuda.device_of(torch.ones(1)):
        pass


def test_cuda_errors():
    with pytest.raises(RuntimeError):
        torch.cuda.Stream()
    with pytest.raises(RuntimeError):
        torch.cuda.Event(enable_timing=True)
    with pytest.raises(TypeError):
        torch.cuda.FloatTensor(2)
    with pytest.raises(ValueError):
        torch.cuda.set_device("cpu")
    with pytest.raises(RuntimeError), torch.cuda.device(0):
        pass
    with pytest.raises(RuntimeError):
        torch.cuda.nvtx.range_push("x")
    with pytest.raises(TypeError):
        torch.cuda.is_available(1)
    assert not isinstance(torch.ones(1), torch.cuda.FloatTensor)


def test_signatures():
    assert list(inspect.signature(torch.cuda.manual_seed).parameters) == ["seed"]
    assert inspect.signature(torch.cuda.synchronize).parameters["device"].default is None
    assert torch.cuda.synchronize.__name__ == "synchronize"


def test_cudnn_settings():
    cudnn = torch.backends.cudnn
    assert cudnn.is_available() is False and cudnn.version() is None
    before = cudnn.benchmark
    cudnn.benchmark = True
    assert cudnn.benchmark is True
    with cudnn.flags(enabled=False, benchmark=False):
        assert (cudnn.enabled, cudnn.benchmark) == (False, False)
    assert (cudnn.enabled, cudnn.benchmark) == (True, True)
    cudnn.benchmark = before
    with pytest.raises(RuntimeError, match="expects a bool"):
        cudnn.deterministic = 1
    with pytest.raises(RuntimeError, match="precision"):
        cudnn.fp32_precision = "half"


def test_cuda_backend_settings():
    matmul = torch.backends.cuda.matmul
    assert matmul.allow_tf32 is False
    matmul.allow_tf32 = True
    assert matmul.fp32_precision == "tf32"
    matmul.allow_tf32 = False
    with pytest.raises(AttributeError):
        matmul.unknown = 1
    assert torch.backends.cuda.is_built() is False
    with pytest.raises(RuntimeError, match="default, cusolver, magma"):
        torch.backends.cuda.preferred_linalg_library("other")
    with pytest.raises(AssertionError):
        _ = torch.backends.cuda.cufft_plan_cache.size
    torch.backends.cuda.enable_flash_sdp(False)
    assert torch.backends.cuda.flash_sdp_enabled() is False
    torch.backends.cuda.enable_flash_sdp(True)


def test_cpu_libraries():
    assert torch.backends.openmp.is_available() and torch.backends.mkl.is_available()
    assert torch.backends.cpu.get_cpu_capability() in ("DEFAULT", "AVX2", "AVX512")
    assert torch.backends.mps.is_available() is torch.backends.mps.is_built() is False
    assert torch.backends.mkldnn.enabled is True
    with torch.backends.mkldnn.flags(enabled=False):
        assert torch.backends.mkldnn.enabled is False
    assert torch.backends.mkldnn.enabled is True
