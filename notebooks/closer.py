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
# # Looking closer
#
# What a GAN is worth depends on how closely one looks, and on how many events one asks for.  Where does it amplify?
#
# With {glue:text}`closer-most` events the median amplification factor of {glue:text}`closer-trainings` trainings is
# {glue:text}`closer-factors` at {glue:text}`closer-resolutions` quantiles ({numref}`closer-table`).  Closer to the truth
# than their own samples are {glue:text}`closer-words`.
#
# {doc}`The first page <amplify>` cuts through this plane at a few numbers of quantiles; here one can walk through it, with
# nothing but the stored trainings of that page.

# %% tags=["parameters"]
preset = "best"
n_train = None
seed = None
resolutions = [5, 10, 20, 50, 100]

# %% tags=["remove-input"]
from amplib.book.report import read_parameters

given = read_parameters(globals(), "preset", "n_train", "seed", "resolutions")

# %% tags=["hide-input"]
from amplib.book import report
from amplib.book.obtain import obtain
from amplib.book.sliders import Slider, show_grid
from amplib.estimate import LEVEL, Share, enumerated
from amplib.metrics.amplification import shared
from amplib.studies.camel.figures import closer_look
from amplib.studies.camel.reading import check_quantiles, gan_curve, sample_and_fit

resolutions = sorted(check_quantiles(given.pop("resolutions")))
fits = obtain("fit", **given)
gans = obtain("gan", **given)
curve, sample = gan_curve(gans), sample_and_fit(fits).sample

# %% tags=["remove-input"]
report.show_banner(gans, fits)

# %% [markdown]
# On the left of {numref}`closer-grid` are the quantiles of the truth, filled by samples of
# {glue:text}`closer-n-train` points and by the GANs that were trained on them; an exact generator fills each to
# one.  A step is the median over {glue:text}`closer-trainings` trainings, taken quantile by quantile, and its band holds 68% of them, failed ones
# included.  On the right is the amplification factor at this resolution, of the median training with
# its 68% interval, at each number of events; the dot is at the number of events on the left, and the blue line is the factor of the median sample, which is above one where quantiles are few.

# %% tags=["hide-input"]
finest, most = resolutions[-1], int(curve.sizes[-1])
gain = {q: curve.asymptote.median_amplification(q) for q in resolutions}
few = curve.at(curve.n_train) if curve.n_train in curve.sizes else None


own, theirs = shared(curve.asymptote, sample)
closer = {  # trainings whose error is smaller than their own sample's
    q: Share(int((own.mse(q) < theirs.mse(q)).sum()), len(own.index)) for q in resolutions
}


def beside_half(share):
    """Whether that is more than half of them, or fewer, by the 95% interval."""
    low, high = share.interval(LEVEL)
    if low > 0.5:
        return "more than half"
    return "fewer than half" if high < 0.5 else "a share compatible with half"


words = {q: beside_half(share) for q, share in closer.items()}


report.tell(
    **{
        "closer-n-train": curve.n_train,
        "closer-trainings": len(curve.counts),
        "closer-most": f"{most:,}",
        "closer-resolutions": enumerated(resolutions),
        "closer-factors": report.each(curve.asymptote.median_amplification, resolutions),
        "closer-words": f"{report.by_word(words, 'at')} quantiles",
        "closer-more": enumerated(
            [q for q, word in words.items() if word.startswith("more")] or ["none"]
        ),
    }
)
report.origin("closer-grid", gans, fits)

# %% mystnb={"figure": {"name": "closer-grid", "caption": "Left: events in each quantile of the truth over those expected, of samples (blue) and GANs (orange); steps are medians over trainings, quantile by quantile, bands hold 68%. Right: amplification factor of the median training against the number of GANned events, with its 68% interval (orange), and of the median sample (blue line); the dot is at the number of events on the left. On the pages in HTML sliders choose the number of quantiles and of events.\n\n{glue:text}`closer-grid-origin`"}} tags=["hide-input"]
sizes = [int(n) for n in curve.sizes if str(n).strip("0") == "1" or n in (400, 4000)]
draw = closer_look(curve, sample, resolutions)


def alt(quantiles, events):
    """The figure in words."""
    factor = curve.at(events).median_amplification(quantiles)
    return f"{events:,} GANned events at {quantiles} quantiles: amplification factor {factor}"


show_grid(
    [
        Slider("quantiles", "quantiles", resolutions, 50 if 50 in resolutions else finest),
        Slider("events", "GANned events", sizes, sizes[-1]),
    ],
    draw,
    alt,
)

# %% tags=["remove-input"]
same = few.median_amplification if few else lambda q: "not stored"
report.show_table(
    "closer-table",
    f"Amplification factor of the median training and of the median sample, with their 68% intervals, and trainings that are closer to the truth than their own sample, with {most:,} events",
    ["quantiles", f"{curve.n_train:,} events", f"{most:,} events", "sample", "closer"],
    [[q, same(q), gain[q], sample.median_amplification(q), closer[q]] for q in resolutions],
)

# %% [markdown]
# **Few events.**  As many GANned events as there were training points are worth less than these
# ({numref}`closer-table`): to the error of the network they add their own noise.  With
# {glue:text}`closer-most` events the noise is gone.
#
# **Few quantiles.**  A factor is $N_\mathrm{equiv}$ over the number of points, and by the same measure the median sample has more than one where quantiles are
# few: the error is skewed there, and its median below its mean.  We therefore compare each GAN with its own sample, by the 95% interval of the
# last column: closer to the truth are {glue:text}`closer-words`.  Where there are few, what is left to get wrong are the large
# features, the heights of the humps among them, and of these a GAN knows no more than its sample, rather less (see {doc}`the page on smoothing <smoothing>`).  Where there
# are many the sample breaks up into single points, while the GAN stays smooth.  That is where its amplification
# comes from.
