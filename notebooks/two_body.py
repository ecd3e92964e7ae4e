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
# # Two bodies
#
# The event paper {cite}`otten2019` generates events of three kinds, with 10, 16 and 26 numbers each; this
# page and the next two show where ours come from, and that they are what they claim to be.  The first kind
# is kinematics alone, and there is an exact answer to everything that one may ask of it.  Do ours have it?  {glue:text}`two-body-answer`
#
# A particle of 100 GeV at rest decays into two, whose masses are uniform from 0 to 50 GeV: the paper gives
# neither range, and every number scales with the first.  Polar angle and azimuth are drawn from uniform
# distributions, as the paper says.  A uniform polar angle crowds the decays about the axis: $p_z$ is rare
# about zero, where an isotropic decay would be nearly flat ({numref}`two-body-fig1`).  The ten columns are the energies,
# the momenta and the masses, more than there are degrees of freedom: a model must learn
# $E^2 - \mathbf p^2 - m^2 = 0$.  That this and the conservation of energy and momentum hold of the sample to
# rounding is checked in {numref}`two-body-checks`.

# %% tags=["parameters"]
preset = "best"
events = None
seed = None

# %% tags=["remove-input"]
from amplib.book.report import read_parameters

given = read_parameters(globals(), "preset", study="two-body-summary")

# %% tags=["hide-input"]
import matplotlib.pyplot as plt

from amplib.book import report
from amplib.book.obtain import obtain
from amplib.studies.collisions import figures
from amplib.studies.collisions.checks import two_body_checks, two_body_holds
from amplib.studies.collisions.reading import flat, total

two_body = obtain("two-body-summary", **given)

# %% tags=["remove-input"]
report.show_banner(two_body)

# %% tags=["remove-cell"]
report.tell(
    **{
        "two-body-events": f"{int(total(two_body, 'theta').sum()):,}",
        "two-body-answer": two_body_holds(two_body),
    }
)
report.origin("two-body-fig1", two_body)

# %% mystnb={"figure": {"name": "two-body-fig1", "caption": "Two-body decays: {glue:text}`two-body-events` of them, over the uniform distribution (left, middle), and the components of the momentum (right), with the exact density of $p_z$ over the uniform masses (dotted) and that of any component if the decay were isotropic (grey, dashed).\n\n{glue:text}`two-body-fig1-origin`"}, "image": {"alt": "Polar angle, azimuth and momenta of two-body decays"}} tags=["hide-input"]
figures.two_body_panels(two_body)
plt.show()

# %% tags=["hide-input"]
report.show_table(
    "two-body-checks",
    "What must hold of two-body decays, and what is measured",
    ["quantity", "expected", "measured"],
    two_body_checks(two_body),
)

# %% tags=["nbval-check-output", "remove-cell"]
for angle in ("theta", "phi"):
    print(angle, "chi2", flat(total(two_body, angle)))
