"""Which code the functions of a stack are given: what is live. Releases change functions, a deployment never does. But
CloudFormation puts back what it was given whenever it touches one, so it always has to be given that.
"""

from collections.abc import Mapping

from .cdn import Cdn
from .engine import FUNCTION
from .store import EdgeError

FUNCTIONS = {"RewriteCode": "RewriteFunction", "StagingRewriteCode": "StagingRewriteFunction"}
"""{parameter of the stack: its output with the name of the function that runs this code}"""
LONGEST = 4096
"""Characters that CloudFormation takes as a parameter."""


class CodeUnknown(EdgeError):
    """What a function runs cannot be read, or not be handed over. Nothing was changed."""


def first() -> dict[str, str]:
    """{parameter: code} of a stack that is new: nobody released anything yet."""
    return dict.fromkeys(FUNCTIONS, FUNCTION.read_text())


def functions(stack: str, outputs: Mapping[str, str]) -> dict[str, str]:
    """{parameter: name of the function}, as the stack itself says. Raises CodeUnknown."""
    if lacking := [output for output in FUNCTIONS.values() if not outputs.get(output)]:
        raise CodeUnknown(
            f"the stack {stack} has no output {lacking[0]}, so nobody knows which function must stay as it is: was it made"
            " from edge/stack.yaml? Name another one with --stack"
        )
    return {parameter: outputs[output] for parameter, output in FUNCTIONS.items()}


def live(cdn: Cdn, function: str) -> str:
    """Raises CodeUnknown and CdnError."""
    code = cdn.live_code(function)
    if code is None:
        raise CodeUnknown(
            f"there is no function {function}, though the stack has it: nothing is deployed, for it would get another code"
            " than what was live. Was it deleted or renamed by hand?"
        )
    try:
        text = code.decode()
    except UnicodeDecodeError:
        raise CodeUnknown(f"the function {function} is no text in UTF-8: promote a release, then deploy") from None
    if len(text) > LONGEST:
        raise CodeUnknown(
            f"the function {function} has {len(text):,} characters, a stack takes {LONGEST:,}: promote a release with a"
            " shorter one, then deploy"
        )
    return text


def check(cdn: Cdn, planned: Mapping[str, str]) -> None:
    """`planned` is {function: code that it is about to be given}. Raises CodeUnknown when something else is live now."""
    for function, code in planned.items():
        if live(cdn, function) != code:
            raise CodeUnknown(
                f"a release has changed the function {function} since this was planned. Nothing was changed: run it again"
            )
