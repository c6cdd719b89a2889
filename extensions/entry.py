"""The one file that `copier.yml` names; it brings in the rest of this folder.

Copier loads an extension by its path, under a module name that two versions of a template share. An
update renders both versions in one process, so this file imports the rest as a package, whose name
says which copy of the template it came from.
"""

import sys
from hashlib import sha256
from importlib import import_module
from importlib.util import module_from_spec, spec_from_file_location
from pathlib import Path

FOLDER = Path(__file__).resolve().parent


def _import_package() -> str:
    name = f"extensions_{sha256(bytes(FOLDER)).hexdigest()[:16]}"
    if name not in sys.modules:
        spec = spec_from_file_location(
            name, FOLDER / "__init__.py", submodule_search_locations=[str(FOLDER)]
        )
        if spec is None or spec.loader is None:
            raise ImportError(f"{FOLDER} is not a package")
        sys.modules[name] = package = module_from_spec(spec)
        spec.loader.exec_module(package)
    return name


ServiceTemplate = import_module(f"{_import_package()}.context").ServiceTemplate
