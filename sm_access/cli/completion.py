"""`sm-access completion SHELL`: the script that lets a shell ask what may stand next, and the answer when it asks.

click has both; what is ours is what places in S3 need. Bash takes the colon of `s3://` for the end of a word, so it is
handed the rest of the word alone; after a slash the typing goes on, so no shell puts a blank there; and where we know
nothing, bash and zsh offer files.
"""

from __future__ import annotations

import os

import click
from click.shell_completion import (
    BashComplete,
    CompletionItem,
    FishComplete,
    ShellComplete,
    ZshComplete,
    split_arg_string,
)

PROGRAM = "sm-access"
VARIABLE = "_SM_ACCESS_COMPLETE"

_BASH = """\
_sm_access_completion() {
    local IFS=$'\\n' response value
    response=$(env COMP_WORDS="${COMP_LINE:0:$COMP_POINT}" COMP_BREAKS="$COMP_WORDBREAKS" \
%(complete_var)s=bash_complete "$1" 2>/dev/null)
    COMPREPLY=()
    for value in $response; do
        case "$value" in
            */) compopt -o nospace 2>/dev/null; COMPREPLY+=("$value") ;;
            *) COMPREPLY+=("$value") ;;
        esac
    done
}
complete -o default -F _sm_access_completion %(prog_name)s
"""
_ZSH = """\
#compdef %(prog_name)s
_sm_access_completion() {
    local -a whole open
    local value
    for value in "${(@f)$(env COMP_WORDS="${words[*]}" COMP_CWORD=$((CURRENT-1)) \
%(complete_var)s=zsh_complete %(prog_name)s 2>/dev/null)}"; do
        case "$value" in
            "") ;;
            */) open+=("$value") ;;
            *) whole+=("$value") ;;
        esac
    done
    (( $#open )) && compadd -S '' -a open
    (( $#whole )) && compadd -a whole
    (( $#open + $#whole )) || _files
}
if [[ $zsh_eval_context[-1] == loadautofunc ]]; then
    _sm_access_completion "$@"
else
    (( $+functions[compdef] )) || { autoload -Uz compinit && compinit }
    compdef _sm_access_completion %(prog_name)s
fi
"""


class _Bash(BashComplete):
    """Told the line up to the cursor, not bash's own division of it into words."""

    source_template = _BASH

    def source(self) -> str:
        return self.source_template % self.source_vars()

    def get_completion_args(self) -> tuple[list[str], str]:
        line = os.environ["COMP_WORDS"]
        words = split_arg_string(line)
        incomplete = words.pop() if words and not line[-1:].isspace() else ""
        self._typed = incomplete.rpartition("=")[2] if incomplete.startswith("-") else incomplete
        return words[1:], incomplete

    def format_completion(self, item: CompletionItem[str]) -> str:
        breaks = ":" in os.environ.get("COMP_BREAKS", ":")
        done = self._typed.rpartition(":")
        return item.value.removeprefix(done[0] + done[1]) if breaks else item.value


class _Zsh(ZshComplete):
    source_template = _ZSH

    def format_completion(self, item: CompletionItem[str]) -> str:
        return item.value


_SHELLS: dict[str, type[ShellComplete]] = {"bash": _Bash, "zsh": _Zsh, "fish": FishComplete}


def answer(group: click.Group, instruction: str) -> int:
    """Answer a shell that asks, by what stands in `_SM_ACCESS_COMPLETE`. Says nothing where it knows nothing."""
    shell, _, _ = instruction.partition("_")
    if shell not in _SHELLS:
        return 1
    try:
        click.echo(_SHELLS[shell](group, {}, PROGRAM, VARIABLE).complete())
    except Exception:  # noqa: BLE001  a press of the key prints no traceback over the line that is being typed
        return 1
    return 0


@click.command("completion")
@click.argument("shell", type=click.Choice(sorted(_SHELLS)))
@click.pass_context
def completion(context: click.Context, shell: str) -> int:
    """Print the script with which a shell completes commands, levels, buckets and prefixes.

    bash, in ~/.bashrc: eval "$(sm-access completion bash)". zsh, in ~/.zshrc: eval "$(sm-access completion zsh)".
    fish: sm-access completion fish > ~/.config/fish/completions/sm-access.fish
    """
    click.echo(_SHELLS[shell](context.find_root().command, {}, PROGRAM, VARIABLE).source(), nl=False)
    return 0
