"""Top pairs: the paper's columns and cuts, what the generator decays, and its truth.

Where a test is statistical it says its false alarm and what it would catch; all seeds are fixed.
"""

from dataclasses import replace

import numpy as np
import pytest
from scipy import stats
from statistical import FALSE_ALARM, within
from top_pairs import QUICK, N

from amplib.truth.collisions import checks, ttbar
from amplib.truth.collisions.columns import TTBAR, columns, four_momentum, mass, ttbar_objects
from amplib.truth.collisions.detector import Detected, Particles, simulate
from amplib.truth.collisions.jets import Jets
from amplib.truth.collisions.objects import Objects
from amplib.truth.collisions.pythia import start


def hard_processes(n, seed, settings):
    """|PDG codes| of what ``n`` top pairs decay to, and how many pairs were drawn for them.

    No shower, so that 10,000 cost a second or two.
    """
    hook = ttbar.leptonic_decay()
    off = ("PartonLevel:all = off", "HadronLevel:all = off")
    generator = start((*settings.lines(), *off), np.random.SeedSequence(seed), hook)
    codes = []
    for _ in range(n):
        assert generator.next()
        process = generator.process
        codes.append([process[i].idAbs() for i in range(5, process.size())])
    return codes, hook.drawn


def test_top_sample_is_as_the_paper_describes(tops):
    events = tops.events
    assert events.shape == (N, 26) and events.dtype == np.float64
    assert np.isfinite(events).all()
    assert tops.partons.shape == (N, 10, 4) and tops.particle_ids.shape == (N, 4)
    assert tops.neutrinos.shape == (N, 2) and tops.jet_pairs.shape[1] == 3
    assert tops.neutrinos.dtype == tops.jet_pairs.dtype == np.float32


def test_top_jets_and_leptons_pass_the_cuts_in_mev(tops):
    """Jets: 20 GeV before their energy scale, so 21.9 GeV after it; eta < 5. Leptons: 10, 2.5.

    The hardest jet: a top at rest gives its b (m_t^2 - m_W^2) / 2 m_t = 68 GeV, so the hardest of
    four has more; but it would take a boosted top to give it more than the top's mass.
    """
    e, pt, eta, phi = np.moveaxis(tops.events[:, 2:].reshape(N, 6, 4), -1, 0)
    top, w = 173e3, 80.4e3
    assert pt[:, :4].min() > 21.9e3 and (top**2 - w**2) / (2 * top) < np.median(pt[:, 0]) < top
    assert np.abs(eta[:, :4]).max() < 5
    present = pt[:, 4:] > 0
    assert np.all(present[:, 0]) and 0 < present[:, 1].sum() < N / 10
    assert pt[:, 4:][present].min() > 10e3 and np.abs(eta[:, 4:]).max() < 2.6
    assert np.all(np.abs(phi) <= np.pi) and np.all(np.abs(tops.events[:, 1]) <= np.pi)
    assert np.all(e >= pt)


def test_top_objects_are_ordered_in_pt(tops):
    pt = tops.events[:, 3::4]
    assert np.all(np.diff(pt[:, :4], axis=1) <= 0)
    assert np.all(np.diff(pt[:, 4:], axis=1) <= 0)


def test_an_absent_second_lepton_is_four_zeros(tops):
    zeros = (tops.events[:, 22:] == 0).sum(axis=1)
    assert set(zeros) == {0, 4}
    assert not np.any(tops.events[:, :22] == 0)


def test_top_jets_have_mass_and_leptons_have_theirs(tops):
    """0.511 and 105.7 MeV, to 2 MeV: E^2 carries 16 digits, at E = 1 TeV that is 1 MeV."""
    objects = mass(ttbar_objects(tops.events))
    # A jet of one tower is massless to rounding.
    assert np.all(objects[:, :4] > -2) and np.median(objects[:, :4]) > 5e3
    present = tops.events[:, [19, 23]] > 0
    distance = np.abs(objects[:, 4:, None] - [0.511, 105.658]).min(axis=2)
    assert distance[present].max() < 2


def test_stable_particles_are_pythias():
    """Codes, charges, momenta and vertices of one event, against Pythia's own record of it."""
    generator = start(QUICK.lines(), np.random.SeedSequence(9))
    particles = ttbar.stable_particles(generator.nextBatch(1), generator.particleData)
    event = [generator.event[i] for i in range(generator.event.size())]
    stable = [p for p in event if p.isFinal()]
    assert len(stable) == len(particles.event) > 50
    assert particles.pdg_id.tolist() == [p.id() for p in stable]
    assert particles.charge.tolist() == [p.charge() for p in stable]
    momenta = [[p.e(), p.px(), p.py(), p.pz()] for p in stable]
    np.testing.assert_array_equal(particles.momentum, momenta)
    vertices = [[p.xProd(), p.yProd(), p.zProd()] for p in stable]
    np.testing.assert_array_equal(particles.vertex, vertices)


def test_three_leptons_are_one_too_many():
    """Three muons and four K_L of 100 GeV, far apart: in 83% of 200 events all three are seen."""
    codes, n = np.array([13, 13, -13, 130, 130, 130, 130]), 200
    phi = np.linspace(-2.7, 2.7, 7)
    momentum = np.tile(four_momentum(120.0, 100.0, 0.3, phi), (n, 1))
    shots = Particles(
        n,
        np.repeat(np.arange(n), 7),
        np.tile(codes, n),
        np.tile([-1.0, -1, 1, 0, 0, 0, 0], n),
        momentum,
        np.zeros((7 * n, 3)),
    )
    count, leptons = ttbar.leading_leptons(simulate(shots, np.random.default_rng(10)))
    assert (count == 3).sum() > 100 and np.all(
        (leptons[..., 1] > 0).sum(axis=1) == np.minimum(count, 2)
    )
    truth = ttbar.Truth(np.zeros((n, 10, 4)), np.zeros((n, 4), int), np.zeros((n, 2)))
    clock, rng = ttbar.Clock(), np.random.default_rng(10)
    sample = ttbar.select(shots, truth, QUICK, rng, clock, {})
    assert sample.cutflow["one or two leptons"] == np.sum((count == 1) | (count == 2))
    assert 0 < len(sample) <= sample.cutflow["one or two leptons"]


def test_jets_are_cut_at_20_gev_before_their_energy_scale():
    """Towers of 19.9 and 20.1 GeV at eta 0 and 4: those of 20.1 stay, as jets of
    sqrt(20.1 (20.1 + s^2)) with s = 3 and 2.2; the others would have 24.0 and 22.2 GeV."""
    pt, eta, phi = np.array([[19.9, 20.1, 20.1, 19.9], [0, 0, 4, 4], [0, 2, 0, 2]])
    inputs = np.stack([pt * np.cosh(eta), pt, eta, phi], axis=1)
    none = Objects(np.zeros(0, int), np.zeros((0, 4)), *np.zeros((2, 0), int))
    detected = Detected(inputs, np.array([0, 4]), np.zeros((1, 2)), none, none, none)
    jets = ttbar.calibrated_jets(detected, np.array([0]), 0.6).kinematics
    jets = jets[np.argsort(jets[:, 2])]
    np.testing.assert_allclose(jets[:, 1:], [[24.185, 0, 2], [22.390, 4, 0]], atol=1e-3)


def test_pairs_of_true_and_found_jets_by_hand():
    """Of the second of two events: narrow jets of one hadron each.  Found are the hadrons of 30, 40
    and 15 GeV; that of 9 is too soft, and a neutrino, a muon and what has no jet near are left out.
    Of two true jets beside one found jet the nearer has it."""
    rows = [  # event, code, pT, eta, phi
        (0, 130, 99.0, 0.0, 0.0),
        (1, 130, 30.0, 0.0, 0.0),
        (1, 130, 40.0, 1.0, 2.0),
        (1, 130, 15.0, -1.0, 3.1),
        (1, 130, 9.0, -2.0, 1.0),
        (1, 12, 50.0, 2.0, -1.0),
        (1, 13, 25.0, 1.5, -2.0),
        (1, 130, 20.0, 1.25, 2.0),
        (1, 130, 70.0, -1.5, -1.5),
    ]
    event, code, pt, eta, phi = (np.array(column) for column in zip(*rows, strict=True))
    momentum = four_momentum(pt * np.cosh(eta), pt, eta, phi)
    n = len(rows)
    particles = Particles(2, event, code, np.zeros(n), momentum, np.zeros((n, 3)))
    found = [  # of the batch's events with leptons, of which the first has no four jets
        (0, 99.0, 0.0, 0.0),
        (1, 33.0, 0.1, 0.2),
        (1, 41.0, 1.1, 2.0),
        (1, 12.0, -1.0, -3.1),
        (1, 10.0, -2.0, 1.0),
        (1, 55.0, 2.0, -1.0),
        (1, 26.0, 1.5, -2.0),
        (1, 71.0, -1.5, -1.19),
    ]
    where, *kinematics = zip(*found, strict=True)
    jets = Jets(np.array(where), np.array([np.ones(len(found)), *kinematics]).T)
    leptons = np.zeros((1, 2, 4))
    leptons[0, 0] = 1.0, 25.0, 1.4, -2.0
    pairs = ttbar.jet_pairs(particles, np.array([1]), jets, np.array([1]), leptons, 0.1)
    expected = [[15e3, 12e3, -1], [30e3, 33e3, 0], [40e3, 41e3, 1]]
    np.testing.assert_allclose(pairs[np.argsort(pairs[:, 1])], expected, atol=1e-3)


def test_leptons_of_either_kind_are_ordered_by_hand():
    """Three in the first event, of which the hardest two are kept, none in the second, one in the
    third; columns in MeV, with MET."""

    def objects(*rows):
        event, pt = (np.array(column) for column in zip(*rows, strict=True))
        kinematics = np.stack([2 * pt, pt, pt / 100, -pt / 100], axis=1)
        return Objects(event, kinematics, *np.full((2, len(rows)), -1))

    none = Objects(np.zeros(0, int), np.zeros((0, 4)), *np.zeros((2, 0), int))
    electrons, muons = objects((0, 20.0), (0, 35.0)), objects((0, 30.0), (2, 11.0))
    missing = np.array([[3.0, 4.0], [0, -2], [-1, 0]])
    detected = Detected(np.zeros((0, 4)), np.zeros(4, int), missing, none, electrons, muons)
    count, leptons = ttbar.leading_leptons(detected)
    assert count.tolist() == [3, 0, 1]
    assert leptons[..., 1].tolist() == [[35, 30], [0, 0], [11, 0]]
    jets = np.arange(48.0).reshape(3, 4, 4)
    found = ttbar.as_columns(missing, jets.copy(), leptons)
    assert found[0, :2] == pytest.approx([5e3, np.arctan2(4, 3)])
    assert found[1, :2] == pytest.approx([2e3, -np.pi / 2])
    assert found[1, 2:6].tolist() == [16e3, 17e3, 18, 19]
    assert found[0, 18:] == pytest.approx([70e3, 35e3, 0.35, -0.35, 60e3, 30e3, 0.3, -0.3])
    assert (found[1, 18:] == 0).all()


def test_top_cut_flow_falls(tops):
    counts = list(tops.cutflow.values())
    assert list(tops.cutflow) == ["top pairs", "W to e or mu", "one or two leptons", "four jets"]
    assert counts == sorted(counts, reverse=True) and counts[-1] >= N
    assert counts[1] % 200 == 0  # another size of the batches is another sample
    assert set(tops.seconds) == set(ttbar.STAGES) and min(tops.seconds.values()) > 0


def test_a_clock_adds_up_what_each_stage_takes(monkeypatch):
    times = iter([10.0, 12.5, 20.0, 21.0, 30.0, 30.5])
    monkeypatch.setattr(ttbar.time, "perf_counter", lambda: next(times))
    clock = ttbar.Clock()
    for stage in ("jets", "detector", "jets"):
        with clock(stage):
            pass
    expected = dict.fromkeys(ttbar.STAGES, 0.0) | {"jets": 3.0, "detector": 1.0}
    assert clock.seconds == expected


def test_top_azimuths_are_flat(tops):
    """Harmonics 1 to 6 of MET, leading jet and lepton of 600 events.

    Of flat angles n |<exp(ik phi)>|^2 is exponential: false alarm ``FALSE_ALARM`` for all 18
    together. A modulation 1 + a cos(k phi) shows with power > 0.99 from a = 0.48, 0.5 from 0.33.
    """
    phi = tops.events[:, columns(TTBAR, "phi_MET", "phi_j1", "phi_l1")]
    k = np.arange(1, 7)[:, None, None]
    power = N * np.abs(np.exp(1j * k * phi).mean(axis=1)) ** 2
    limit = -np.log(FALSE_ALARM / power.size)
    assert power.max() < limit
    assert stats.ncx2.sf(2 * limit, 2, 2 * N * (0.48 / 2) ** 2) > 0.99


def test_top_truth_adds_up(tops):
    """Momentum of a W is that of its daughters, to a rounding of Pythia's of 1e-9."""
    p = tops.partons
    for w, (first, second) in ((2, (6, 7)), (3, (8, 9))):
        np.testing.assert_allclose(p[:, first] + p[:, second], p[:, w], atol=1e-3)
    np.testing.assert_allclose(mass(p[:, 4:6]), 4.8e3, atol=20)
    # The W recoils against what the b radiates after the decay, so W + b is the top roughly.
    rebuilt = checks.peak(mass(p[:, 2:4] + p[:, 4:6]) - mass(p[:, :2]))
    assert abs(rebuilt.median) < 3e3 and rebuilt.width < 15e3


def test_top_truth_names_the_daughters(tops):
    """A W+ goes to a positive pair: codes u dbar, or nu l+ with an odd negative code."""
    kinds = tops.particle_ids
    assert np.all(kinds[:, ::2] > 0) and np.all(kinds[:, 1::2] < 0)
    charge_up = kinds[:, 0] % 2 == 0
    assert np.all(charge_up) and np.all(kinds[:, 1] % 2 == 1)
    assert np.all(kinds[:, 2] % 2 == 1) and np.all(kinds[:, 3] % 2 == 0)
    assert np.all(np.isin(np.abs(kinds), [1, 2, 3, 4, 5, 11, 12, 13, 14]))
    assert np.all(np.isin(np.abs(kinds), [11, 13]).sum(axis=1) >= 1)


def test_top_decays_keep_the_branching_ratios():
    """With p = BR(e, mu) / BR(e, mu, quarks) of Pythia's table, of the pairs drawn a share
    1 - (1 - p)^2 passes, of which p^2 / that are dileptonic; 5 sigma.

    10,000 events: 0.016 of 0.43 and 0.017 of 0.14. W+ -> l alone would pass 0.24, thirds of each
    kind would give 0.33.
    """
    flavours, drawn = hard_processes(10_000, 5, QUICK)
    w = start(QUICK.lines(), np.random.SeedSequence(0)).particleData.findParticle(24)
    channels = [w.channel(i) for i in range(w.sizeChannels())]
    leptonic = sum(c.bRatio() for c in channels if abs(c.product(0)) in (11, 13))
    quarks = sum(c.bRatio() for c in channels if abs(c.product(0)) < 6)
    p = leptonic / (leptonic + quarks)
    passing = 1 - (1 - p) ** 2
    within(10_000 / drawn, passing, (passing * (1 - passing) / drawn) ** 0.5)
    electrons, muons, taus = (np.array([e.count(c) for e in flavours]) for c in (11, 13, 15))
    assert set(electrons + muons) == {1, 2} and not taus.any()
    both = p**2 / passing
    within(np.mean(electrons + muons == 2), both, (both * (1 - both) / 10_000) ** 0.5)
    total = (electrons + muons).sum()
    within(electrons.sum() / total, 0.5, 0.5 / total**0.5)


def test_tops_come_of_gluons_and_of_quarks():
    """2,000 pairs at 13 TeV: with Pythia's parton densities quarks make about one in eight (12% was
    measured), between 8% and 18%: a limit of 4 standard errors below the measured share."""
    generator = start(
        (*QUICK.lines(), "PartonLevel:all = off", "HadronLevel:all = off"),
        np.random.SeedSequence(8),
    )
    incoming = []
    for _ in range(2000):
        assert generator.next()
        incoming.append((generator.process[3].id(), generator.process[4].id()))
    of_quarks = [a != 21 for a, _ in incoming]
    assert all(a == b == 21 or a == -b for a, b in incoming)
    assert 0.08 < np.mean(of_quarks) < 0.18


def test_top_and_w_masses_in_truth(tops):
    """Pythia's own masses. 1,200 each: the median is good to 70 MeV (W) and 45 MeV (top); it lies
    off the pole by the tails of the Breit-Wigner, some 100 MeV."""
    data = start(QUICK.lines(), np.random.SeedSequence(0)).particleData
    w, top = (checks.peak(m) for m in checks.true_masses(tops.partons))
    assert w.median == pytest.approx(1e3 * data.m0(24), abs=5 * w.error + 100)
    assert top.median == pytest.approx(1e3 * data.m0(6), abs=5 * top.error + 100)
    assert w.n == top.n == 2 * N


def test_same_seed_same_tops(tops):
    told: list[int] = []
    again = ttbar.generate(60, 1, QUICK, told.append)
    assert sum(told) == 60 and min(told) > 0
    for name in ("events", "partons", "particle_ids", "neutrinos"):
        assert np.array_equal(getattr(again, name), getattr(tops, name)[:60])
    other = ttbar.generate(10, 2, QUICK)
    assert not np.array_equal(other.events, tops.events[:10])


def test_stream_gives_the_same_events_batch_by_batch(tops):
    stream = ttbar.stream(1, QUICK)
    batches = [next(stream), next(stream)]
    both = ttbar.concatenate(batches)
    assert len(both) == sum(len(batch) for batch in batches) == both.cutflow["four jets"]
    assert both.cutflow["W to e or mu"] == 2 * ttbar.BATCH
    np.testing.assert_array_equal(both.events, tops.events[: len(both)])
    np.testing.assert_array_equal(both.jet_pairs, tops.jet_pairs[: len(both.jet_pairs)])


def test_no_batch_is_made_that_is_not_needed(tops, monkeypatch):
    """One that holds exactly as many events as are asked for is the last."""
    batches = iter([tops, tops])
    monkeypatch.setattr(ttbar, "stream", lambda seed, settings: batches)
    assert len(ttbar.generate(len(tops), 1, QUICK)) == len(tops)
    assert next(batches) is tops


def test_another_radius_gives_other_jets_of_the_same_events():
    first, other = (next(ttbar.stream(1, replace(QUICK, radius=radius))) for radius in (0.6, 0.4))
    assert first.cutflow["one or two leptons"] == other.cutflow["one or two leptons"]
    assert not np.array_equal(first.events[:, 3], other.events[:, 3])


def test_taus_open_the_other_w_only():
    """2 p t / (2 p - p^2) = 0.121 of the events with p = BR(e, mu), t = BR(tau); 5 sigma."""
    flavours, _ = hard_processes(1000, 6, replace(QUICK, taus=True))
    assert all(11 in event or 13 in event for event in flavours)
    share = 2 * 0.2163 * 0.1081 / (2 * 0.2163 - 0.2163**2)
    taus = np.mean([15 in event for event in flavours])
    within(taus, share, (share * (1 - share) / 1000) ** 0.5)


@pytest.mark.slow
def test_leptons_of_tops_are_those_of_the_w():
    """4,000 events: of the events with one true e or mu, one in 300 or fewer shows two.

    pT of the matched lepton over the truth: 1.00 +- 0.01 of it in the median, 2% wide.
    """
    sample = ttbar.generate(4000, 8, QUICK)
    codes = np.abs(sample.particle_ids)
    is_lepton = (codes == 11) | (codes == 13)
    single = is_lepton.sum(axis=1) == 1
    assert np.mean(sample.events[single, 23] > 0) < 1 / 300
    true = sample.partons[:, 6:][is_lepton & single[:, None]]
    seen = ttbar_objects(sample.events[single])[:, 4]
    near = checks.nearest_jets(seen[:, None], true[:, None])[:, 0] == 0
    assert near.mean() > 0.97
    ratio = np.hypot(*seen[near, 1:3].T) / np.hypot(*true[near, 1:3].T)
    found = checks.peak(ratio)
    assert found.median == pytest.approx(1, abs=0.01) and found.width < 0.03
