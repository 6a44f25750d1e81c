"""The registry's schemas, cut into parts: "sum(Tensor self, int[]? dim=None, *, dtype? dtype=None) -> Tensor"."""

from dataclasses import dataclass, field


@dataclass
class Parameter:
    """One parameter: "int[]? dim=None"."""

    type: str
    name: str
    optional: bool
    default: str | None
    keyword_only: bool

    @property
    def required(self) -> bool:
        return self.default is None and not self.optional


@dataclass
class Schema:
    """One registry row's schema."""

    name: str
    overload: str
    parameters: list[Parameter] = field(default_factory=list)
    outputs: list[str] = field(default_factory=list)
    output_names: list[str] = field(default_factory=list)

    @property
    def key(self) -> str:
        return f"{self.name}.{self.overload}" if self.overload else self.name

    @property
    def returns_list(self) -> bool:
        return self.outputs in (["Tensor[]"], ["Tensor(a)[]"])

    def tensor_count(self) -> int:
        return sum(p.type.startswith("Tensor") for p in self.parameters)

    def named(self, name: str) -> Parameter | None:
        return next((p for p in self.parameters if p.name == name), None)


def parse(text: str) -> Schema:
    """The parts of a schema."""
    opening, closing = text.index("("), text.rindex(") ->")
    name, _, overload = text[:opening].partition(".")
    schema = Schema(name, overload)
    keyword_only = False
    for part in filter(None, text[opening + 1:closing].split(", ")):
        if part == "*":
            keyword_only = True
            continue
        declaration, equals, default = part.partition("=")
        kind, parameter = declaration.split(" ")
        schema.parameters.append(Parameter(kind.removesuffix("?"), parameter, kind.endswith("?"),
                                           default if equals else None, keyword_only))
    for output in filter(None, text[closing + 4:].strip().strip("()" if text.endswith(")") else "").split(", ")):
        kind, _, parameter = output.strip().partition(" ")
        if kind == "Tensor(a":
            kind = "Tensor(a)"
        schema.outputs.append(kind)
        if parameter:
            schema.output_names.append(parameter)
    return schema
