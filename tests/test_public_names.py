"""What `import sm_access` promises: each name loads, is documented, and is typed."""

from __future__ import annotations

import inspect
from importlib import import_module

import pytest

import sm_access

OBJECTS = sorted(set(sm_access.__all__) - {"__version__"})


@pytest.mark.parametrize("name", OBJECTS)
def test_each_name_loads_and_says_what_it_is(name: str) -> None:
    found = getattr(sm_access, name)
    assert inspect.getdoc(found), f"{name} has no docstring"
    assert found.__doc__, f"{name} has none of its own"


@pytest.mark.parametrize("name", [name for name in OBJECTS if inspect.isfunction(getattr(sm_access, name))])
def test_each_function_is_typed_to_the_last_parameter(name: str) -> None:
    signature = inspect.signature(getattr(sm_access, name))
    assert signature.return_annotation is not inspect.Signature.empty
    untyped = [p.name for p in signature.parameters.values() if p.annotation is inspect.Parameter.empty]
    assert untyped == []


def test_names_are_sorted_listed_once_and_shown_by_dir() -> None:
    assert sm_access.__all__ == sorted(set(sm_access.__all__))
    assert dir(sm_access) == sm_access.__all__


def test_an_unknown_name_is_an_attribute_error() -> None:
    with pytest.raises(AttributeError, match="no_such_name"):
        sm_access.no_such_name  # noqa: B018


def test_the_version_is_one() -> None:
    assert sm_access.__version__.count(".") == 2


@pytest.mark.parametrize("room", ["policy", "catalog", "access", "stores"])
def test_each_room_with_a_list_of_names_keeps_it(room: str) -> None:
    module = import_module(f"sm_access.{room}")
    assert all(hasattr(module, name) for name in module.__all__)
    assert module.__doc__


def test_every_error_is_in_the_tree_at_the_top_of_its_file() -> None:
    from sm_access import errors

    tree = errors.__doc__ or ""
    classes = [
        found
        for _, found in inspect.getmembers(errors, inspect.isclass)
        if issubclass(found, errors.SmAccessError)
    ]
    for found in classes:
        assert found.__name__ in tree
        assert found.__doc__
        assert found.exit_code in {1, 2, 3}
        if found.__mro__[1] not in (Exception, errors.SmAccessError):
            assert found.exit_code == found.__mro__[1].exit_code  # a kind of error has one exit code
