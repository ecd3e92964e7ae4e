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
# # The buffer's plane
#
# Once a B-VAE is trained, two numbers are left to choose: the smudge factor $\alpha$ and the offset $\gamma$ with which
# {doc}`codes are drawn from its buffer <top_vae>`, $z \sim \mathcal N(\mu, \alpha \sigma^2 + \gamma)$.  To choose others trains nothing.  The event
# paper {cite}`otten2019` varies one of them at a time, $\gamma$ at $\alpha = 1$ and $\alpha$ at $\gamma = 0$, and finds a trade-off between its two
# {doc}`figures of merit <merit>`: $\delta$, how far histograms of pairs of observables are from the truth's, should grow as events are moved away
# from those of the training, and $\delta_{OF}$, how much emptier or fuller than the truth's the plane of two jets is, should fall as they cease to crowd
# about these.  This page goes over the whole plane, for the model that the paper considers best, and asks where that is so.

# %% tags=["parameters"]
preset = "best"
alpha = None
gamma = None
training_events = None
seed = None

# %% tags=["remove-input"]
from amplib.book.report import read_parameters

given = read_parameters(globals(), "preset", study="top-point")

# %% tags=["hide-input"]
from itertools import groupby, pairwise

import matplotlib.pyplot as plt

from amplib.book import report
from amplib.book.obtain import obtain, stored
from amplib.book.shipped import Shipped
from amplib.book.sliders import Slider, show_grid
from amplib.estimate import Interval, enumerated
from amplib.store.results import wherever_stored
from amplib.studies.bvae.study import CHOSEN
from amplib.studies.merit.reading import stored_reference
from amplib.studies.plane.figures import Merits, slices, trade_off
from amplib.studies.plane.reading import Point
from amplib.studies.topvae.claims import SMOOTH
from amplib.studies.topvae.published import PAPER_ALPHA, PAPER_GAMMA
from amplib.studies.topvae.reading import ChosenEvents

made = obtain("top-point", **given)
point = Point.of(made)
sweep = Shipped.read("plane")
(scale,) = sweep.presets

# %% tags=["remove-input"]
report.show_banner(made)

# %% tags=["remove-cell"]
study = made.study
report.tell(
    **{
        "plane-alpha": study.alpha,
        "plane-gamma": study.gamma,
        "plane-delta": point.delta,
        "plane-eta": point.delta_of("eta"),
        "plane-phi": point.delta_of("phi"),
        "plane-dropped": point.dropped,
    }
)
sweep.origin("plane-trade-off", made)
sweep.origin("plane-grid", made)


def merit(number, alpha, gamma):
    """A number of the sweep with its interval."""
    row = sweep.numbers(number, alpha=alpha, gamma=gamma).iloc[0]
    return Interval(row.value, row.low, row.high)


alphas, gammas = ([*sorted(sweep.table[name].unique().tolist())] for name in ("alpha", "gamma"))
plane = {
    (a, g): Merits(merit("plane-delta", a, g), merit("plane-eta", a, g))
    for a in alphas
    for g in gammas
}
truth = stored("ttbar-reference", scale)
if not truth.done():  # a store of one's own has that of the page's scale
    truth = wherever_stored(made.study.made_of().made_of())
reference = stored_reference(truth)
ideal = reference.ideal_delta, reference.ideal_delta_of("eta")
published = {
    (a, g): merits
    for (latent, kl_weight, a, g), merits in {**PAPER_GAMMA, **PAPER_ALPHA}.items()
    if (latent, kl_weight) == CHOSEN
}


def place(key):
    """A point and its figures of merit in words."""
    return f"{at(key)}, δ = {plane[key].delta} and δ_OF = {plane[key].delta_of}"


def at(key):
    """A point of the plane."""
    return "({:g}, {:g})".format(*key)


def listed(keys):
    """Points of the plane, or that there are none."""
    keys = sorted(keys)
    return enumerated(map(at, keys)) if keys else "none"


def steps(alpha):
    """What both figures of merit do from one offset to the next, in words."""
    rows = [plane[alpha, g] for g in gammas]
    ways = [
        tuple("rises" if b[k].value > a[k].value else "falls" for k in range(2))
        for a, b in pairwise(rows)
    ]
    runs, done = [], 0
    for (delta, crowding), run in groupby(ways):
        begun, done = done, done + len(list(run))
        does = f"both {delta[:-1]}" if delta == crowding else f"δ {delta} and δ_OF {crowding}"
        runs.append(f"from {gammas[begun]:g} to {gammas[done]:g} {does}")
    return enumerated(runs)


def without_second_lepton():
    """delta at alpha = 1 without the observables of a second lepton, by the offset."""
    found = stored("top-events", scale)
    if not found.done():
        return "not measured at this scale"
    events = ChosenEvents.of(found)
    offsets = sorted({p.gamma for p in events.priors if p and p.alpha == 1} & {*gammas})
    return enumerated(f"{events.delta_without(events.prior(1, g))} at {g:g}" for g in offsets)


def beaten(key):
    """Whether another point is better in both."""
    mine = plane[key]
    return any(
        other.delta.value < mine.delta.value and other.delta_of.value < mine.delta_of.value
        for other in plane.values()
    )


smooth = [key for key, merits in plane.items() if merits.delta_of.value <= SMOOTH]
best = min(smooth, key=lambda key: plane[key].delta.value)
papers = 1, 0.05
undecided = [
    key
    for key, m in plane.items()
    if m.delta_of.low <= SMOOTH < m.delta_of.value or m.delta_of.value <= SMOOTH < m.delta_of.high
]
better = [key for key in undecided if plane[key].delta.value < plane[best].delta.value]
in_phi = {key: merit("plane-phi", *key) for key in plane}
least_phi = min(in_phi, key=lambda key: in_phi[key].value)
lowest = min(plane, key=lambda key: plane[key].delta.value)
of_paper = sorted((g, merits) for (a, g), merits in published.items() if a == 1)
least, most = alphas[0], alphas[-1]
offset = papers[1]
report.tell(
    **{
        "plane-model": f"({CHOSEN[0]}, {CHOSEN[1]:g})",
        "plane-events": f"{reference.events:,}",
        "plane-bound": f"{SMOOTH:g}",
        "plane-smooth": f"{len(smooth)} of {len(plane)}",
        "plane-undecided": listed(undecided),
        "plane-better": f"the least δ has {place(best)}, if it is one of them"
        if best in undecided
        else f"the least δ has {place(best)}",
        "plane-missed": f"; {listed(better)}, undecided, would have less" if better else "",
        "plane-papers": place(papers),
        "plane-steps": steps(least),
        "plane-turn": place(
            min(((least, g) for g in gammas), key=lambda k: plane[k].delta_of.value)
        ),
        "plane-lowest": place(lowest),
        "plane-without": without_second_lepton(),
        "plane-front": listed(key for key in plane if not beaten(key)),
        "plane-smudged": f"from {plane[least, 0].delta_of} to {plane[most, 0].delta_of}",
        "plane-smudged-delta": f"from {plane[least, 0].delta} to {plane[most, 0].delta}",
        "plane-smudges": f"{least:g} to {most:g}",
        "plane-same": f"from {plane[least, offset].delta} to {plane[most, offset].delta}",
        "plane-offset": f"{offset:g}",
        "plane-added": f"{(most - 1) * study.threshold**2:.2g}",
        "plane-phi-bare": str(in_phi[1, 0]),
        "plane-phi-least": str(in_phi[least_phi]),
        "plane-phi-at": at(least_phi),
        "plane-paper-offsets": enumerated(f"{g:g}" for g, _ in of_paper),
        "plane-paper-crowding": enumerated(f"{merits[1]:g}" for _, merits in of_paper),
        "plane-our-crowding": enumerated(plane[1, g].delta_of for g, _ in of_paper),
        "plane-paper-delta": enumerated(f"{merits[0]:.4f}" for _, merits in of_paper),
        "plane-ideal": f"{ideal[0]:.5f}",
        "plane-ideal-eta": f"{ideal[1]:.2f}",
        "plane-threshold": f"{study.threshold:g}",
        "plane-errors": "the one training that there is: by how much trainings differ they do not say"
        if len(point.parts) == 1
        else f"{len(point.parts)} trainings",
    }
)

# %% [markdown]
# ## Where it is a trade-off
#
# {glue:text}`plane-events` events were drawn at each point, from the same network as on {doc}`that page <top_vae>`, and judged against as many
# simulated ones.  All points draw the same encodings with the same noise, so that they differ by $\alpha$ and $\gamma$ alone.
# {numref}`plane-trade-off` has them, and the paper's points of the same model; {numref}`plane-grid` has each figure of merit by itself.  Brackets in the text are 95% intervals over the generated events.

# %% mystnb={"figure": {"name": "plane-trade-off", "caption": "Both figures of merit of the model (dim $z$, $B$) = {glue:text}`plane-model` over the plane: a curve in $\\gamma$ for each $\\alpha$ (numbers: $\\gamma$ at the points, of the others only where it is 0), and the paper's points (stars, with their ($\\alpha$, $\\gamma$)). Less is better in both; an ideal generator has $\\delta_{OF}$ at the dotted line, and a $\\delta$ of {glue:text}`plane-ideal`, far below the frame. Bars are 95% intervals over the generated events.\n\n{glue:text}`plane-trade-off-origin`"}, "image": {"alt": "delta against delta_OF for every smudge factor and offset of the grid, and the paper's points"}} tags=["hide-input"]
trade_off(plane, published, ideal[1])
plt.show()


# %% mystnb={"figure": {"name": "plane-grid", "caption": "$\\delta$ (left) and $\\delta_{OF}$ in $\\eta$ (right) against $\\gamma$, in steps of the grid, for each $\\alpha$; the ring is the point that is chosen. On the pages in HTML sliders choose it.\n\n{glue:text}`plane-grid-origin`"}} tags=["hide-input"]
def whole(values):
    """0 for 0.0, as a reader would write it."""
    return [int(v) if v == int(v) else v for v in values]


def alt(alpha, gamma):
    """The figure in words."""
    merits = plane[alpha, gamma]
    return (
        f"alpha {alpha:g}, gamma {gamma:g}: delta {merits.delta.value:.4f}, "
        f"delta_OF {merits.delta_of.value:.2f}"
    )


show_grid(
    [
        Slider("alpha", "smudge factor α", whole(alphas), 1),
        Slider("gamma", "offset γ", whole(gammas), 0.05),
    ],
    slices(plane, ideal),
    alt,
)

# %% [markdown]
# **What $\gamma$ does.**  At $\alpha = 1$ and by the values alone, as $\gamma$ grows {glue:text}`plane-steps`.  Only where one rises as the other falls is there anything to trade.
# $\delta_{OF}$ is least at {glue:text}`plane-turn`, about that of an ideal generator, {glue:text}`plane-ideal-eta`; what is smeared further fills bins that
# ought to be empty ({numref}`bvae-fig5`), and the sum of eq. 23 counts these as well.  The least $\delta$ of all has {glue:text}`plane-lowest`.
#
# *Why $\delta$ falls at first*: most events have no second lepton, and what the network puts in its place weighs heavily in $\delta$.  Without the
# observables of that lepton $\delta$ is, by the offset, {glue:text}`plane-without` ({numref}`top-vae-merit`).
#
# **What $\alpha$ does.**  Without an offset a smudge factor of {glue:text}`plane-smudges` brings $\delta_{OF}$ {glue:text}`plane-smudged` and $\delta$
# {glue:text}`plane-smudged-delta`: it widens the spikes about the training events.  It acts where $\sigma$ is below {glue:text}`plane-threshold`, so that it
# adds {glue:text}`plane-added` to a variance at most, and beside a larger offset there is little left for it to do: at $\gamma$ = {glue:text}`plane-offset`
# $\delta$ goes {glue:text}`plane-same` over the same range.  Both widen the same spikes, and the curves run into one another: the plane has hardly
# more than one direction.
#
# **Which point is best?**  The paper takes the least $\delta$ with $\delta_{OF}$ up to {glue:text}`plane-bound`.  By their values {glue:text}`plane-smooth` points
# have that, but of {glue:text}`plane-undecided` the interval does not decide it.  Of those by value {glue:text}`plane-better`{glue:text}`plane-missed`.
# The paper's choice has here {glue:text}`plane-papers`.  Not beaten in both by another point, again by the values, are {glue:text}`plane-front`.
# In $\phi$, at which the paper looks apart, events crowd much longer: there $\delta_{OF}$ falls from {glue:text}`plane-phi-bare` at (1, 0) to
# {glue:text}`plane-phi-least` at {glue:text}`plane-phi-at`, so that no point is best in all three.
#
# **The paper's points** at $\gamma$ of {glue:text}`plane-paper-offsets` have $\delta_{OF}$ of {glue:text}`plane-paper-crowding`; ours {glue:text}`plane-our-crowding`.  An offset that
# is added to $\sigma$ adds $\gamma^2 + 2 \gamma \sigma$ to the variance, for a small $\sigma$ much less than $\gamma$: points of that reading belong nearer to $\gamma = 0$ on our
# curve, in the order that the paper's have.  It is one more sign that the authors added $\gamma$ to $\sigma$ and not to the variance; {numref}`top-vae-readings` has that reading measured.
# In $\delta$ the paper's points have {glue:text}`plane-paper-delta`, and ours are higher at $\gamma = 0$ as well, where it does not matter how $\gamma$ is read.
#
# Errors are those of the generated events, of {glue:text}`plane-errors`.

# %% tags=["nbval-check-output", "remove-cell"]
for key, merits in sorted(plane.items()):
    print(key, f"{merits.delta.value:.5f}", f"{merits.delta_of.value:.2f}", beaten(key), sep=" | ")
