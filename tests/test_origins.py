import pytest

from hybridlib.origins import origin

RUN = {"label": "mine", "run": "a-run", "configuration": {"sampler": "mixed", "encoder": "tiny"}, "encoder": None}
TRAINED = (
    "**mine**: **mixed** batches of 64 pairs, 120 steps, infonce (temperature 0.05), learning rate 5e-05; seed 1; "
    "tiny. Trained on scenes. This is run `a-run`."
)


AS_IT_IS = {"sampler": "untrained", "encoder": "tiny"}
CASES = {
    "encoder": (
        {"label": "e5", "encoder": "tiny", "max_length": 128},
        "**e5**: the encoder tiny as it is. Texts are cut to 128 tokens.",
    ),
    "vectors": ({"label": "api", "embeddings": "texts/api"}, "**api**: vectors in `texts/api`."),
    "run": (RUN, TRAINED),
    "run on other corpora": (
        RUN
        | {
            "configuration": RUN["configuration"] | {"train_corpora": ["$HYBRIDLIB_DATA/ddtp/pairs.jsonl.gz", "scenes"]}
        },
        TRAINED.replace("on scenes", "on ddtp/pairs.jsonl.gz and scenes"),
    ),
    "run by its own name": (RUN | {"label": "mixed"}, TRAINED.removeprefix("**mine**: ")),
    "untrained run": (
        RUN | {"configuration": AS_IT_IS},
        "**mine**: **untrained**: tiny as it is. This is run `a-run`.",
    ),
    "mean of two runs": (RUN | {"encoder": "mean"}, "**mine**: the encoder mean, on the test texts of run `a-run`."),
}


@pytest.mark.parametrize(("result", "said"), CASES.values(), ids=CASES)
def test_origin(result, said):
    assert origin(result) == said
