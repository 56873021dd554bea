"""Many cases of one behaviour inside one test: a test of its own for each would cost more than the cases do."""

import functools
import inspect
from collections.abc import Callable, Iterable
from typing import Any

Test = Callable[..., None]


def each(names: str, cases: Iterable[object]) -> Callable[[Test], Test]:
    """As `pytest.mark.parametrize`, in one test, which ends at the first case that fails and names it.

    For tests without fixtures of their own: what a case leaves in one of those the next one would find.
    """
    arguments = [name.strip() for name in names.split(",")]
    given = [case if len(arguments) > 1 else (case,) for case in cases]
    assert given, f"no case of {names}"

    def in_one(test: Test) -> Test:
        @functools.wraps(test)
        def run(*others: Any, **named: Any) -> None:
            for case in given:
                values = dict(zip(arguments, case, strict=True))  # type: ignore[arg-type]  # one a name
                try:
                    test(*others, **named, **values)
                except BaseException as error:
                    error.add_note(f"in the case {values}")
                    raise

        signature = inspect.signature(test)
        kept = [parameter for name, parameter in signature.parameters.items() if name not in arguments]
        run.__signature__ = signature.replace(parameters=kept)  # type: ignore[attr-defined]
        return run

    return in_one
