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
# {doc}`codes are drawn from its buffer <top_vae>`.  To choose others trains nothing.  The event paper {cite}`otten2019` varies one
# of them at a time, $\gamma$ at $\alpha = 1$ and $\alpha$ at $\gamma = 0$.  Its two {doc}`figures of merit <merit>` pull in
# opposite directions: $\delta$ grows as events are moved away from the training events, $\delta_{OF}$ falls as they cease to
# crowd about these.  This page goes over the whole plane, for the model that the paper considers best.

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
import matplotlib.pyplot as plt

from amplib.book import report
from amplib.book.obtain import obtain, stored
from amplib.book.shipped import Shipped
from amplib.book.sliders import Slider, show_grid
from amplib.estimate import Interval
from amplib.studies.bvae.study import CHOSEN
from amplib.studies.collisions.reading import stored_reference
from amplib.studies.plane.figures import Merits, slices, trade_off
from amplib.studies.plane.reading import Point
from amplib.studies.topvae.published import PAPER_ALPHA, PAPER_GAMMA

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
sweep.origin("plane-trade-off")
sweep.origin("plane-grid")


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
reference = stored_reference(stored("ttbar-reference", scale))
ideal = reference.ideal_delta, reference.ideal_delta_of("eta")
published = {
    (a, g): merits
    for (latent, kl_weight, a, g), merits in {**PAPER_GAMMA, **PAPER_ALPHA}.items()
    if (latent, kl_weight) == CHOSEN
}

# %% [markdown]
# ## The trade-off
#
# {numref}`plane-trade-off` has every point of the plane, and the paper's four of the same model.

# %% mystnb={"figure": {"name": "plane-trade-off", "caption": "Both figures of merit of the model (dim $z$, $B$) = {glue:text}`plane-model` over the plane: a curve in $\\gamma$ (numbers at the points) for each $\\alpha$, and the paper's points (stars, with their ($\\alpha$, $\\gamma$)). Less is better in both; the cross is what an ideal generator has with as many events. Bars are 95% intervals over the generated events.\n\n{glue:text}`plane-trade-off-origin`"}, "image": {"alt": "delta against delta_OF for four smudge factors and six offsets, and four points of the paper"}} tags=["hide-input"]
trade_off(plane, published, ideal)
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
