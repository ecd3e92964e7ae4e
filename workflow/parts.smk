# A study's parts as jobs of their own, by a plan that `amplib cluster` has written:
# snakemake -s workflow/parts.smk --cores 2 --keep-going --configfile _build/cluster/NAME/plan.json
#
# A job works in a store of its own and sends home an archive, so that it is the same whether the
# machines share a file system or not; `amplib merge` checks what comes in, as from any machine.
import json
from pathlib import Path

FOLDER = Path(config["folder"])
SHARES = config["shares"]
GPU = {"gpu": 1, "request_gpus": 1} if config["device"] == "cuda" else {}
AMPLIB = sorted(str(p) for p in Path("amplib").rglob("*.py"))


def specification(wildcards):
    """What the job is told."""
    known = {name: config[name] for name in ("study", "preset", "parameters", "device")}
    mine = SHARES[wildcards.share]
    return json.dumps({**known, "only": mine["only"], "minutes": mine["minutes"]})


def before(wildcards):
    """What an earlier job of the share has sent home unfinished."""
    path = FOLDER / wildcards.share / "before.tar"
    return [str(path)] if path.exists() else []


localrules: all, take


rule all:
    input: expand(str(FOLDER / "{share}/taken.txt"), share=SHARES)


rule share:
    input:
        archives=[str(FOLDER / "given.tar")],
        before=before,
        runner="workflow/share.py",
        amplib=AMPLIB,
    output: str(FOLDER / "{share}/share.tar")
    log: str(FOLDER / "{share}/log.txt")
    params:
        specification=specification,
        store=str(FOLDER / "{share}"),
    threads: 1
    resources:
        runtime=lambda w: SHARES[w.share]["runtime"],
        mem_mb=config["mem_mb"],
        **GPU,
    shell:
        "AMPLIFY_JOBS=1 AMPLIFY_RESULTS={params.store}/results AMPLIFY_DATA={params.store}/data"
        " python {input.runner} {params.specification:q} {output} {input.archives} {input.before}"
        " > {log} 2>&1"


rule take:
    input: rules.share.output
    output: str(FOLDER / "{share}/taken.txt")
    log: str(FOLDER / "{share}/merge.txt")
    shell: "python -m amplib merge {input} > {log} 2>&1 && cp {log} {output}"
