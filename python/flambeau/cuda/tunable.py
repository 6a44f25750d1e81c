"""Tuning of matrix products on GPUs, which this build does not have."""

from flambeau._absent_device import define
from flambeau.cuda._absent import not_present

__all__ = define(globals(), not_present, """
    enable(val=True)
    is_enabled()
    tuning_enable(val=True)
    tuning_is_enabled()
    record_untuned_enable(val=True)
    record_untuned_is_enabled()
    set_max_tuning_duration(duration)
    get_max_tuning_duration()
    set_max_tuning_iterations(iterations)
    get_max_tuning_iterations()
    set_filename(filename, insert_device_ordinal=False)
    get_filename()
    get_results()
    get_validators()
    read_file(filename=None)
    tune_gemm_in_file(filename)
    mgpu_tune_gemm_in_file(filename_pattern, num_gpus)
    set_rotating_buffer_size(buffer_size)
    get_rotating_buffer_size()
    set_numerical_check_tolerances(enable, atol=1e-05, rtol=1e-05)
""")  # fmt: skip
