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
# What a GAN is worth depends on how closely one looks, and on how many events one asks for.
# {doc}`amplify` cuts through this plane at a few numbers of quantiles; here one can walk through it, with
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
# one.  A bar is the training in the middle of {glue:text}`closer-trainings`, its band holds 68% of them, failed ones
# included.  On the right is the amplification factor at this resolution, of the training in the middle with
# its 68% interval; the dot is at the number of events on the left, and the blue line is the factor of the sample in the middle, which is above one where quantiles are few.

# %% tags=["hide-input"]
finest, most = resolutions[-1], int(curve.sizes[-1])
gain = {q: curve.asymptote.median_amplification(q) for q in resolutions}
few = curve.at(curve.n_train) if curve.n_train in curve.sizes else None


own, theirs = shared(curve.asymptote, sample)
closer = {  # trainings whose error is smaller than their own sample's
    q: Share(int((own.mse(q) < theirs.mse(q)).sum()), len(own.index)) for q in resolutions
}


def told(share):
    """Whether more than half of them are, fewer, or it is not told."""
    low, high = share.interval(LEVEL)
    return "more" if low > 0.5 else "fewer" if high < 0.5 else "neither"


report.tell(
    **{
        "closer-n-train": curve.n_train,
        "closer-trainings": len(curve.counts),
        "closer-most": f"{most:,}",
        "closer-resolutions": enumerated(resolutions),
        "closer-factors": report.each(curve.asymptote.median_amplification, resolutions),
        **{
            f"closer-{word}": enumerated(
                [q for q, k in closer.items() if told(k) == word] or ["none"]
            )
            for word in ("more", "fewer", "neither")
        },
    }
)
report.origin("closer-grid", gans, fits)

# %% mystnb={"figure": {"name": "closer-grid", "caption": "Left: events in each quantile of the truth over those expected, of samples (blue) and GANs (orange); steps are medians over trainings, bands hold 68%. Right: amplification factor against the number of GANned events. On the pages in HTML sliders choose the number of quantiles and of events.\n\n{glue:text}`closer-grid-origin`"}} tags=["hide-input"]
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
    f"Amplification factor of the training in the middle and of the sample in the middle, with their 68% intervals, and trainings that are closer to the truth than their own sample, with {most:,} events",
    ["quantiles", f"{curve.n_train:,} events", f"{most:,} events", "sample", "closer"],
    [[q, same(q), gain[q], sample.median_amplification(q), closer[q]] for q in resolutions],
)

# %% [markdown]
# **Few events.**  As many GANned events as there were training points are worth less than these
# ({numref}`closer-table`): to the error of the network they add their own noise.  With
# {glue:text}`closer-most` events the noise is gone.
#
# **Few quantiles.**  A factor is $N_\mathrm{equiv}$ over the number of points, and by the same measure the sample in the middle has more than one where quantiles are
# few: the error is skewed there, and its median below its mean.  So whether a GAN amplifies is asked of each and its own sample.  By the 95% interval of the last column more than half of
# them are closer to the truth at {glue:text}`closer-more` quantiles, fewer than half at {glue:text}`closer-fewer`, and it is not told at
# {glue:text}`closer-neither`.  Where there are few, what is left to get wrong are the large
# features, the heights of the humps among them, and of these a GAN knows no more than its sample, rather less ({doc}`amplify`).  Where there
# are many the sample breaks up into single points, while the GAN stays smooth.  That is where its amplification
# comes from.
