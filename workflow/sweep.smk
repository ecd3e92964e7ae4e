# A notebook at every point of a plan that `amplib sweep` has written:
# snakemake -s workflow/sweep.smk --cores 2 --keep-going --configfile _build/sweeps/NAME/plan.json
from pathlib import Path

FOLDER = Path(config["folder"])
POINTS = config["points"]
AMPLIB = sorted(str(p) for p in Path("amplib").rglob("*.py"))


localrules: all


rule all:
    input: expand(str(FOLDER / "points/{key}/numbers.json"), key=POINTS)


rule point:
    input:
        parameters=str(FOLDER / "points/{key}/parameters.json"),
        source=lambda w: f"notebooks/{POINTS[w.key]['notebook']}.py",
        runner="workflow/notebook.py",
        amplib=AMPLIB,
    output:
        numbers=str(FOLDER / "points/{key}/numbers.json"),
        notebook=str(FOLDER / "points/{key}/notebook.ipynb"),
        page=str(FOLDER / "points/{key}/notebook.html"),
    params: notebook=lambda w: POINTS[w.key]["notebook"]
    log: str(FOLDER / "points/{key}/log.txt")
    threads: 1
    resources:
        runtime=lambda w: POINTS[w.key]["runtime"],
        mem_mb=lambda w: POINTS[w.key]["mem_mb"],
    # Points share the cores: each computes in one process.
    shell:
        "AMPLIFY_JOBS=1 python {input.runner} point {params.notebook} {output.notebook}"
        " {input.parameters} {output.numbers} > {log} 2>&1"
