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
# # What the sweeps say
#
# The amplification papers end on an open question: how does what a GAN adds go with the size of the
# sample that it was trained on, and with the resolution at which one looks?  They train on 100 points
# and look at three resolutions.  And the second of them takes ten GANs for its ensembles, without saying
# why ten.  Both are questions for {ref}`sweeps <reproduce-sweeps>`; those of this page are in
# `workflow/sweeps`, and their tables are shipped with the book.

# %% tags=["parameters"]
preset = "best"

# %% tags=["remove-input"]
from amplib.book.report import read_parameters

given = read_parameters(globals(), "preset")

# %% tags=["hide-input"]
import matplotlib.pyplot as plt

from amplib.book import report
from amplib.book.obtain import BEST, obtain
from amplib.book.shipped import Shipped
from amplib.book.sliders import Slider, show_grid
from amplib.estimate import Share
from amplib.studies.camel.reading import members_of
from amplib.studies.camel.sweeps import amplification_planes, members_panels, trend

sweep, few = Shipped.read("amplification"), Shipped.read("members")
(scale,) = few.presets
ensembles = obtain("ensemble", scale if given["preset"] == BEST else given["preset"])

# %% tags=["remove-input"]
report.show_banner(ensembles)

# %% tags=["remove-cell"]
table = sweep.table
sizes, resolutions = (
    [*map(int, sorted(table[c].dropna().unique()))] for c in ("n_train", "quantiles")
)
trained = int(table.members.iloc[0])
NUMBERS = {
    "GAN": "member-factors",
    f"ensemble of {trained}": "ensemble-factors",
    "fit": "fit-factors",
    "kernel": "loo-factors",
}


def factors(number):
    """Factors of an estimate, by size and resolution."""
    return {
        (n, q): f for n in sizes for q, f in sweep.estimates(number, "quantiles", n_train=n).items()
    }


planes = {label: factors(number) for label, number in NUMBERS.items()}
laws = {label: {q: trend(plane, q) for q in resolutions} for label, plane in planes.items()}
trainings, fits = (
    {n: sweep.share(number, n_train=n) for n in sizes}
    for number in ("members-failed", "fits-failed")
)
samples = planes["GAN"][sizes[0], resolutions[0]].repetitions
middle = 50 if 50 in resolutions else resolutions[-1]


def exponent(label):
    """Of the power law at the middle resolution."""
    return report.with_interval(laws[label][middle].exponent)


report.tell(
    **{
        "sweeps-sizes": ", ".join(f"{n:,}" for n in sizes),
        "sweeps-resolutions": ", ".join(map(str, resolutions)),
        "sweeps-samples": samples,
        "sweeps-members": trained,
        "sweeps-fits": int(planes["fit"][sizes[0], resolutions[0]].repetitions),
        "sweeps-middle": middle,
        "sweeps-gan": exponent("GAN"),
        "sweeps-ensemble": exponent(f"ensemble of {trained}"),
        "sweeps-fit": exponent("fit"),
        "sweeps-kernel": exponent("kernel"),
        "sweeps-failed": Share(
            sum(s.k for s in trainings.values()), sum(s.n for s in trainings.values())
        ),
        "sweeps-fits-failed": Share(
            sum(s.k for s in fits.values()), sum(s.n for s in fits.values())
        ),
    }
)
sweep.origin("sweeps-grid")

# %% [markdown]
# ## The size of the sample
#
# {glue:text}`sweeps-samples` samples of each of {glue:text}`sweeps-sizes` points, and on each of them
# {glue:text}`sweeps-members` GANs; the fit and the {doc}`kernel estimate with one bandwidth <smoothing>`, chosen by the
# leave-one-out likelihood, on {glue:text}`sweeps-fits` samples each.  Every training has the same number of updates, and the
# same schedule in them: what changes with the size is the data and nothing else.  {numref}`sweeps-grid` has the amplification
# factors, N<sub>equiv</sub> over training points, against the size at one resolution and against the resolution at one size.


# %% mystnb={"figure": {"name": "sweeps-grid", "caption": "Amplification factor of a GAN (the mean over all that were trained on a sample), of their ensemble, of the fit and of the one-bandwidth kernel: against the number of training points (left; lines: power laws) and of quantiles (right). Bars are 95% intervals over samples; the grey bars are where the other panel looks. On the pages in HTML sliders choose both.\n\n{glue:text}`sweeps-grid-origin`"}} tags=["hide-input"]
def alt(n_train, quantiles):
    """The figure in words."""
    listed = ", ".join(f"{label} {plane[n_train, quantiles]}" for label, plane in planes.items())
    return (
        f"Amplification factors at {n_train:,} training points and {quantiles} quantiles: {listed}"
    )


show_grid(
    [
        Slider("n_train", "training points", sizes, 100),
        Slider("quantiles", "quantiles", resolutions, middle),
    ],
    amplification_planes(planes),
    alt,
)

# %% tags=["remove-input"]
report.show_table(
    "sweeps-trends",
    "Exponents $b$ of the amplification factor, $N_\\mathrm{equiv}/N_\\mathrm{train} \\propto N_\\mathrm{train}^{\\,b}$, with their 95% intervals, over samples",
    ["estimate", *(f"{q} quantiles" for q in resolutions)],
    [
        [label, *(report.with_interval(law[q].exponent) for q in resolutions)]
        for label, law in laws.items()
    ],
)
report.show_table(
    "sweeps-failures",
    "What failed: trainings in which the discriminator won or a hump stayed empty, and fits that did not converge; with the 68% interval of the rate",
    ["training points", "GANs", "fits"],
    [[f"{n:,}", trainings[n], fits[n]] for n in sizes],
)

# %% [markdown]
# TEXT
#
# ## The members of an ensemble
#
# TEXT

# %% tags=["remove-cell"]
apart = members_of(ensembles)
one_scale = ensembles.preset == scale and not ensembles.study.changes(scale)
SHOWN = [10, 20, 50]
measured = {
    q: few.estimates("ensemble-equivalents", "members", quantiles=q) for q in SHOWN if one_scale
}
MOST, ENOUGH = 20, 0.9
report.tell(
    **{
        "members-samples": len(apart.cells),
        "members-trained": apart.count,
        "members-most": MOST,
        "members-enough": f"{ENOUGH:.0%}",
        "members-shown": ", ".join(map(str, SHOWN)),
        "members-needed": report.each(lambda q: apart.enough(ENOUGH, q), SHOWN),
        "members-gain": report.each(apart.most_gain, SHOWN),
        "members-limit": report.each(apart.limit, SHOWN),
    }
)
report.origin("sweeps-members", ensembles)

# %% mystnb={"figure": {"name": "sweeps-members", "caption": "Equivalent sample size of ensembles against the number of GANs in them, at {glue:text}`members-shown` quantiles: by {eq}`eq-members` from {glue:text}`members-trained` GANs on each of {glue:text}`members-samples` samples (line, with its 95% interval over samples), its limit (dotted), and the ensembles of the first so many of them (points).\n\n{glue:text}`sweeps-members-origin`"}, "image": {"alt": "Equivalent sample size against the number of GANs in an ensemble, which levels off"}} tags=["hide-input"]
members_panels(apart, measured, SHOWN, MOST)
plt.show()

# %% tags=["remove-input"]
COUNTS = [1, 2, 3, 5, 10, MOST]
report.show_table(
    "sweeps-members-table",
    "What ensembles are worth, with the standard error over samples, and by how much one more GAN adds to that",
    ["GANs", *(f"{q} quantiles" for q in SHOWN), "one more adds"],
    [
        [
            count,
            *(apart.of(count, q) for q in SHOWN),
            " / ".join(
                f"{apart.of(count + 1, q).value / apart.of(count, q).value - 1:.1%}" for q in SHOWN
            ),
        ]
        for count in COUNTS
    ]
    + [["ever more", *(apart.limit(q) for q in SHOWN), "--"]],
)

# %% tags=["nbval-check-output", "remove-cell"]
for label, law in laws.items():
    print(label, *(f"{law[q].exponent} ({law[q].scatter:.1f})" for q in resolutions), sep=" | ")
for n in sizes:
    print(n, trainings[n], fits[n], *(plane[n, middle] for plane in planes.values()), sep=" | ")
for q in SHOWN:
    print(q, apart.one(q), apart.limit(q), apart.most_gain(q), apart.enough(ENOUGH, q), sep=" | ")
