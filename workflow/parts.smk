# A study's parts as jobs of their own, by a plan that `amplib cluster` has written:
# snakemake -s workflow/parts.smk --cores 2 --keep-going --configfile _build/cluster/NAME/plan.json
#
# A job works in a store of its own and sends home an archive, so that it is the same whether the
# machines share a file system or not; `amplib merge` checks what comes in, as from any machine.
import json
from pathlib import Path

FOLDER = Path(config["folder"])
SHARES = config["shares"]
# Jobs that share no files with this machine keep theirs in a bucket.  The sources come to them by
# git: a job with an input that is said to be here would run here.
BUCKET = workflow.storage_settings.default_storage_provider
here = local if BUCKET else str
SOURCES = [] if BUCKET else ["workflow/share.py", *sorted(map(str, Path("amplib").rglob("*.py")))]
# HTCondor has its own names for what is asked for.
GPU = {"gpu": 1, "request_gpus": 1} if config["device"] == "cuda" else {}


def specification(wildcards):
    """What the job is told."""
    known = {name: config[name] for name in ("study", "preset", "parameters", "device")}
    mine = SHARES[wildcards.share]
    return json.dumps({**known, "only": mine["only"], "minutes": mine["minutes"]})


def before(wildcards):
    """What an earlier job of the share has sent home unfinished."""
    return [str(FOLDER / wildcards.share / "before.tar")] if SHARES[wildcards.share]["before"] else []


localrules: all, give, take


rule all:
    input: [here(str(FOLDER / share / "taken.txt")) for share in SHARES]


if BUCKET:

    rule give:
        input: local(str(FOLDER / "{archive}.tar"))
        output: str(FOLDER / "{archive}.tar")
        wildcard_constraints: archive="given|[^/]+/before"
        shell: "cp {input} {output}"


rule share:
    input:
        archives=[str(FOLDER / "given.tar")],
        before=before,
        sources=SOURCES,
    output: str(FOLDER / "{share}/share.tar")
    log: str(FOLDER / "{share}/log.txt")
    params:
        specification=specification,
        store=str(FOLDER / "{share}"),
    threads: 1
    resources:
        runtime=lambda w: SHARES[w.share]["runtime"],
        allowed_execute_duration=lambda w: 60 * SHARES[w.share]["runtime"],
        mem_mb=config["mem_mb"],
        htcondor_request_mem_mb=config["mem_mb"],
        **GPU,
    shell:
        "AMPLIFY_JOBS=1 PYTHONPATH=\"$PWD:${{PYTHONPATH:-}}\""
        " AMPLIFY_RESULTS={params.store}/results AMPLIFY_DATA={params.store}/data"
        " python workflow/share.py {params.specification:q} {output} {input.archives}"
        " {input.before} > {log} 2>&1"


rule take:
    input: rules.share.output
    output:
        taken=here(str(FOLDER / "{share}/taken.txt")),
        archive=local(str(FOLDER / "{share}/share.tar")) if BUCKET else [],
    log: here(str(FOLDER / "{share}/merge.txt"))
    shell:
        "python -m amplib merge {input} > {log} 2>&1"
        + (" && cp {input} {output.archive}" if BUCKET else "")
        + " && cp {log} {output.taken}"
