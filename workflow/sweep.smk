# A notebook at every point of a plan that `amplib sweep` has written:
# snakemake -s workflow/sweep.smk --cores 2 --keep-going --configfile _build/sweeps/NAME/plan.json
import json
from pathlib import Path

FOLDER = Path(config["folder"])
POINTS = config["points"]
# Jobs that share no files with this machine keep theirs in a bucket; the sources come by git.
BUCKET = workflow.storage_settings.default_storage_provider
here = local if BUCKET else str
MADE = {
    "notebook": str(FOLDER / "points/{key}/notebook.ipynb"),
    "page": str(FOLDER / "points/{key}/notebook.html"),
    "numbers": str(FOLDER / "points/{key}/numbers.json"),
}


localrules: all, fetch


rule all:
    input: [here(MADE["numbers"].format(key=key)) for key in POINTS]


# Of no input: a point that is done is not done again because a source was touched.  Its commit is in
# the table.
rule point:
    output: **MADE
    params:
        notebook=lambda w: POINTS[w.key]["notebook"],
        values=lambda w: json.dumps(POINTS[w.key]["parameters"], sort_keys=True),
    log: str(FOLDER / "points/{key}/log.txt")
    threads: 1
    resources: # the second and the fourth are HTCondor's names
        runtime=lambda w: POINTS[w.key]["runtime"],
        allowed_execute_duration=lambda w: 60 * POINTS[w.key]["runtime"],
        mem_mb=lambda w: POINTS[w.key]["mem_mb"],
        htcondor_request_mem_mb=lambda w: POINTS[w.key]["mem_mb"],
    # Points share the cores: each computes in one process.
    shell:
        "AMPLIFY_JOBS=1 PYTHONPATH=\"$PWD:${{PYTHONPATH:-}}\" python workflow/notebook.py"
        " point {params.notebook} {output.notebook} {params.values:q} {output.numbers} > {log} 2>&1"


if BUCKET:

    rule fetch:
        input: **rules.point.output
        output: **{name: local(path) for name, path in MADE.items()}
        # The numbers last: they say that a point is done.
        shell:
            "cp {input.notebook} {output.notebook} && cp {input.page} {output.page}"
            " && cp {input.numbers} {output.numbers}"
