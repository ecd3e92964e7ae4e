# A notebook at every point of a plan that `amplib sweep` has written:
# snakemake -s workflow/sweep.smk --cores 2 --keep-going --config folder=_build/sweeps/NAME
import json
from pathlib import Path

FOLDER = Path(config["folder"])
PLAN = json.loads((FOLDER / "plan.json").read_text())
AMPLIB = sorted(str(p) for p in Path("amplib").rglob("*.py"))


rule all:
    input: expand(str(FOLDER / "points/{key}/numbers.json"), key=PLAN)


rule point:
    input:
        parameters=str(FOLDER / "points/{key}/parameters.json"),
        source=lambda w: f"notebooks/{PLAN[w.key]}.py",
        runner="workflow/notebook.py",
        amplib=AMPLIB,
    output:
        numbers=str(FOLDER / "points/{key}/numbers.json"),
        notebook=str(FOLDER / "points/{key}/notebook.ipynb"),
    params: notebook=lambda w: PLAN[w.key]
    log: str(FOLDER / "points/{key}/log.txt")
    # Points share the cores: each computes in one process.
    shell:
        "AMPLIFY_JOBS=1 python {input.runner} point {params.notebook} {output.notebook}"
        " {input.parameters} {output.numbers} > {log} 2>&1"
