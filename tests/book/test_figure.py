"""Figures of an executed notebook as files."""

import base64

import nbformat
from nbformat.v4 import new_code_cell, new_notebook, new_output

from amplib.book.figure import extract


def drawn(name):
    cell = new_code_cell(metadata={"mystnb": {"figure": {"name": name}}})
    data = {"image/svg+xml": "<svg/>", "application/pdf": base64.b64encode(b"%PDF").decode()}
    cell.outputs = [new_output("display_data", data)]
    return cell


def test_every_figure_has_its_name_and_the_settings_behind_it(tmp_path):
    nbformat.write(new_notebook(cells=[drawn("a-fig1"), drawn("a-fig2")]), tmp_path / "a.ipynb")
    for suffix in ("", "-smoke-n_train=50"):
        folder = tmp_path / f"of{suffix}"
        written = extract(tmp_path / "a.ipynb", folder, suffix)
        names = {f"a-fig{k}{suffix}.{kind}" for k in (1, 2) for kind in ("svg", "pdf")}
        assert {path.name for path in folder.iterdir()} == names == {path.name for path in written}
    assert (folder / "a-fig2-smoke-n_train=50.pdf").read_bytes() == b"%PDF"
