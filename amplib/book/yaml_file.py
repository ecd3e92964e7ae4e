"""YAML that somebody has written: read without trust, refused in one line."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import yaml

from amplib.parameters import ParameterError


class Loader(yaml.SafeLoader):
    """Refuses a name that is given twice, of which YAML would take the last."""

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[Any, Any]:
        names = [key.value for key, _ in node.value if isinstance(key, yaml.ScalarNode)]
        for name in names:
            if names.count(name) > 1:
                raise yaml.YAMLError(f"{name} is given twice")
        return super().construct_mapping(node, deep)


def read_yaml(path: Path) -> Any:
    """What a file says.

    Raises:
        ParameterError: if it cannot be read, is no YAML, or gives a name twice.
    """
    try:
        return yaml.load(path.read_text(encoding="utf-8"), Loader)
    except OSError as error:
        raise ParameterError(f"{path}: {error.strerror}") from None
    except (yaml.YAMLError, ValueError) as error:  # no UTF-8, a day that is none
        raise ParameterError(f"{path} is no YAML: {' '.join(str(error).split())}") from None
    except RecursionError:
        raise ParameterError(f"{path} is nested without end") from None
