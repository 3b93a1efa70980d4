"""Reads a Dockerfile as far as the tests look at it."""

from dataclasses import dataclass, field
from pathlib import Path


@dataclass(frozen=True)
class Instruction:
    """One instruction: its name, and the rest as one line."""

    name: str
    text: str


@dataclass
class Stage:
    """One stage: the image it starts from, its name if it has one, and its instructions."""

    base: str
    name: str = ""
    instructions: list[Instruction] = field(default_factory=list)

    def all(self, name: str) -> list[str]:
        """The texts of the instructions of a name, in their order."""
        return [instruction.text for instruction in self.instructions if instruction.name == name]


def instructions(file: Path) -> list[Instruction]:
    """The instructions, continued lines joined and comments left out."""
    lines = [line for line in file.read_text().splitlines() if line.strip() and not line.lstrip().startswith("#")]
    joined = "\n".join(lines).replace("\\\n", " ")
    found = []
    for line in joined.splitlines():
        name, _, text = line.strip().partition(" ")
        found.append(Instruction(name, " ".join(text.split())))
    return found


def stages(file: Path) -> list[Stage]:
    """The stages; the last one becomes the image."""
    found: list[Stage] = []
    for instruction in instructions(file):
        if instruction.name == "FROM":
            base, _, name = instruction.text.partition(" AS ")
            found.append(Stage(base, name))
        elif found:
            found[-1].instructions.append(instruction)
    return found
