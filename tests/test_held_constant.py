from hybridlib.config import RunConfig
from hybridlib.held_constant import held_constant, varied


def test_what_runs_share_and_in_what_they_differ():
    runs = [RunConfig(sampler="untrained", max_length=8), *(RunConfig(seed=seed, batch_size=16) for seed in (1, 2))]
    assert held_constant([*runs, RunConfig(sampler="mixed", batch_size=16)]) == (
        "The same in all that was trained: alpha 0.5, objective infonce (temperature 0.05), batch_size 16, updates "
        "120, learning_rate 5e-05, warmup 0.1, weight_decay 0.01, train_concepts all, max_length 64, "
        "trim_vocabulary yes, precision auto. Different: sampler and seed."
    )


def test_gradients_that_are_accumulated_are_said():
    assert ", accumulate 4, " in held_constant([RunConfig(accumulate=4)])


def test_one_run_differs_from_nothing():
    assert held_constant([RunConfig(sampler="monolingual")]).endswith("seed 1.")


def test_nothing_is_said_of_what_was_not_trained():
    assert held_constant([RunConfig(sampler="untrained")]) == ""


def test_what_differs_stands_in_a_table_without_the_seed_and_the_untrained():
    objective = {"supcon": {"temperature": 0.02}}
    names = {RunConfig(seed=seed): "hybrid 0.5" for seed in (1, 2)}
    names |= {RunConfig(objective=objective): "SupCon", RunConfig(sampler="untrained"): "untrained"}
    table = varied(names)
    assert table.columns.tolist() == ["objective"]
    assert table["objective"].to_dict() == {
        "hybrid 0.5": "infonce (temperature 0.05)",
        "SupCon": "supcon (temperature 0.02)",
    }
    assert varied({RunConfig(): "hybrid 0.5"}).empty
