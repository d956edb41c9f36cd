"""Fuzz a reader by hand, guided by coverage; atheris must be installed (pip install atheris), it is no dependency.

    python tests/fuzz/run_atheris.py jsonl /tmp/corpus tests/fuzz/seeds/jsonl -max_total_time=600

The first folder is for what is found on the way and must exist; bytes that crash a reader are left as ``crash-*`` in
the working folder and belong, once mended, into ``tests/fuzz/seeds/<target>``.
"""

import sys

INSTRUMENTED = ["hybridlib.corpora", "hybridlib.encoders.e5_file", "hybridlib.study", "hybridlib.config"]
INSTRUMENTED += [
    f"hybridlib.{name}" for name in ("archives", "derived", "plain_text", "problems", "validation", "yaml_file")
]
INSTRUMENTED += ["csv", "gzip", "json", "yaml", "zipfile"]


def main() -> None:
    """Fuzz the target that the command line names."""
    import atheris

    with atheris.instrument_imports(include=INSTRUMENTED):
        from fuzz_targets import TARGETS
    target = TARGETS[sys.argv.pop(1)]
    atheris.Setup(sys.argv, target)
    atheris.Fuzz()


if __name__ == "__main__":
    main()
