"""Weights & Biases and MLflow, offline, each where it is installed."""

import sys

import pytest
import torch

from genlab.callbacks import MLflow, Wandb
from genlab.core.errors import ConfigError

PICTURE = torch.zeros(3, 4, 4, dtype=torch.uint8)


def run(callback, trainer, positions):
    callback.start(trainer)
    for position in positions:
        callback.scalars(trainer.at(position), {"score/fid": position / 100})
    callback.picture(trainer, "samples (no prior)", PICTURE)
    callback.record(trainer, {"metric": "fid", "value": 1.0})
    callback.finish(trainer)
    return callback.state_dict()


def resume(callback, state):
    callback.load_state_dict(state)
    return callback


def test_mlflow_holds_one_run_with_images_as_steps(trainer, monkeypatch):
    tracking = pytest.importorskip("mlflow.tracking")
    monkeypatch.chdir(trainer.run_dir)  # artifacts lie in the working directory
    uri = f"sqlite:///{trainer.run_dir}/mlflow.db"
    state = run(MLflow(tracking_uri=uri), trainer, [100, 200])
    assert run(resume(MLflow(tracking_uri=uri), state), trainer, [1_000]) == state
    client = tracking.MlflowClient(uri)
    (found,) = client.search_runs([client.get_experiment_by_name("genlab").experiment_id])
    history = client.get_metric_history(found.info.run_id, "score/fid")
    assert [(point.step, point.value) for point in history] == [(100, 1.0), (200, 2.0), (1_000, 10.0)]
    assert found.info.status == "FINISHED"
    folders = {item.path for item in client.list_artifacts(found.info.run_id)}
    assert folders == {"config.yaml", "records", "samples_no_prior_"}


def test_a_resumed_run_keeps_its_name_at_wandb(trainer):
    pytest.importorskip("wandb")
    state = run(Wandb(mode="offline"), trainer, [100, 200])
    assert run(resume(Wandb(mode="offline"), state), trainer, [300]) == state
    assert len(list((trainer.run_dir / "wandb").glob(f"offline-run-*-{state['id']}"))) >= 1


@pytest.mark.parametrize(("callback", "module"), [(Wandb, "wandb"), (MLflow, "mlflow.tracking")])
def test_a_missing_package_is_refused_with_the_way_to_install_it(monkeypatch, callback, module):
    monkeypatch.setitem(sys.modules, module, None)
    with pytest.raises(ConfigError, match=rf"pip install 'genlab\[{module.partition('.')[0]}\]'"):
        callback()
