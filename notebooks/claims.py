# ---
# jupyter:
#   jupytext:
#     text_representation:
#       extension: .py
#       format_name: percent
#   kernelspec:
#     display_name: Python 3
#     language: python
#     name: python3
# ---

# %% [markdown]
# # Claims
#
# What the papers say in numbers, beside what we measure.  Each verdict follows from a rule that is
# fixed in the code, never from a look at the plot.  Errors are standard errors over repetitions.
# {numref}`claims-amplify` and {numref}`claims-ensemble` ask what a GAN's events are worth, {numref}`claims-dctrgan`
# what weights mend, and {numref}`claims-bvae` what a density information buffer makes of events.

# %% tags=["parameters"]
preset = "best"

# %% tags=["remove-input"]
from amplib.book.report import read_parameters

given = read_parameters(globals(), "preset")

# %% tags=["remove-input"]
from IPython.display import Markdown, display

from amplib.book import report
from amplib.book.claims import all_claims, rules

display(Markdown(report.typeset("\n".join(f"- {rule}" for rule in rules()))))
claims = all_claims(given["preset"])
titles = {
    "amplify": "Amplifying Statistics using Generative Models",
    "ensemble": "Amplifying Statistics with Ensembles of Generative Models",
    "dctrgan": "DCTRGAN",
    "bvae": "Event Generation with a Density Information Buffer",
}
for document, title in titles.items():
    report.show_table(
        f"claims-{document}",
        title,
        ["claim", "paper says", "we measure", "verdict"],
        [
            [
                report.claim_name(c),
                c.says,
                c.measured or "--",
                f"**{c.verdict}**" + (f": {c.why}" if c.why else ""),
            ]
            for c in claims
            if c.id.startswith(document + ".")
        ],
    )

# %% tags=["nbval-check-output", "remove-cell"]
for c in claims:
    print(c.id, c.verdict, c.measured)
