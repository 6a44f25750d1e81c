"""The records of a run's hyperparameters and metrics."""
from __future__ import annotations

from tensorboard.compat.proto.summary_pb2 import Summary, SummaryMetadata
from tensorboard.plugins.hparams import api_pb2, metadata, plugin_data_pb2

import flambeau as fb
from flambeau.utils.tensorboard._arrays import make_np


def _typed(name, value):
    """The format's type of a value, and the keyword of `google.protobuf.Value` that holds it."""
    if isinstance(value, bool):
        return api_pb2.DATA_TYPE_BOOL, {"bool_value": value}
    if isinstance(value, (int, float)):
        return api_pb2.DATA_TYPE_FLOAT64, {"number_value": value}
    if isinstance(value, str):
        return api_pb2.DATA_TYPE_STRING, {"string_value": value}
    if isinstance(value, fb.Tensor):
        return api_pb2.DATA_TYPE_FLOAT64, {"number_value": make_np(value).reshape(-1)[0]}
    raise ValueError(f"hparams: {name!r} must be a number, a bool, a str or a tensor, not "
                     f"{type(value).__name__}")


def _summary(tag, **content):
    data = plugin_data_pb2.HParamsPluginData(**content).SerializeToString()
    plugin = SummaryMetadata.PluginData(plugin_name=metadata.PLUGIN_NAME, content=data)
    return Summary(value=[Summary.Value(tag=tag, metadata=SummaryMetadata(plugin_data=plugin))])


def hparams(hparam_dict=None, metric_dict=None, hparam_domain_discrete=None):
    """Three summaries: what the experiment varies and measures, the start of the session with its values, its end.

    Errors: TypeError for what is not a dict, ValueError for values of other types.
    """
    for given, what in ((hparam_dict, "hparam_dict"), (metric_dict, "metric_dict")):
        if not isinstance(given, dict):
            raise TypeError(f"{what} must be a dict, not {type(given).__name__}")
    domains = hparam_domain_discrete or {}
    if not isinstance(domains, dict):
        raise TypeError(f"hparam_domain_discrete must be a dict, not {type(domains).__name__}")
    for name, values in domains.items():
        if name not in hparam_dict or not isinstance(values, list) \
                or not all(isinstance(v, type(hparam_dict[name])) for v in values):
            raise TypeError(f"hparam_domain_discrete[{name!r}] must be a list of values of the type of "
                            f"hparam_dict[{name!r}]")
    from google.protobuf import struct_pb2
    start = plugin_data_pb2.SessionStartInfo()
    infos = []
    for name, value in hparam_dict.items():
        if value is None:
            continue
        kind, field = _typed(name, value)
        for key, held in field.items():
            setattr(start.hparams[name], key, held)
        domain = None
        if name in domains:
            domain = struct_pb2.ListValue(values=[struct_pb2.Value(**_typed(name, v)[1]) for v in domains[name]])
        infos.append(api_pb2.HParamInfo(name=name, type=kind, domain_discrete=domain))
    metrics = [api_pb2.MetricInfo(name=api_pb2.MetricName(tag=name)) for name in metric_dict]
    experiment = api_pb2.Experiment(hparam_infos=infos, metric_infos=metrics)
    end = plugin_data_pb2.SessionEndInfo(status=api_pb2.Status.Value("STATUS_SUCCESS"))
    return (_summary(metadata.EXPERIMENT_TAG, experiment=experiment),
            _summary(metadata.SESSION_START_INFO_TAG, session_start_info=start),
            _summary(metadata.SESSION_END_INFO_TAG, session_end_info=end))
